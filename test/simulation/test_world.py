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

import cv2
import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera
from posenet_ros.simulation.path import drive, Robot, training_offsets
from posenet_ros.simulation.render import NOTHING, render, visible
from posenet_ros.simulation.world import make_world, rounded_lane
import pytest

CAMERA = Camera(320, 240, 208.5, 208.5, 159.5, 119.5)


@pytest.fixture(scope='module')
def others():
    return [make_world(seed) for seed in (1, 2)]


def views(world, count=8, backwards=False):
    """Return the camera's poses at places all along the lane."""
    lane = world.lane
    if backwards:
        lane = type(lane)(lane.middle[::-1], lane.half_width)
    drives = drive(lane, [0.0], robot=Robot(), rng=np.random.default_rng(0))
    cameras = drives.of_body(Robot().base_from_camera)
    return [cameras[index] for index in np.linspace(0, len(cameras) - 1, count).astype(int)]


def test_a_seed_gives_the_same_room(world):
    again = make_world(0)
    assert len(again.quads) == len(world.quads)
    for one, other in zip(world.quads, again.quads):
        np.testing.assert_array_equal(one.corner, other.corner)
        np.testing.assert_array_equal(one.texture, other.texture)


def test_other_seeds_give_other_rooms(world, others):
    pose = views(world)[0]
    images = [render(each, CAMERA, pose).astype(int) for each in (world, *others)]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(images[one] - images[other]).mean() > 15


def test_everything_is_inside_the_room(world, others):
    for room in (world, *others):
        corners = np.concatenate(
            [
                room.corners + a * room.edges[:, 0] + b * room.edges[:, 1]
                for a in (0, 1)
                for b in (0, 1)
            ]
        )
        assert (corners > -1e-6).all()
        assert (corners < np.array(room.size) + 1e-6).all()


def test_a_robot_passes_all_along_the_lane(world, others, clearance):
    robot = Robot()
    for room in (world, *others):
        offsets = training_offsets(3, room.lane.half_width - robot.half_width)
        driven = drive(room.lane, offsets, robot=robot, rng=np.random.default_rng(0))
        assert clearance(room, driven.translations[:, :2]).min() > robot.half_width


def test_the_middle_of_the_lane_is_far_from_walls_and_furniture(world, clearance):
    assert clearance(world, world.lane.middle).min() > 0.5
    # What the furniture stands on is not free, so that the lane's being so means something.
    inside = np.array([box.base[:2] for box in world.boxes if box.base[2] < 1.5])
    np.testing.assert_allclose(clearance(world, inside), 0, atol=1e-9)


@pytest.mark.parametrize('backwards', [False, True])
def test_there_is_something_to_recognise_everywhere(world, others, backwards):
    sift = cv2.SIFT_create()
    for room in (world, *others):
        for pose in views(room, backwards=backwards):
            image = cv2.cvtColor(render(room, CAMERA, pose), cv2.COLOR_RGB2GRAY)
            assert len(sift.detect(image)) > 150
            assert (visible(room, CAMERA, pose).quads != NOTHING).all()


def test_no_two_places_look_alike(world):
    """Thumbnails differ between places by far more than within a step of a decimetre."""
    poses = views(world, count=40)
    small = [
        cv2.resize(render(world, CAMERA, pose), (16, 12)).astype(float) for pose in poses[:-1]
    ]
    apart = [
        np.abs(small[i] - small[j]).mean()
        for i in range(len(small))
        for j in range(i)
        if np.linalg.norm(poses[i].translation - poses[j].translation) > 1
    ]
    assert min(apart) > 8


def test_rooms_come_in_other_sizes_down_to_a_limit(clearance):
    small, large = make_world(0, (5.4, 5.4, 2.8)), make_world(0, (11.0, 7.0, 3.4))
    assert clearance(small, small.lane.middle).min() > 0.4
    assert large.lane.middle[:, 0].max() > 9
    with pytest.raises(ConfigError, match=r'not 4\.0 x 6\.0 x 3\.0'):
        make_world(0, (4.0, 6.0, 3.0))


def test_the_lane_is_closed_and_keeps_to_the_left():
    lane = rounded_lane(8.0, 6.0)
    closed = np.vstack([lane.middle, lane.middle[:1]])
    steps = np.linalg.norm(np.diff(closed, axis=0), axis=1)
    assert 14 < steps.sum() < 18
    x, y = closed.T
    area = 0.5 * (x[:-1] * y[1:] - x[1:] * y[:-1]).sum()
    assert 10 < area < 8 * 6
