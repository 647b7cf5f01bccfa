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

How surely a pose is known is told by the same equations, and by how far off the cells are that it
was made of.
"""

from __future__ import annotations

from typing import NamedTuple

from posenet_ros.models.trust import ANY_ANGLE
import torch
from torch import Tensor

# By how many times its expected error a cell may disagree and still count for half.
_WIDTHS = (16.0, 8.0, 4.0, 2.0, 2.0, 2.0, 2.0)
# Of the trace of the normal equations: where cells say nothing, the start stays.
_DAMPING = 1e-5
_LEAST = 1e-12
# What is nearer than this share of the scene's unit, or behind, says nothing.
_NEAR = 0.005
# What cells tell of the pose counts as if they were independent where they are off by so many
# pixels (the geometric mean, to which the second is added), and less by this power of it where
# they are off by more; cells further off than their own expected error tell little. Chosen on
# held-out blocks, see docs/recipe.md.
_USUAL_PX, _ADDED_PX, _POWER, _TELLING = 5.0, 0.5, 1.5, 1.0
# Where no cell tells anything: so many units, and any angle.
_ANYWHERE = 3.0


class Resected(NamedTuple):
    """
    Poses `map_from_camera` of a batch that their cells agree with.

    `information_B66` tells how surely: the inverse of a covariance, up to a factor that has to be
    measured, of x y z in metres and turns about x y z in radians, along and about the axes of the
    map.
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
    focal: Tensor,
) -> Resected:
    """
    Return the poses from which points of the map are seen along rays.

    `error_BC` is the error to be expected of each, in pixels; `ray_BC2` are on the plane one unit
    ahead, of which `focal` is the length in pixels. The start is a pose that is roughly right,
    `unit` a length of the scene's size.
    """
    camera_from_map_B33 = start_B33.transpose(1, 2)
    # In units of the scene, so that turns and moves weigh alike in what is solved for.
    move_B31 = -(camera_from_map_B33 @ start_B3[:, :, None]) / unit
    point_B3C = (point_BC3 / unit).transpose(1, 2)
    ray_B2C = ray_BC2.transpose(1, 2)
    trust_BC = (error_BC / focal) ** -2
    for width in _WIDTHS:
        system_B67 = _system(
            camera_from_map_B33 @ point_B3C + move_B31, ray_B2C, trust_BC, 1 / width**2
        )
        step_B6 = -_solved(system_B67)
        turn_B33 = _rotation(step_B6[:, :3])
        camera_from_map_B33 = turn_B33 @ camera_from_map_B33
        move_B31 = turn_B33 @ move_B31 + step_B6[:, 3:, None]
    rotation_B33 = camera_from_map_B33.transpose(1, 2)
    position_B3 = -(rotation_B33 @ move_B31)[:, :, 0] * unit
    information_B66 = information_of(
        point_BC3, error_BC, ray_BC2, position_B3, rotation_B33, unit, focal
    )
    return Resected(position_B3, rotation_B33, information_B66)


def information_of(
    point_BC3: Tensor,
    error_BC: Tensor,
    ray_BC2: Tensor,
    position_B3: Tensor,
    rotation_B33: Tensor,
    unit: Tensor,
    focal: Tensor,
) -> Tensor:
    """Return how surely cells tell poses that were made of them; see `resected`, `Resected`."""
    camera_from_map_B33 = rotation_B33.transpose(1, 2)
    beside_B3C = ((point_BC3 - position_B3[:, None]) / unit).transpose(1, 2)
    seen_B3C = camera_from_map_B33 @ beside_B3C
    ray_B2C = ray_BC2.transpose(1, 2)
    system_B67 = _system(seen_B3C, ray_B2C, (error_BC / focal) ** -2, 1 / _TELLING**2)
    agreement_B11 = (_misfit(seen_B3C, ray_B2C, focal) / _USUAL_PX)[:, None, None] ** -_POWER
    information_B66 = agreement_B11 * _in_map(system_B67[:, :, :6], camera_from_map_B33, unit)
    anywhere = (_ANYWHERE * unit).expand(3) ** -2
    nothing_6 = torch.cat([anywhere, torch.full_like(anywhere, ANY_ANGLE**-2)])
    return information_B66 + torch.diag(nothing_6)


def _misfit(seen_B3C: Tensor, ray_B2C: Tensor, focal: Tensor) -> Tensor:
    """Return how many pixels points are off (B), such that a few far away count little."""
    plane_B2C = seen_B3C[:, :2] / seen_B3C[:, 2:].clamp(min=_NEAR)
    off_BC = torch.linalg.vector_norm(plane_B2C - ray_B2C, dim=1) * focal
    return (off_BC + _ADDED_PX).log().mean(dim=1).exp()


def _in_map(system_B66: Tensor, camera_from_map_B33: Tensor, unit: Tensor) -> Tensor:
    """
    Return normal equations of a move and a turn in the map, of a turn and a move in the camera.

    A turn w and a move v, in units, of what the camera sees are a move -R v of the camera in the
    map, and a turn -R w of it, with R `map_from_camera`.
    """
    turn_B33 = camera_from_map_B33
    move_B33 = camera_from_map_B33 / unit
    none_B33 = torch.zeros_like(turn_B33)
    # Both signs are the same, and squared.
    change_B66 = torch.cat(
        [torch.cat([none_B33, turn_B33], dim=2), torch.cat([move_B33, none_B33], dim=2)], dim=1
    )
    return change_B66.transpose(1, 2) @ system_B66 @ change_B66


def _system(seen_B3C: Tensor, ray_B2C: Tensor, trust_BC: Tensor, narrowness: float) -> Tensor:
    """
    Return the normal equations, matrix and right side (B, 6, 7), of a turn and a move.

    Of points as the camera has them: a turn w and a move v take p to p + w x p + v.
    """
    depth_BC = seen_B3C[:, 2]
    inverse = 1 / depth_BC.clamp(min=_NEAR)
    plane_B2C = seen_B3C[:, :2] * inverse[:, None]
    left_B2C = plane_B2C - ray_B2C
    told_BC = trust_BC / (1 + left_B2C.square().sum(dim=1) * trust_BC * narrowness)
    told_BC = told_BC * (depth_BC > _NEAR)
    x, y = plane_B2C.unbind(dim=1)
    none, across = torch.zeros_like(x), x * y
    by_x = [-across, 1 + x * x, -y, inverse, none, -x * inverse]
    by_y = [-1 - y * y, across, x, none, inverse, -y * inverse]
    # Both rows of each cell, one after the other.
    slope_B6R = torch.stack([torch.cat(pair, dim=1) for pair in zip(by_x, by_y)], dim=1)
    weighted_B6R = slope_B6R * told_BC.repeat(1, 2)[:, None]
    sides_B7R = torch.cat([slope_B6R, left_B2C.flatten(1)[:, None]], dim=1)
    return weighted_B6R @ sides_B7R.transpose(1, 2)


def _solved(system_B67: Tensor) -> Tensor:
    """Solve positive definite systems by elimination, which ONNX has no step of its own for."""
    eye_66 = torch.eye(6, dtype=system_B67.dtype, device=system_B67.device)
    trace_B11 = system_B67[:, :, :6].diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None]
    raised_B66 = system_B67[:, :, :6] + (_DAMPING * trace_B11 + _LEAST) * eye_66
    right_B61 = system_B67[:, :, 6:]
    if not (torch.compiler.is_compiling() or system_B67.is_cuda):
        return torch.linalg.solve(raised_B66, right_B61)[:, :, 0]
    system_B67 = torch.cat([raised_B66, right_B61], dim=2)
    for row in range(6):
        pivot_B17 = system_B67[:, row : row + 1] / system_B67[:, row : row + 1, row : row + 1]
        # The row itself loses its multiple less one: it is the pivot then.
        others_B61 = system_B67[:, :, row : row + 1] - eye_66[row, :, None]
        system_B67 = system_B67 - others_B61 * pivot_B17
    return system_B67[:, :, 6]


def _rotation(vector_B3: Tensor) -> Tensor:
    """Return rotations (B, 3, 3) of small vectors w: those of the quaternions (1, w / 2)."""
    half = vector_B3 / 2
    none = torch.zeros_like(half[:, 0])
    x, y, z = half.unbind(dim=1)
    skew_B33 = torch.stack([none, -z, y, z, none, -x, -y, x, none], dim=1).view(-1, 3, 3)
    scale_B11 = 2 / (1 + half.square().sum(dim=1))[:, None, None]
    eye_33 = torch.eye(3, dtype=half.dtype, device=half.device)
    return eye_33 + scale_B11 * (skew_B33 + skew_B33 @ skew_B33)
