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
from posenet_ros.geometry import carried_covariance
import pytest
from scipy.spatial.transform import Rotation


def test_without_a_lever_nothing_changes():
    covariance = np.diag([1.0, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(carried_covariance(covariance, [0, 0, 0]), covariance)


def test_a_turn_about_z_moves_what_is_ahead_to_the_side():
    carried = carried_covariance(np.diag([0, 0, 0, 0, 0, 0.01]), [2.0, 0, 0])
    expected = np.zeros((6, 6))
    # Two metres ahead, a tenth of a radian is a fifth of a metre to the left.
    expected[1, 1], expected[5, 5] = 0.04, 0.01
    expected[1, 5] = expected[5, 1] = 0.02
    np.testing.assert_allclose(carried, expected, atol=1e-15)


@pytest.mark.parametrize('lever', [[0.5, 0, 0], [0, -0.7, 0], [0.3, -0.2, 1.1]])
def test_it_is_the_covariance_of_poses_that_are_moved_one_by_one(lever):
    generator = np.random.default_rng(3)
    root = generator.normal(size=(6, 6)) * 0.01
    covariance = root @ root.T
    errors = generator.multivariate_normal(np.zeros(6), covariance, size=200_000)
    turns = Rotation.from_rotvec(errors[:, 3:])
    moved = errors.copy()
    moved[:, :3] += turns.apply(lever) - lever
    expected = np.cov(moved.T, bias=True)
    np.testing.assert_allclose(
        carried_covariance(covariance, lever), expected, atol=0.02 * covariance.max()
    )


def test_there_and_back_is_as_before():
    covariance = np.diag([1.0, 2, 3, 4, 5, 6])
    there = carried_covariance(covariance, [1, 2, 3])
    np.testing.assert_allclose(carried_covariance(there, [-1, -2, -3]), covariance, atol=1e-12)
