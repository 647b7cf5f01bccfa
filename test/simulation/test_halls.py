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
from posenet_ros.geometry import Camera, Pose
from posenet_ros.simulation.halls import make_twins
from posenet_ros.simulation.path import training_offsets
from posenet_ros.simulation.render import NOTHING, render, visible
from posenet_ros.simulation.tour import tour
from posenet_ros.simulation.worlds import SETTINGS
import pytest
from scipy.spatial.transform import Rotation

CAMERA = Camera(320, 240, 208.5, 208.5, 159.5, 119.5)
ROBOT = SETTINGS['twins'].robot
LENGTH, WIDTH, DEEP = 18.0, 12.0, 4.0


@pytest.fixture(scope='module')
def worlds():
    return [make_twins(seed) for seed in (0, 2)]


def looking(x, y, degrees):
    """Return the camera's pose on a robot at a floor point, so many degrees left of x."""
    turn = Rotation.from_euler('z', degrees, degrees=True)
    return Pose(turn, np.array([x, y, 0.0]), 'map', 'base') @ ROBOT.base_from_camera


def twin_of(pose):
    """Return the pose that half a turn about the middle of the world makes of another."""
    turn = Rotation.from_euler('z', 180, degrees=True)
    x, y, z = pose.translation
    return Pose(turn * pose.rotation, np.array([LENGTH - x, WIDTH - y, z]), 'map', 'camera')


def driven(world, laps=1):
    offsets = training_offsets(laps, world.lane.half_width - ROBOT.half_width)
    return tour(world.lane, offsets, robot=ROBOT, rng=np.random.default_rng(0))


def along_a_hall(world, count=24):
    """Return the camera's poses on the way through the first hall, between its corners."""
    cameras = driven(world).of_body(ROBOT.base_from_camera)
    x, y = cameras.translations[:, :2].T
    inside = np.flatnonzero((y < DEEP) & (x > 2.8) & (x < LENGTH - 2.8))
    return [cameras[index] for index in inside[:: len(inside) // count]]


def of_the_passages(world):
    """Tell for each quad whether it belongs to neither hall."""
    ends = np.stack([world.corners, world.corners + world.edges.sum(axis=1)])[..., 1]
    return (ends.max(axis=0) > DEEP + 1e-6) & (ends.min(axis=0) < WIDTH - DEEP - 1e-6)


def images(world, *poses):
    return [render(world, CAMERA, pose).astype(int) for pose in poses]


def test_a_seed_gives_the_same_halls_and_another_others(worlds):
    again = make_twins(0)
    assert len(again.quads) == len(worlds[0].quads)
    for one, other in zip(worlds[0].quads, again.quads):
        np.testing.assert_array_equal(one.corner, other.corner)
        np.testing.assert_array_equal(one.texture, other.texture)
    (one,), (other,) = (images(world, looking(6, 1.4, 0)) for world in worlds)
    assert np.abs(one - other).mean() > 15


def test_each_surface_of_a_hall_is_there_twice_the_same_to_the_texel(worlds):
    for world in worlds:
        halls = [quad for quad, not_in in zip(world.quads, of_the_passages(world)) if not not_in]
        first = [quad for quad in halls if quad.corner[1] < DEEP + 1e-6]
        second = {tuple(np.round(quad.corner, 6)): quad for quad in halls if quad not in first}
        assert len(first) == len(halls) / 2 > 200
        for quad in first:
            turned = np.array([LENGTH, WIDTH, 0]) + [-1, -1, 1] * quad.corner
            assert tuple(np.round(turned, 6)) in second
        painted = sorted(quad.texture.tobytes() for quad in first)
        assert painted == sorted(quad.texture.tobytes() for quad in halls if quad not in first)


def test_nothing_but_the_halls_is_in_sight_for_most_of_their_length(worlds):
    for world in worlds:
        other = of_the_passages(world)
        shares = [other[visible(world, CAMERA, pose).quads].mean() for pose in along_a_hall(world)]
        assert np.mean(np.array(shares) == 0) > 0.8
        assert max(shares) < 0.06


def test_images_at_the_same_place_of_both_halls_are_equal(worlds):
    for world in worlds:
        other = of_the_passages(world)
        for pose in along_a_hall(world, 8):
            seen = ~other[visible(world, CAMERA, pose).quads]
            one, again = images(world, pose, twin_of(pose))
            np.testing.assert_array_equal(one[seen], again[seen])


def test_the_passages_tell_the_ways_between_apart(worlds):
    for world in worlds:
        for y, degrees in ((DEEP, 90), (WIDTH - DEEP, -90)):
            pose = looking(16.6, y, degrees)
            one, other = images(world, pose, twin_of(pose))
            assert (one == other).all(axis=2).mean() < 0.5


def test_there_is_something_to_recognise_everywhere_and_nowhere_to_look_out(worlds):
    sift = cv2.SIFT_create()
    for world in worlds:
        cameras = driven(world).of_body(ROBOT.base_from_camera)
        for index in np.linspace(0, len(cameras) - 1, 16).astype(int):
            assert (visible(world, CAMERA, cameras[index]).quads != NOTHING).all()
            grey = cv2.cvtColor(render(world, CAMERA, cameras[index]), cv2.COLOR_RGB2GRAY)
            assert len(sift.detect(grey)) > 80


def test_everything_is_inside_the_outer_walls(worlds):
    for world in worlds:
        for corners in (world.corners, world.corners + world.edges.sum(axis=1)):
            assert (corners > -1e-6).all() and (corners < np.array(world.size) + 1e-6).all()


def test_a_robot_passes_through_both_halls_and_turns_around(worlds, clearance):
    for world in worlds:
        there = driven(world, laps=5).translations[:, :2]
        assert clearance(world, there).min() > ROBOT.half_width
        assert there[:, 1].min() < 2 and there[:, 1].max() > WIDTH - 2


def test_places_are_named(worlds):
    assert worlds[0].places == {
        'twin hall A': (9.0, 1.4),
        'twin hall B': (9.0, 10.6),
        'east passage': (16.6, 6.0),
        'west passage': (1.4, 6.0),
    }
