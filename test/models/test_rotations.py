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

from __future__ import annotations

import numpy as np
from posenet_ros.geometry import Pose
from posenet_ros.models.rotations import (
    quaternion_from_6d,
    quaternion_from_matrix,
    turn_between,
)
import pytest
from scipy.spatial.transform import Rotation
import torch

EULER_DEG = [
    (10, 20, 30),
    (0, 0, 0),
    (180, 0, 0),
    (0, 180, 0),
    (0, 0, 180),
    (179, 5, -3),
    (-100, 80, 170),
]


def wxyz(rotation: Rotation) -> np.ndarray:
    return np.array(Pose(rotation, np.zeros(3), 'map', 'camera').quaternion())


@pytest.mark.parametrize('angles', EULER_DEG)
def test_matrix_to_quaternion_agrees_with_scipy_up_to_sign(angles):
    rotation = Rotation.from_euler('xyz', angles, degrees=True)
    matrix = torch.as_tensor(rotation.as_matrix())[None]
    found = quaternion_from_matrix(matrix)[0].numpy()
    assert abs(found @ wxyz(rotation)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize('angles', EULER_DEG)
def test_gradients_are_finite_for_every_rotation(angles):
    matrix = torch.as_tensor(Rotation.from_euler('xyz', angles, degrees=True).as_matrix())[None]
    matrix.requires_grad_()
    quaternion_from_matrix(matrix).sum().backward()
    assert torch.isfinite(matrix.grad).all()


def test_6d_takes_columns_of_the_matrix_of_any_length_and_angle():
    rotation = Rotation.from_euler('xyz', (10, 20, 30), degrees=True)
    first, second, _ = rotation.as_matrix().T
    # Gram-Schmidt removes what the second has of the first.
    columns = torch.as_tensor(np.concatenate([3 * first, 0.5 * second + 2 * first]))[None]
    found = quaternion_from_6d(columns)[0].numpy()
    assert abs(found @ wxyz(rotation)) == pytest.approx(1, abs=1e-12)


def test_6d_comes_back_to_itself_after_a_full_turn_and_the_quaternion_does_not():
    turns = Rotation.from_rotvec(np.outer(np.linspace(0, 2 * np.pi, 91), [0, 0, 1]))
    columns = torch.as_tensor(turns.as_matrix()[:, :, :2].transpose(0, 2, 1).reshape(-1, 6))
    assert torch.allclose(columns[0], columns[-1], atol=1e-12)
    quaternions = quaternion_from_6d(columns)
    cosines = (quaternions[1:] * quaternions[:-1]).sum(dim=1).abs()
    assert torch.allclose(cosines, torch.tensor(np.cos(np.radians(2))), atol=1e-9)


@pytest.mark.parametrize('sign', [1, -1])
def test_a_small_turn_is_its_rotation_vector_in_the_body(sign):
    first = Rotation.from_euler('xyz', [170, 20, 30], degrees=True)
    vector = np.array([0.002, -0.001, 0.003])
    both = [first, first * Rotation.from_rotvec(vector)]
    wxyz = [
        torch.tensor(Pose(each, np.zeros(3), 'map', 'camera').quaternion(), dtype=torch.float64)
        for each in both
    ]
    (turn,) = turn_between(wxyz[0][None], sign * wxyz[1][None])
    np.testing.assert_allclose(turn, vector, atol=1e-8)
