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

import math

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Pose
from posenet_ros.recovery.drift import Reading
from posenet_ros.recovery.fix import Fix, Lack
from posenet_ros.recovery.observation import Kind
from posenet_ros.recovery.planar import flattened, planar_part, PlanarLimits
import pytest
from scipy.spatial.transform import Rotation

LIMITS = PlanarLimits(tilt_rad=math.radians(5), height_m=0.2)


def fix_of(rotation, at, covariance):
    reading = Reading(7, Pose.identity('odom', 'base'), 0.0, 0.0, 0)
    pose = Pose(rotation, np.array(at), 'map', 'base')
    return Fix(7, pose, covariance, Kind.VERIFIED, 3, 4, 2, 9, 0.1, 0.1, 1, reading)


def correlated(seed=0):
    spread = np.random.default_rng(seed).normal(size=(6, 30))
    return 0.01 * spread @ spread.T / 30


def test_height_and_tilt_are_taken_off():
    covariance = correlated()
    turned = Rotation.from_euler('ZYX', (70, 3, -2), degrees=True)
    flat = flattened(fix_of(turned, [1.0, 2.0, 0.1], covariance), LIMITS)
    np.testing.assert_allclose(flat.map_from_base.translation, [1, 2, 0])
    yaw, pitch, roll = flat.map_from_base.rotation.as_euler('ZYX', degrees=True)
    assert (yaw, pitch, roll) == (pytest.approx(70), pytest.approx(0), pytest.approx(0))
    assert flat.covariance[2, 2] == pytest.approx(covariance[2, 2] + 0.01)
    assert flat.covariance[3, 3] > covariance[3, 3]
    assert flat.frames == 3


def test_the_plane_keeps_its_marginal_and_nothing_goes_with_what_was_set():
    covariance = correlated()
    flat = flattened(fix_of(Rotation.from_euler('z', 1), [1.0, 2.0, 0.0], covariance), LIMITS)
    plane = np.ix_([0, 1, 5], [0, 1, 5])
    np.testing.assert_allclose(flat.covariance[plane], covariance[plane])
    assert not flat.covariance[np.ix_([2, 3, 4], [0, 1, 5])].any()
    assert np.linalg.eigvalsh(flat.covariance)[0] > 0


def test_yaw_changes_with_errors_of_tilt_where_the_base_is_tilted():
    rotation = Rotation.from_euler('ZYX', (40, 25, 10), degrees=True)
    error = 1e-6 * np.array([3.0, -2, 1])
    covariance = np.zeros((6, 6))
    covariance[3:, 3:] = np.outer(error, error)
    pose = Pose(rotation, np.zeros(3), 'map', 'base')
    off = Pose(Rotation.from_rotvec(error) * rotation, np.zeros(3), 'map', 'base')
    changed = planar_part(off, covariance)[2] - planar_part(pose, covariance)[2]
    assert planar_part(pose, covariance)[3][2, 2] == pytest.approx(changed**2, rel=1e-4)
    assert planar_part(pose, covariance)[2] == pytest.approx(math.radians(40))


@pytest.mark.parametrize(
    ('angles', 'height', 'reason'),
    [
        ((10, 8, 0), 0.0, 'tilted by 8.0 deg; at most 5.0'),
        ((10, 0, -6), 0.0, 'tilted by 6.0 deg'),
        ((10, 0, 180), 0.0, 'tilted by 180.0 deg'),
        ((10, 0, 0), -0.25, 'at a height of -0.25 m; within 0.20'),
    ],
)
def test_what_is_no_pose_on_a_floor_is_refused_with_the_numbers(angles, height, reason):
    turned = Rotation.from_euler('ZYX', angles, degrees=True)
    none = flattened(fix_of(turned, [0.0, 0, height], np.eye(6)), LIMITS)
    assert none.lack is Lack.TILTED
    assert reason in none.reason


@pytest.mark.parametrize('values', [{'tilt_rad': 2.0}, {'height_m': 0.0}, {'height_m': math.nan}])
def test_limits_that_are_none_are_refused(values):
    with pytest.raises(ConfigError):
        PlanarLimits(**values)
