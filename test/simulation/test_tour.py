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

import numpy as np
from posenet_ros.simulation.corridor import ring_lane
from posenet_ros.simulation.odometry import drifting
from posenet_ros.simulation.path import training_offsets
from posenet_ros.simulation.tour import alternating, STOP_S, tour
from posenet_ros.simulation.worlds import SETTINGS
import pytest
from scipy.spatial import cKDTree

LANE = ring_lane()
ROBOT = SETTINGS['corridor'].robot
CENTRE = np.array([9.0, 6.0])


def driven(laps, seed=0, **options):
    offsets = training_offsets(laps, LANE.half_width - ROBOT.half_width)
    return tour(LANE, offsets, robot=ROBOT, rng=np.random.default_rng(seed), **options)


def turns(trajectory):
    """Return how often the robot has been around the block, counted to the left, at each time."""
    x, y = (trajectory.translations[:, :2] - CENTRE).T
    return (np.unwrap(np.arctan2(y, x)) - np.arctan2(y[0], x[0])) / (2 * np.pi)


def speeds(trajectory):
    return np.linalg.norm(np.diff(trajectory.translations, axis=0), axis=1) * 50


@pytest.fixture(scope='module')
def one_lap():
    return driven(1)


@pytest.fixture(scope='module')
def five_laps():
    return driven(5)


def test_two_laps_go_one_way_round_and_two_the_other(five_laps):
    done = turns(five_laps)
    assert done.max() == pytest.approx(2, abs=0.02)
    assert done.min() > -0.02
    assert done[-1] == pytest.approx(1, abs=0.02)
    # Out by two, back by two, and out again by one: the way adds up to five.
    assert np.abs(np.diff(done)).sum() == pytest.approx(5, abs=0.1)


def test_the_robot_looks_where_it_goes_even_when_it_turns_around(five_laps):
    step = np.diff(five_laps.translations[:, :2], axis=0)
    moving = np.linalg.norm(step, axis=1) > 1e-3
    way = np.arctan2(step[:, 1], step[:, 0])[moving]
    yaw = five_laps.rotations.as_euler('xyz')[:-1, 2][moving]
    off = (way - yaw + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(off).max() < np.radians(2)


def test_it_walks_and_turns_faster_than_in_a_room(five_laps):
    turning = np.abs(np.diff(np.unwrap(five_laps.rotations.as_euler('xyz')[:, 2]))) * 50
    assert 0.5 < np.median(speeds(five_laps)) < 0.8
    assert speeds(five_laps).max() < ROBOT.speed + 0.01
    assert 1.0 < turning.max() < ROBOT.turn_rate + 0.02


def test_it_stands_still_once_for_some_seconds(one_lap):
    still = np.flatnonzero(speeds(one_lap) < 1e-6)
    assert len(still) / 50 == pytest.approx(STOP_S, abs=0.1)
    assert still[-1] - still[0] == len(still) - 1
    there = one_lap.translations[still]
    assert np.ptp(there, axis=0).max() < 1e-9
    # Not on the white side: standing in front of nothing would teach nothing.
    assert there[0, 0] < 15


def test_time_goes_on_while_it_stands_still(one_lap):
    assert set(np.diff(one_lap.stamps_ns)) == {20_000_000}


def test_each_lap_keeps_to_another_side(five_laps):
    done = turns(five_laps)
    out = five_laps.translations[(done > 0.1) & (done < 0.9), :2]
    first, again = np.array_split(np.arange(len(out)), 2)
    apart = cKDTree(out[first]).query(out[again])[0]
    assert np.median(apart) > 0.2


def test_a_lap_is_of_corridor_length(one_lap):
    assert 44 < speeds(one_lap).sum() / 50 < 50


def test_offsets_alternate_between_the_halves_of_their_range():
    assert alternating(np.array([1.0, 2.0, 3.0, 4.0, 5.0])).tolist() == [1, 4, 2, 5, 3]
    assert alternating(np.array([2.0, 1.0])).tolist() == [1, 2]
    assert alternating(np.array([0.3])).tolist() == [0.3]


def test_the_phase_moves_the_start(one_lap):
    elsewhere = driven(1, phase=0.37)
    assert np.linalg.norm(elsewhere.translations[0] - one_lap.translations[0]) > 10
    np.testing.assert_allclose(one_lap.translations[0, :2], [1.4, 6.0], atol=0.3)


def test_a_seed_repeats_a_drive_and_another_changes_it(one_lap):
    np.testing.assert_array_equal(driven(1).translations, one_lap.translations)
    other = driven(1, seed=1)
    assert len(other) != len(one_lap) or not np.allclose(other.translations, one_lap.translations)


def test_the_heading_of_the_odometry_drifts_by_less_than_a_quarter_turn_in_nine_laps():
    truth = driven(9)
    errors = SETTINGS['corridor'].odometry
    for seed in range(3):
        odometry = drifting(truth, errors, np.random.default_rng(seed))
        turned = odometry.odom_from_base.rotations * truth.rotations.inv()
        drift = np.degrees(np.unwrap(turned.as_euler('xyz')[:, 2]))
        assert 5 < np.abs(drift - drift[0]).max() < 45
