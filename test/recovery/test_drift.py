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
from posenet_ros.geometry import pose_error
from posenet_ros.recovery.agreement import Stack
from posenet_ros.recovery.drift import Drift, Reading
import pytest

DRIFT = Drift(m_per_m=0.1, m_per_s=0.01, rad_per_m=0.02, rad_per_rad=0.05, rad_per_s=0.001)


def reading(pose, ns, seconds, x, way, turn, y=0.0, yaw_deg=0.0):
    return Reading(ns(seconds), pose(x, y, yaw_deg, target='odom'), way, turn, 0)


def test_errors_grow_with_way_turn_and_time(pose, ns, covariance):
    # Two metres forth, two back, 1 rad of turns and 10 s: where it was, and less sure.
    start, end = reading(pose, ns, 0, 5, 1, 0), reading(pose, ns, 10, 5, 5, 1)
    before = covariance(0.1, 2)
    moved, after = DRIFT.moved(pose(7, 3, 40), before, start, end)
    assert moved.distance(pose(7, 3, 40))[0] < 1e-12
    about = 0.02 * 4 + 0.05 * 1 + 0.001 * 10
    along = 0.1 * 4 + 0.01 * 10
    added = np.diag([along**2 + (about * 4) ** 2] * 3 + [about**2] * 3)
    np.testing.assert_allclose(after, before + added)


def test_errors_of_heading_swing_with_the_way(pose, ns, covariance):
    start, end = reading(pose, ns, 0, 0, 0, 0), reading(pose, ns, 0, 3, 3, 0)
    exact = Drift(0, 0, 0, 0, 0)
    moved, after = exact.moved(pose(0, 0, 90), covariance(0.1, 2), start, end)
    np.testing.assert_allclose(moved.translation, [0, 3, 0], atol=1e-12)
    # Driven along y of the map: the error is across, along x.
    assert after[0, 0] == pytest.approx(0.01 + (3 * math.radians(2)) ** 2)
    assert after[1, 1] == pytest.approx(0.01)


def test_it_goes_back_in_time_as_well(pose, ns, covariance):
    start, end = reading(pose, ns, 2, 1, 1, 0), reading(pose, ns, 1, 0.5, 0.5, 0)
    moved, after = DRIFT.moved(pose(4), covariance(), start, end)
    assert moved.translation[0] == pytest.approx(3.5)
    assert after[0, 0] > covariance()[0, 0]


def test_many_are_moved_as_one_is(pose, ns, covariance):
    starts = [
        reading(pose, ns, second, second, 2 * second, 0.1 * second, y=-second, yaw_deg=20 * second)
        for second in (0.0, 1.0, 2.5)
    ]
    end = reading(pose, ns, 3, 2, 6, 0.3, y=1, yaw_deg=100)
    poses = [pose(1, 2, 30), pose(-4, 0, 170), pose(0, 0, -60)]
    covariances = [covariance(0.1, 3), covariance(0.02, 1), covariance(0.5, 10)]
    moved = Stack.of(poses, covariances).moved(starts, end, DRIFT)
    for index in range(3):
        single, grown = DRIFT.moved(poses[index], covariances[index], starts[index], end)
        np.testing.assert_allclose(moved.positions_N3[index], single.translation, atol=1e-12)
        np.testing.assert_allclose(
            moved.matrices_N33[index], single.rotation.as_matrix(), atol=1e-12
        )
        np.testing.assert_allclose(moved.covariances_N66[index], grown, atol=1e-12)


def test_a_drifting_drive_stays_within_what_is_told(pose, ns, covariance):
    # Odometry that is 2 % too long and turns 1 deg a metre: inside the defaults.
    truth = pose(math.sin(0.5) / 0.25, (1 - math.cos(0.5)) / 0.25, math.degrees(0.5))
    false = 0.5 + math.radians(1) * 2
    rate = false / 2.04
    end = Reading(
        ns(4),
        pose(
            math.sin(false) / rate,
            (1 - math.cos(false)) / rate,
            math.degrees(false),
            target='odom',
        ),
        2.04,
        false,
        0,
    )
    tiny = covariance(1e-3, 1e-2)
    moved, after = Drift().moved(pose(), tiny, Reading(0, pose(target='odom'), 0, 0, 0), end)
    error = pose_error(moved, truth)
    assert np.linalg.norm(error[:3]) > 0.02
    assert error @ np.linalg.solve(after, error) < 6


def test_odometry_is_not_better_than_exact():
    with pytest.raises(ConfigError, match='rad_per_m must be at least 0'):
        Drift(rad_per_m=-0.1)
