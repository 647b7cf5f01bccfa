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

"""Rooms seen by a camera in a hand."""

import math

import numpy as np
from posenet_ros.data.capture import Capture
from posenet_ros.data.images import read_image
from posenet_ros.data.pairs import find_pairs
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera
from posenet_ros.simulation.render import visible
from posenet_ros.simulation.views import free_views, write_views
from posenet_ros.simulation.world import make_world, World
import pytest

CAMERA = Camera(64, 48, 48.0, 48.0, 31.5, 23.5)


@pytest.fixture(scope='module')
def world():
    return make_world(3)


@pytest.fixture(scope='module')
def views(world):
    return free_views(world, CAMERA, 80, np.random.default_rng(0))


def test_cameras_are_in_the_room_and_in_nothing_that_stands_there(world, views):
    for pose in views:
        assert (pose.translation > 0.29).all()
        assert (pose.translation < np.array(world.size) - 0.29).all()
        # From inside of a box nothing but its back sides would be there, which nobody sees.
        assert (visible(world, CAMERA, pose).quads >= 0).mean() > 0.99


def test_they_are_held_at_any_height_tilted_and_rolled(views):
    heights = [pose.translation[2] for pose in views]
    assert np.std(heights) > 0.3
    up = np.array([-pose.rotation.as_matrix()[2, 1] for pose in views])
    tilts = np.degrees(np.arccos(np.clip(up, -1, 1)))
    assert 8 < np.median(tilts) < 30
    headings = [math.atan2(*pose.rotation.as_matrix()[1::-1, 2]) for pose in views]
    counts, _ = np.histogram(headings, 4, (-math.pi, math.pi))
    assert counts.min() > 0


def test_many_of_them_are_pairs(views):
    pairs = find_pairs(views, CAMERA)
    assert len(set(pairs.first_P) | set(pairs.second_P)) > 0.9 * len(views)
    # From less than a hand's breadth to more than a stride.
    assert np.percentile(pairs.distance_P, 10) < 0.15
    assert np.percentile(pairs.distance_P, 90) > 0.6
    assert np.percentile(pairs.angle_P, 10) < math.radians(7)
    assert np.percentile(pairs.angle_P, 90) > math.radians(20)


def test_nothing_is_looked_at_from_right_before_it(world, views):
    for pose in views:
        nearness = visible(world, CAMERA, pose).inverse_depth
        assert (nearness > 1 / 0.4).mean() < 0.3


def test_a_seed_is_a_capture_and_the_same_one_again(tmp_path):
    told = []
    capture = write_views(
        tmp_path / 'a', 5, count=3, size=(64, 48), frame_done=lambda: told.append(1)
    )
    assert len(told) == 3
    again = write_views(tmp_path / 'b', 5, count=3, size=(64, 48))
    read = Capture.open(tmp_path / 'a')
    assert read.camera == capture.camera == again.camera
    assert (read.camera.width, read.camera.height) == (64, 48)
    for one, other in zip(read.frames(), again.frames(), strict=True):
        assert one.map_from_camera.distance(other.map_from_camera) == pytest.approx(
            (0, 0), abs=1e-6
        )
        np.testing.assert_array_equal(read_image(one.image), read_image(other.image))
    other = write_views(tmp_path / 'c', 6, count=3, size=(64, 48))
    assert other.camera.fx != capture.camera.fx


def test_rooms_without_room_are_refused(tmp_path):
    with pytest.raises(ConfigError, match='two views at least'):
        write_views(tmp_path / 'a', 5, count=1)
    closet = World((0.5, 0.5, 2.8), (), (), make_world(0).lane)
    with pytest.raises(ConfigError, match='no free space'):
        free_views(closet, CAMERA, 3, np.random.default_rng(0))
