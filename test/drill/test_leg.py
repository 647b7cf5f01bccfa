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

"""A drive of the robot: where it begins, and what odometry says of it."""

from __future__ import annotations

import math

import numpy as np
from posenet_ros.drill.leg import draw_leg, Leg, times_worse
from posenet_ros.recovery.rehearsal.floor import Spot, wrapped
from posenet_ros.simulation.odometry import OdometryErrors
from posenet_ros.simulation.path import paced, Robot
from posenet_ros.simulation.world import rounded_lane
import pytest

LANE = rounded_lane(8.0, 6.0)
NONE = OdometryErrors(0.0, 0.0, 0.0, 0.0, 0.0)


def drawn(seed=0, errors=NONE, **chosen):
    rng = np.random.default_rng(seed)
    return draw_leg(LANE, Robot(), errors, rng, **{'seconds': 20.0, **chosen})


def test_between_two_samples_the_robot_is_between_them():
    leg = Leg(np.array([[0, 0, 3.1], [1, 2, 3.3]]), np.zeros((2, 3)))
    assert leg.seconds == pytest.approx(0.02)
    assert leg.truth(0.01) == (0.5, 1.0, pytest.approx(3.2 - 2 * math.pi))


def test_before_and_after_a_leg_the_robot_stands():
    leg = Leg(np.array([[0.0, 0, 0], [1, 0, 0]]), np.zeros((2, 3)))
    assert leg.truth(-1) == (0, 0, 0)
    assert leg.truth(99) == (1, 0, 0)
    assert Leg.standing(Spot(1, 2, 3)).truth(5) == (1, 2, 3)


def test_a_leg_lasts_and_is_the_same_for_the_same_seed():
    assert drawn().seconds >= 20
    np.testing.assert_array_equal(drawn().truth_N3, drawn().truth_N3)
    assert drawn(1).truth(0) != drawn().truth(0)


def test_it_begins_standing_with_a_heading_that_is_off_the_lanes():
    leg = drawn(standing_s=2.0, veer=math.radians(20))
    assert leg.truth(0).off(leg.truth(1.9)) == (pytest.approx(0, abs=0.01), pytest.approx(0))
    middle, left = paced(LANE, 0.0)
    nearest = np.argmin(np.linalg.norm(middle - leg.truth(0)[:2], axis=1))
    along = math.atan2(*left[nearest]) * -1
    assert wrapped(leg.truth(0).yaw - along) == pytest.approx(math.radians(20), abs=0.06)
    # Some metres on it drives along the lane again.
    later = leg.truth(10)
    nearest = np.argmin(np.linalg.norm(middle - later[:2], axis=1))
    assert abs(wrapped(later.yaw - -math.atan2(*left[nearest]))) < math.radians(10)


def test_odometry_begins_at_nothing_and_is_right_without_errors():
    leg = drawn()
    assert leg.odometry(0) == (0, 0, 0)
    moved = leg.truth(0).inverse() @ leg.truth(15)
    assert leg.odometry(15).off(moved) == (pytest.approx(0, abs=0.02), pytest.approx(0, abs=1e-6))


def test_errors_of_odometry_that_are_doubled_carry_it_twice_as_far_off():
    usual = OdometryErrors(distance_noise=0, heading_noise=0, turn_noise=0, heading_drift=0)
    off = [
        drawn(errors=times_worse(usual, times)).odometry(15).off(drawn().odometry(15))[0]
        for times in (1, 2)
    ]
    assert off[0] > 0.01
    assert off[1] == pytest.approx(2 * off[0], rel=1e-6)
