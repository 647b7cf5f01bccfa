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
Rotations as a network puts them out, differentiable and in batches.

Every quaternion here is in the order w, x, y, z.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def quaternion_from_matrix(rotation_B33: Tensor) -> Tensor:
    """
    Return unit quaternions wxyz (B, 4) of rotation matrices (B, 3, 3).

    Row i of the symmetric matrix below is 4 q_i q, so each row is the quaternion up to its
    length and sign. Taking the longest one leaves no square root or division near zero, which
    keeps gradients finite for every rotation. The sign of the result is arbitrary.
    """
    m = rotation_B33
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    wx, wy, wz = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    xy, xz, yz = m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2]
    rows_B44 = torch.stack(
        [
            torch.stack([1 + xx + yy + zz, wx, wy, wz], dim=1),
            torch.stack([wx, 1 + xx - yy - zz, xy, xz], dim=1),
            torch.stack([wy, xy, 1 - xx + yy - zz, yz], dim=1),
            torch.stack([wz, xz, yz, 1 - xx - yy + zz], dim=1),
        ],
        dim=1,
    )
    longest = torch.diagonal(rows_B44, dim1=1, dim2=2).argmax(dim=1)
    # Gathered, not indexed by the number of rows: an exported network takes any number of images.
    picked = rows_B44.gather(1, longest[:, None, None].expand(-1, 1, 4))[:, 0]
    return functional.normalize(picked, dim=1)


def quaternion_from_6d(columns_B6: Tensor) -> Tensor:
    """
    Return unit quaternions wxyz (B, 4) from two 3-vectors (B, 6), by Gram-Schmidt.

    The two vectors become the first two columns of the rotation matrix (Zhou et al., On the
    Continuity of Rotation Representations in Neural Networks, CVPR 2019). A camera that turns
    once around comes back to the same six numbers, while its quaternion changes sign, which no
    continuous function of the image can follow.
    """
    return quaternion_from_matrix(matrix_from_6d(columns_B6))


def matrix_from_6d(columns_B6: Tensor) -> Tensor:
    """Return the rotations (B, 3, 3) of two 3-vectors (B, 6), as `quaternion_from_6d` does."""
    first = functional.normalize(columns_B6[:, :3], dim=1)
    second = columns_B6[:, 3:]
    second = functional.normalize(second - (first * second).sum(1, keepdim=True) * first, dim=1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=2)


def matrix_from_quaternion(quaternion_wxyz_B4: Tensor) -> Tensor:
    """Return the rotation matrices (B, 3, 3) of unit quaternions."""
    columns_B6 = columns_from_quaternion(quaternion_wxyz_B4)
    first, second = columns_B6[:, :3], columns_B6[:, 3:]
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=2)


def columns_from_quaternion(quaternion_wxyz_B4: Tensor) -> Tensor:
    """Return the first two columns of the rotation matrices (B, 6) of unit quaternions."""
    w, x, y, z = quaternion_wxyz_B4.unbind(dim=1)
    first = [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)]
    second = [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)]
    return torch.stack([*first, *second], dim=1)


def turn_between(first_wxyz_B4: Tensor, second_wxyz_B4: Tensor) -> Tensor:
    """
    Return the rotation vectors (B, 3), in radians, that lead from unit quaternions to others.

    About the axes of the body, and to the first order: as long as twice the sine of half the
    angle. q and -q are the same rotation.
    """
    w, vector = first_wxyz_B4[:, :1], first_wxyz_B4[:, 1:]
    other_w, other = second_wxyz_B4[:, :1], second_wxyz_B4[:, 1:]
    turn = w * other - other_w * vector - torch.linalg.cross(vector, other)
    same_side = (first_wxyz_B4 * second_wxyz_B4).sum(dim=1, keepdim=True) >= 0
    return torch.where(same_side, 2 * turn, -2 * turn)
