# Copyright 2026 The posenet_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""
Resection of whole batches: from where the cells of images lie in the map to the cameras' poses.

A fixed number of rounds of Gauss-Newton on SE(3), of torch's plain operations alone, so that it
goes with the network wherever that does: onto a GPU, into a recording, into ONNX. What is known of
each cell's error says how much it counts, and those that do not agree count less and less
(Cauchy, with a width that shrinks from round to round).
"""

from __future__ import annotations

from typing import NamedTuple

from posenet_ros.models.rotations import matrix_from_quaternion
import torch
from torch import Tensor
from torch.nn import functional

# By how many times its expected error a cell may disagree and still count for half.
_WIDTHS = (16.0, 8.0, 4.0, 2.0, 2.0, 2.0, 2.0)
# Of the trace of the normal equations: where cells say nothing, the start stays.
_DAMPING = 1e-5
# What is nearer than this share of the scene's unit, or behind, says nothing.
_NEAR = 0.02


class Resected(NamedTuple):
    """
    Poses `map_from_camera` of a batch that their cells agree with.

    `information_B66` is that of a turn (3, radians) and a move (3, metres) of the map in the
    camera's axes, of cells as independent as they are not: neighbours are wrong together.
    """

    position_B3: Tensor
    rotation_B33: Tensor
    information_B66: Tensor


def resected(
    point_BC3: Tensor,
    error_BC: Tensor,
    ray_BC2: Tensor,
    start_B3: Tensor,
    start_B33: Tensor,
    unit: Tensor,
) -> Resected:
    """
    Return the poses from which points of the map are seen along rays.

    `error_BC` is the error to be expected of each, on the plane one unit ahead, where `ray_BC2`
    lie. The start is a pose that is roughly right, `unit` a length of the scene's size.
    """
    camera_from_map_B33 = start_B33.transpose(1, 2)
    move_B3 = -(camera_from_map_B33 @ start_B3[:, :, None])[:, :, 0]
    # In units of the scene, so that turns and moves weigh alike in what is solved for.
    point_BC3, move_B3 = point_BC3 / unit, move_B3 / unit
    for width in _WIDTHS:
        hessian_B66, gradient_B6 = _system(
            point_BC3, error_BC, ray_BC2, camera_from_map_B33, move_B3, width
        )
        step_B6 = -_solved(hessian_B66, gradient_B6)
        turn_B33 = _rotation(step_B6[:, :3])
        camera_from_map_B33 = turn_B33 @ camera_from_map_B33
        move_B3 = (turn_B33 @ move_B3[:, :, None])[:, :, 0] + step_B6[:, 3:]
    information_B66, _ = _system(
        point_BC3, error_BC, ray_BC2, camera_from_map_B33, move_B3, _WIDTHS[-1]
    )
    by_metre_6 = torch.cat([torch.ones_like(move_B3[0]), (1 / unit).expand(3)])
    rotation_B33 = camera_from_map_B33.transpose(1, 2)
    position_B3 = -(rotation_B33 @ move_B3[:, :, None])[:, :, 0] * unit
    scaled_B66 = information_B66 * by_metre_6[:, None] * by_metre_6
    return Resected(position_B3, rotation_B33, scaled_B66)


def _system(
    point_BC3: Tensor,
    error_BC: Tensor,
    ray_BC2: Tensor,
    camera_from_map_B33: Tensor,
    move_B3: Tensor,
    width: float,
) -> tuple[Tensor, Tensor]:
    """Return the normal equations (B, 6, 6) and (B, 6) of a turn and a move of what is seen."""
    seen_BC3 = point_BC3 @ camera_from_map_B33.transpose(1, 2) + move_B3[:, None]
    depth_BC = seen_BC3[..., 2].clamp(min=_NEAR)
    inverse_BC = 1 / depth_BC
    plane_BC2 = seen_BC3[..., :2] * inverse_BC[..., None]
    left_BC2 = (plane_BC2 - ray_BC2) / error_BC[..., None]
    told_BC = 1 / (1 + left_BC2.square().sum(-1) / width**2)
    told_BC = torch.where(seen_BC3[..., 2] > _NEAR, told_BC, torch.zeros_like(told_BC))
    x, y = plane_BC2.unbind(-1)
    none, one = torch.zeros_like(x), torch.ones_like(x)
    # A turn w and a move v: a point p goes to p + w x p + v.
    by_u = [-x * y, one + x * x, -y, inverse_BC, none, -x * inverse_BC]
    by_v = [-one - y * y, x * y, x, none, inverse_BC, -y * inverse_BC]
    jacobian_BR6 = torch.stack([torch.stack(by_u, -1), torch.stack(by_v, -1)], 2)
    jacobian_BR6 = (jacobian_BR6 / error_BC[..., None, None]).flatten(1, 2)
    weighted_B6R = (jacobian_BR6 * told_BC.repeat_interleave(2, 1)[..., None]).transpose(1, 2)
    hessian_B66 = weighted_B6R @ jacobian_BR6
    gradient_B6 = (weighted_B6R @ left_BC2.flatten(1)[..., None])[..., 0]
    return hessian_B66, gradient_B6


def _solved(hessian_B66: Tensor, gradient_B6: Tensor) -> Tensor:
    """Solve positive definite systems by elimination, which ONNX has no step of its own for."""
    trace_B = hessian_B66.diagonal(dim1=1, dim2=2).sum(-1)
    eye_66 = torch.eye(6, dtype=hessian_B66.dtype, device=hessian_B66.device)
    raised_B66 = hessian_B66 + (_DAMPING * trace_B + 1e-12)[:, None, None] * eye_66
    system_B67 = torch.cat([raised_B66, gradient_B6[..., None]], dim=2)
    for row in range(6):
        pivot_B7 = system_B67[:, row] / system_B67[:, row, row, None]
        # The row itself loses its multiple less one: it is the pivot then.
        others_B6 = system_B67[:, :, row] - eye_66[row]
        system_B67 = system_B67 - others_B6[..., None] * pivot_B7[:, None]
    return system_B67[..., 6]


def _rotation(vector_B3: Tensor) -> Tensor:
    """Return rotations (B, 3, 3) of small vectors, by quaternions (1, w / 2)."""
    whole_B4 = torch.cat([torch.ones_like(vector_B3[:, :1]), vector_B3 / 2], dim=1)
    return matrix_from_quaternion(functional.normalize(whole_B4, dim=1))
