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
from posenet_ros.errors import GeometryError
from posenet_ros.recovery.belief import Belief, compare, difference
from posenet_ros.recovery.drift import Drift, Reading
from posenet_ros.recovery.fix import Fix
from posenet_ros.recovery.observation import Kind
from posenet_ros.recovery.odometry import Missing, OdometryBuffer
import pytest


@pytest.fixture
def fix(pose, covariance):
    reading = Reading(7, pose(target='odom'), 0.0, 0.0, 0)
    return Fix(7, pose(), covariance(0.3, 3), Kind.VERIFIED, 3, 3, 2, 9, 0.1, 0.1, 1, reading)


def test_distances_are_in_units_of_the_joint_covariance(pose, covariance, fix):
    told = difference(fix, Belief(7, pose(1.0), covariance(0.4, 4)), planar=True)
    # The covariance is not taken for more than 5 cm, and this one is larger.
    assert (told.metres, told.radians) == (pytest.approx(1), pytest.approx(0))
    assert told.deviations == pytest.approx(2)
    # Of three numbers, 2 deviations or more come with a chance of 26 %.
    assert told.chance == pytest.approx(0.2615, abs=1e-3)


def test_on_a_floor_height_does_not_count(pose, covariance, fix):
    belief = Belief(7, pose(z=3.0), covariance(0.4, 4))
    assert difference(fix, belief, planar=True).deviations == 0
    assert difference(fix, belief, planar=False).metres == pytest.approx(3)


def test_headings_are_compared_the_short_way_round(pose, covariance):
    told = compare(pose(0, 0, 175), covariance(), pose(0, 0, -175), covariance(), True)
    assert told.radians == pytest.approx(math.radians(10))


def test_two_instants_are_not_compared(pose, fix):
    with pytest.raises(GeometryError, match=r'0\.001 s later'):
        difference(fix, Belief(1_000_007, pose()), planar=True)


def test_it_is_moved_by_odometry(pose, covariance, ns):
    buffer = OdometryBuffer()
    for tenth in range(11):
        buffer.add(ns(tenth / 10), pose(tenth / 10, target='odom'))
    belief = Belief(ns(0.2), pose(5, 0, 90), covariance(0.2, 2))
    moved = belief.moved(ns(0.8), buffer, Drift())
    np.testing.assert_allclose(moved.map_from_base.translation, [5, 0.6, 0], atol=1e-9)
    assert moved.told_or_usual[0, 0] > belief.told_or_usual[0, 0]
    assert belief.moved(ns(0.2), OdometryBuffer(), Drift()) is belief
    assert isinstance(belief.moved(ns(3), buffer, Drift()), Missing)


def test_a_covariance_with_zeros_of_a_localizer_on_a_floor_is_taken(pose):
    told = np.diag([0.04, 0.09, 0, 0, 0, 0.01])
    taken = Belief(7, pose(), told).told_or_usual
    assert np.linalg.eigvalsh(taken)[0] > 0
    assert taken[0, 0] >= 0.04
    # None is surer than a few centimetres, and none at all is a usual one.
    assert Belief(7, pose(), 1e-9 * np.eye(6)).told_or_usual[0, 0] >= 0.05**2
    assert Belief(7, pose()).told_or_usual[0, 0] == pytest.approx(0.04)


@pytest.mark.parametrize('told', [np.full((6, 6), np.nan), -np.eye(6), np.eye(3)])
def test_what_is_no_covariance_is_refused(pose, told):
    with pytest.raises(GeometryError):
        Belief(7, pose(), told)


def test_a_belief_is_of_the_base(pose):
    with pytest.raises(GeometryError, match='map_from_base'):
        Belief(7, pose(target='odom'))
