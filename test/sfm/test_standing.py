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

"""Frames that odometry says are too close to the one before."""

import numpy as np
from posenet_ros.geometry import NS_PER_S, Trajectory
from posenet_ros.sfm.standing import StandStill
import pytest
from scipy.spatial.transform import Rotation


def path(x=None, yaw_deg=None):
    """One pose every 20 ms."""
    count = len(x if x is not None else yaw_deg)
    x = np.zeros(count) if x is None else np.asarray(x)
    yaw = np.zeros(count) if yaw_deg is None else np.asarray(yaw_deg)
    return Trajectory(
        NS_PER_S + np.arange(count) * 20_000_000,
        Rotation.from_rotvec(np.radians(np.stack([0 * yaw, 0 * yaw, yaw], axis=1))),
        np.stack([x, 0 * x, 0 * x], axis=1),
        'odom',
        'camera',
    )


def at(seconds):
    return NS_PER_S + round(seconds * NS_PER_S)


def test_both_limits_must_be_undercut():
    slow = np.linspace(0, 1, 101)
    still = StandStill(path(x=slow), metres=0.1, radians=np.radians(5))
    assert still.between(at(0), at(0.18))
    assert not still.between(at(0), at(0.22))
    turning = StandStill(path(yaw_deg=100 * slow), metres=0.1, radians=np.radians(5))
    assert turning.between(at(0), at(0.08))
    assert not turning.between(at(0), at(0.12))


def test_limits_of_zero_leave_everything_in():
    still = StandStill(path(x=np.zeros(101)), metres=0.0, radians=0.0)
    assert not still.between(at(0), at(1))


@pytest.mark.parametrize(('first', 'last'), [(-1.0, 0.5), (0.5, 3.0), (-2.0, -1.0)])
def test_where_odometry_knows_nothing_the_camera_moves(first, last):
    still = StandStill(path(x=np.zeros(101)), metres=0.1, radians=0.1)
    assert still.between(at(0.5), at(1.5))
    assert not still.between(at(first), at(last))
