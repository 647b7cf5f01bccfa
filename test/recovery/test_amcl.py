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
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Pose, Quaternion
from posenet_ros.recovery.amcl import acceptable_covariance, initial_pose, objections
import pytest
from scipy.spatial.transform import Rotation

RIGHT = Quaternion(1.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize('seed', range(40))
def test_no_entry_is_negative_and_nothing_is_surer(seed):
    """The result less the original has no negative eigenvalue, whatever the covariance."""
    rng = np.random.default_rng(seed)
    spread = rng.normal(size=(6, 6 + seed % 7)) * 10.0 ** rng.uniform(-3, 1, (6, 1))
    covariance = spread @ spread.T + 1e-9 * np.eye(6)
    found = acceptable_covariance(covariance)
    assert (found >= 0).all()
    np.testing.assert_array_equal(found, found.T)
    scale = 1 / np.sqrt(np.diag(found))
    added = (found - covariance) * scale[:, None] * scale[None, :]
    assert np.linalg.eigvalsh(added)[0] > -1e-12
    assert objections(RIGHT, found) == ()


def test_what_is_acceptable_stays_as_it_is():
    covariance = np.eye(6) + 0.1
    np.testing.assert_array_equal(acceptable_covariance(covariance), covariance)


def test_a_variance_grows_by_its_correlations():
    covariance = np.diag([4.0, 1, 1, 1, 1, 0.01])
    covariance[0, 5] = covariance[5, 0] = -0.1
    found = acceptable_covariance(covariance)
    # Half correlated: both variances by a half, whatever their units.
    np.testing.assert_allclose(np.diag(found), [6, 1, 1, 1, 1, 0.015])
    assert found[0, 5] == 0


def test_what_is_no_covariance_is_refused():
    with pytest.raises(GeometryError):
        acceptable_covariance(np.zeros((6, 6)))


@pytest.mark.parametrize(
    ('quaternion', 'covariance', 'reason'),
    [
        (Quaternion(1.0001, 0, 0, 0), np.eye(6), 'squared length 1.0002'),
        (Quaternion(np.nan, 0, 0, 0), np.eye(6), 'squared length nan'),
        (RIGHT, np.full((6, 6), np.inf), 'finite'),
        (RIGHT, np.eye(6) - 1e-9, 'negative entry, -1e-09'),
    ],
)
def test_amcl_refuses(quaternion, covariance, reason):
    (said,) = objections(quaternion, covariance)
    assert reason in said


def test_an_initial_pose_has_a_quaternion_of_length_one():
    for turned in Rotation.random(50, random_state=0):
        x, y, z, quaternion = initial_pose(Pose(turned, np.array([1.0, 2, 3]), 'map', 'base'))
        assert (x, y, z) == (1, 2, 3)
        assert abs(sum(part**2 for part in quaternion) - 1) < 1e-15
