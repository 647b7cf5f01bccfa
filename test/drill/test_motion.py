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

"""A robot that drives, stands and is carried, and its wheels, which know only of the former."""

from __future__ import annotations

import math

import numpy as np
from posenet_ros.drill.leg import Leg
from posenet_ros.drill.motion import Flight, Motion
from posenet_ros.recovery.rehearsal.floor import Spot
import pytest


def along_x(x=0.0, seconds=10):
    """A leg of 1 m/s along x, of which odometry says 10 % more."""
    way = np.arange(50 * seconds + 1) / 50
    zeros = np.zeros_like(way)
    return Leg(
        np.stack([x + way, zeros, zeros], axis=1), np.stack([1.1 * way, zeros, zeros], axis=1)
    )


@pytest.fixture
def motion():
    motion = Motion()
    motion.put(along_x())
    return motion


def test_it_drives_along_its_leg_and_what_comes_is_known(motion):
    motion.advance(2.0)
    assert motion.spot() == pytest.approx((2, 0, 0))
    assert motion.spot(0.5) == pytest.approx((2.5, 0, 0))
    assert motion.odometry == pytest.approx((2.2, 0, 0))


def test_it_stands_where_it_does_not_drive(motion):
    motion.advance(2.0)
    motion.driving = False
    motion.advance(5.0)
    assert motion.spot(1.0) == pytest.approx((2, 0, 0))
    motion.driving = True
    motion.advance(1.0)
    assert motion.spot() == pytest.approx((3, 0, 0))


def test_in_the_air_it_moves_and_its_wheels_do_not(motion):
    motion.advance(2.0)
    motion.lift(Spot(6.0, 4.0, 1.0), 4.0)
    motion.advance(1.0)
    assert motion.in_the_air
    assert motion.spot() == pytest.approx((3, 1, 0.25))
    motion.advance(9.0)
    assert motion.spot() == pytest.approx((6, 4, 1))
    assert motion.odometry == pytest.approx((2.2, 0, 0))


def test_odometry_goes_on_from_where_the_robot_was_taken(motion):
    motion.advance(2.0)
    motion.lift(Spot(5.0, 0.0, 0.0), 1.0)
    motion.advance(1.0)
    motion.put(along_x(5.0))
    assert not motion.in_the_air
    motion.advance(1.0)
    assert motion.spot() == pytest.approx((6, 0, 0))
    assert motion.odometry == pytest.approx((3.3, 0, 0))


def test_what_is_decided_anew_is_counted(motion):
    before = motion.changes
    motion.advance(1.0)
    assert motion.changes == before
    motion.lift(Spot(1, 1, 1), 1.0)
    motion.put(along_x())
    motion.driving = False
    assert motion.changes == before + 3


def test_through_the_air_it_turns_the_short_way():
    flight = Flight(Spot(0, 0, 3.0), Spot(0, 0, -3.0), 2.0)
    assert abs(flight.at(1.0).yaw) == pytest.approx(math.pi)
    assert flight.at(-1.0) == pytest.approx((0, 0, 3.0))
