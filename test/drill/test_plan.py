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

"""Trips that are drawn."""

from __future__ import annotations

import math

import numpy as np
from posenet_ros.drill.options import DrillOptions
from posenet_ros.drill.plan import draw_plan, leg_from_elsewhere, Look, rng_of
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.simulation.odometry import OdometryErrors
from posenet_ros.simulation.path import Robot
from posenet_ros.simulation.world import rounded_lane
import pytest


def plans(**chosen):
    options = DrillOptions(**chosen)
    return [draw_plan(options, number) for number in range(400)]


def test_the_same_seed_draws_the_same_trips():
    assert plans(seed=1)[:20] == plans(seed=1)[:20]
    assert plans(seed=1)[:20] != plans(seed=2)[:20]


def test_trips_are_as_they_are_said_to_be():
    drawn = plans()
    assert 20 <= sum(plan.lost for plan in drawn) <= 60
    assert 150 <= sum(plan.standing_s == 0 for plan in drawn) <= 250
    assert {plan.look for plan in drawn} == {Look.BLURRED, Look.COVERED, Look.NOTHING}
    assert all(0.5 <= plan.carried_s <= 4 for plan in drawn)
    assert all(plan.standing_s <= 3 for plan in drawn)
    assert max(abs(plan.veer) for plan in drawn) == pytest.approx(math.radians(20), rel=0.05)


@pytest.mark.parametrize('scenario', ['elsewhere', 'driving'])
def test_only_a_robot_that_is_in_the_map_can_be_lost_in_it(scenario):
    assert not any(plan.lost for plan in plans(scenario=scenario))


def test_a_robot_is_never_set_down_where_it_was_taken(make_plan):
    lane, left = rounded_lane(8.0, 6.0), Spot(4.0, 1.5, 0.0)
    for number in range(25):
        leg = leg_from_elsewhere(
            lane,
            Robot(),
            OdometryErrors(),
            rng_of(DrillOptions(), number, 'leg'),
            make_plan(),
            left,
        )
        assert leg.truth(0).off(left)[0] >= 1.5


def test_parts_of_a_trip_have_chances_of_their_own():
    options = DrillOptions()
    draws = [
        rng_of(options, number, what).random() for number in (0, 1) for what in ('leg', 'plan')
    ]
    assert len(np.unique(draws)) == 4
