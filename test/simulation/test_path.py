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
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.simulation.path import drive, Robot, training_offsets, unseen_offsets
from posenet_ros.simulation.world import rounded_lane
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

LANE = rounded_lane(8.0, 6.0)
HALF = LANE.half_width - Robot().half_width


def driven(offsets, seed=0, **options):
    rng = np.random.default_rng(seed)
    return drive(LANE, offsets, robot=options.pop('robot', Robot()), rng=rng, **options)


def yaw(trajectory):
    return np.unwrap(trajectory.rotations.as_euler('xyz')[:, 2])


@pytest.fixture(scope='module')
def three_laps():
    return driven(training_offsets(3, HALF))


def test_speed_turning_and_acceleration_stay_within_the_robots_limits(three_laps):
    speed = np.linalg.norm(np.diff(three_laps.translations, axis=0), axis=1) * 50
    turning = np.diff(yaw(three_laps)) * 50
    assert 0.55 < np.median(speed) <= 0.6 + 1e-3 and speed.max() < 0.61
    assert np.abs(turning).max() < 0.72
    assert np.abs(np.diff(speed) * 50).max() < 0.8


def test_the_robot_stays_on_the_floor_and_looks_where_it_goes(three_laps):
    assert (three_laps.translations[:, 2] == 0).all()
    tilt = three_laps.rotations.as_euler('xyz')[:, :2]
    assert np.abs(tilt).max() < 1e-9
    step = np.diff(three_laps.translations[:, :2], axis=0)
    way = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
    middle = (yaw(three_laps)[1:] + yaw(three_laps)[:-1]) / 2
    off = (way - middle + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(off).max() < np.radians(1)


def test_each_lap_goes_once_around(three_laps):
    assert abs(yaw(three_laps)[-1] - yaw(three_laps)[0]) == pytest.approx(6 * np.pi, abs=0.3)
    centred = three_laps.translations[:, :2] - [4.0, 3.0]
    assert np.linalg.norm(centred, axis=1).min() > 1.0


def test_stamps_follow_the_rate(three_laps):
    assert three_laps.stamps_ns[0] == 0
    assert set(np.diff(three_laps.stamps_ns)) == {NS_PER_S // 50}


def test_an_unseen_lap_lies_between_the_laps_driven_before(three_laps):
    unseen = driven(unseen_offsets(3, HALF)[:1], seed=9, phase=0.4)
    apart = cKDTree(three_laps.translations).query(unseen.translations)[0]
    assert np.median(apart) > 0.1
    assert apart.max() < 0.35


@pytest.mark.parametrize('laps', [1, 2, 3, 5])
def test_offsets_fill_the_lane_and_unseen_ones_avoid_them(laps):
    taught, unseen = training_offsets(laps, 0.6), unseen_offsets(laps, 0.6)
    assert len(taught) == laps and np.abs(taught).max() < 0.6
    assert np.abs(taught[:, None] - unseen).min() >= 0.6 / laps / 2 - 1e-12
    assert np.abs(unseen).max() < 0.6


def test_an_offset_is_to_the_left():
    left, right = driven([0.4]), driven([-0.4])
    # The lane runs to the left around the middle of the room, so the left is the inside.
    inner = np.linalg.norm(left.translations[:, :2] - [4, 3], axis=1).mean()
    outer = np.linalg.norm(right.translations[:, :2] - [4, 3], axis=1).mean()
    assert inner < outer - 0.6


def test_a_seed_repeats_a_drive_and_another_changes_it():
    first, same, other = driven([0.0]), driven([0.0]), driven([0.0], seed=1)
    np.testing.assert_array_equal(first.translations, same.translations)
    assert len(first) != len(other) or np.abs(first.translations - other.translations).max() > 0.01


def test_the_phase_moves_the_start():
    start, half_way = driven([0.0]).translations[0], driven([0.0], phase=0.5).translations[0]
    assert np.linalg.norm(start - half_way) > 3


def test_a_robot_that_veers_steers_back_without_sliding():
    straight, veering = driven([0.0]), driven([0.0], veer=np.radians(20))
    assert np.degrees(yaw(veering)[0] - yaw(straight)[0]) == pytest.approx(20, abs=1)
    assert np.linalg.norm(veering.translations[0] - straight.translations[0]) < 1e-3
    apart = cKDTree(straight.translations).query(veering.translations)[0]
    assert 0.04 < apart.max() < 0.12
    assert apart[len(apart) // 2 :].max() < 0.01
    step = np.diff(veering.translations[:, :2], axis=0)
    way = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
    assert np.abs(way - yaw(veering)[1:]).max() < np.radians(2)


def test_a_robot_stands_where_it_is_told_to():
    stopping = driven([0.0], stops={0.0: 2.0, 5.0: 3.0})
    moved = np.linalg.norm(np.diff(stopping.translations, axis=0), axis=1)
    assert stopping.stamps_ns[-1] - driven([0.0]).stamps_ns[-1] > 5 * NS_PER_S
    assert moved[:95].max() < 1e-3
    assert (moved[100:] < 1e-4).sum() == pytest.approx(150, abs=15)


def test_a_slower_robot_takes_longer():
    assert len(driven([0.0], robot=Robot(speed=0.3))) > 1.7 * len(driven([0.0]))


def test_the_camera_looks_ahead_and_a_little_up():
    robot = Robot(camera_pitch=0.1)
    map_from_base = Pose(Rotation.from_euler('z', np.pi / 2), [1.0, 2.0, 0.0], 'map', 'base')
    camera = map_from_base @ robot.base_from_camera
    ahead = camera.rotation.apply([0, 0, 1])
    np.testing.assert_allclose(ahead, [0, np.cos(0.1), np.sin(0.1)], atol=1e-9)
    right = camera.rotation.apply([1, 0, 0])
    np.testing.assert_allclose(right, [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(camera.translation, [1 - 0.03, 2 + 0.16, 0.78], atol=1e-9)
