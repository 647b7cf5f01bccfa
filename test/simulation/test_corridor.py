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

from dataclasses import replace

import cv2
import numpy as np
from posenet_ros.geometry import Camera, Pose
from posenet_ros.simulation.corridor import make_corridor
from posenet_ros.simulation.path import Robot, training_offsets
from posenet_ros.simulation.render import NOTHING, render, visible
from posenet_ros.simulation.ring import sides
from posenet_ros.simulation.tour import tour
import pytest
from scipy.spatial.transform import Rotation

CAMERA = Camera(320, 240, 208.5, 208.5, 159.5, 119.5)
LENGTH, WIDTH, ACROSS = 18.0, 12.0, 2.8
# The stretch around the first twin door, from the outer wall to the inner one.
BAY = np.array([[10.2, 0.0], [15.2, 2.8]])


@pytest.fixture(scope='module')
def corridors():
    return [make_corridor(seed) for seed in (0, 2)]


def looking(x, y, degrees):
    """Return the camera's pose on a robot at a floor point, so many degrees left of x."""
    turn = Rotation.from_euler('z', degrees, degrees=True)
    map_from_base = Pose(turn, np.array([x, y, 0.0]), 'map', 'base')
    return map_from_base @ Robot().base_from_camera


def features(world, pose):
    grey = cv2.cvtColor(render(world, CAMERA, pose), cv2.COLOR_RGB2GRAY)
    return len(cv2.SIFT_create().detect(grey))


def around(world, backwards=False):
    """Return the camera's poses at places all along the lane."""
    middle = world.lane.middle[::-1] if backwards else world.lane.middle
    driven = tour(
        replace(world.lane, middle=middle), [0.0], robot=Robot(), rng=np.random.default_rng(0)
    )
    cameras = driven.of_body(Robot().base_from_camera)
    return [cameras[index] for index in np.linspace(0, len(cameras) - 1, 50).astype(int)]


def test_a_seed_gives_the_same_corridor(corridors):
    again = make_corridor(0)
    assert len(again.quads) == len(corridors[0].quads)
    for one, other in zip(corridors[0].quads, again.quads):
        np.testing.assert_array_equal(one.corner, other.corner)
        np.testing.assert_array_equal(one.texture, other.texture)


def test_another_seed_gives_another_corridor(corridors):
    one, other = (render(each, CAMERA, looking(4, 1.4, 0)).astype(int) for each in corridors)
    assert np.abs(one - other).mean() > 15


def test_everything_is_inside_the_outer_walls(corridors):
    for world in corridors:
        assert world.size == (LENGTH, WIDTH, 2.6)
        ends = world.corners + world.edges.sum(axis=1)
        for corners in (world.corners, ends):
            assert (corners > -1e-6).all() and (corners < np.array(world.size) + 1e-6).all()


@pytest.mark.parametrize('backwards', [False, True])
def test_there_is_nowhere_to_look_out(corridors, backwards):
    for world in corridors:
        for pose in around(world, backwards)[::5]:
            assert (visible(world, CAMERA, pose).quads != NOTHING).all()


def test_a_robot_passes_on_both_sides_and_turns_around(corridors, clearance):
    robot = Robot()
    for world in corridors:
        offsets = training_offsets(5, world.lane.half_width - robot.half_width)
        driven = tour(world.lane, offsets, robot=robot, rng=np.random.default_rng(0))
        assert clearance(world, driven.translations[:, :2]).min() > robot.half_width


def test_the_lane_is_a_loop_of_corridor_length(corridors):
    middle = corridors[0].lane.middle
    closed = np.vstack([middle, middle[:1]])
    assert 40 < np.linalg.norm(np.diff(closed, axis=0), axis=1).sum() < 60


def test_the_lane_begins_half_way_along_a_side_whichever_way_it_goes(corridors):
    middles = [world.lane.middle for world in corridors]
    for middle in middles:
        np.testing.assert_array_equal(middle[0], [1.4, 6.0])
    assert {bool(middle[1, 1] < 6.0) for middle in middles} == {True, False}


@pytest.mark.parametrize(
    'place',
    [(16.6, y, 90) for y in (2.5, 3.5, 4.5)] + [(16.6, y, -90) for y in (9.5, 7.5, 5.5, 3.5)],
)
def test_there_is_next_to_nothing_to_see_on_the_white_side(corridors, place):
    assert max(features(world, looking(*place)) for world in corridors) < 70


@pytest.mark.parametrize(
    'place',
    [(x, 1.4, 0) for x in (2, 5, 8)] + [(1.4, y, way) for y in (4, 7) for way in (90, -90)],
)
def test_there_is_something_to_recognise_on_the_furnished_sides(corridors, place):
    assert min(features(world, looking(*place)) for world in corridors) > 100


def test_the_surroundings_of_the_doors_are_the_same_to_the_texel(corridors):
    for world in corridors:
        corners = np.stack([world.corners, world.corners + world.edges.sum(axis=1)], axis=1)
        low, high = corners.min(axis=1)[:, :2], corners.max(axis=1)[:, :2]
        inside = (low > BAY[0] - 1e-6).all(axis=1) & (high < BAY[1] + 1e-6).all(axis=1)
        first = [world.quads[index] for index in np.flatnonzero(inside)]
        # Shell, what hangs on it, an extinguisher of two boxes, two lamps.
        assert len(first) == 4 + 5 + 12 + 2
        for quad in first:
            turned = np.array([LENGTH, WIDTH, 0]) + [-1, -1, 1] * quad.corner
            same = [
                other
                for other in world.quads
                if np.allclose(other.corner, turned)
                and np.allclose(other.edge_u, [-1, -1, 1] * quad.edge_u)
                and np.array_equal(other.texture, quad.texture)
            ]
            assert len(same) == 1


@pytest.mark.parametrize(('x', 'degrees'), [(8.5, 0), (9.5, 0), (9.5, 8), (15.2, 180)])
def test_the_doors_look_alike_from_places_metres_apart(corridors, x, degrees):
    for world in corridors:
        first = looking(x, 1.4, degrees)
        second = looking(LENGTH - x, WIDTH - 1.4, degrees + 180)
        one, other = (render(world, CAMERA, pose).astype(int) for pose in (first, second))
        assert ((one == other).all(axis=2)).mean() > 0.8
        assert features(world, first) > 80
        assert np.linalg.norm(first.translation - second.translation) > 6


def test_the_doors_can_be_told_apart_from_elsewhere(corridors):
    for world in corridors:
        one, other = (
            render(world, CAMERA, pose).astype(int)
            for pose in (looking(6, 1.4, 0), looking(LENGTH - 6, WIDTH - 1.4, 180))
        )
        assert (one == other).all(axis=2).mean() < 0.3


def test_places_are_named(corridors):
    assert corridors[0].places == {
        'twin door A': (12.7, 0.0),
        'white side': (15.2, 6.0),
        'twin door B': (5.3, 12.0),
    }


def test_the_sides_follow_one_another_with_the_block_to_the_left():
    ring = sides()
    for side, following in zip(ring, (*ring[1:], ring[0])):
        np.testing.assert_allclose(side.at(side.length), following.at(0.0), atol=1e-12)
        np.testing.assert_allclose(side.left, following.ahead, atol=1e-12)
    inner, outer = ring[1].inner((3.0, 5.0)), ring[1].outer((3.0, 5.0))
    np.testing.assert_allclose(inner.at(0.0), [LENGTH - ACROSS, 3.0, 0.0])
    np.testing.assert_allclose(outer.at(0.0), [LENGTH, 5.0, 0.0])
    np.testing.assert_allclose(inner.at(0.5, 0.1), [LENGTH - ACROSS + 0.1, 3.5, 0.0])
    np.testing.assert_allclose(outer.at(0.5, 0.1), [LENGTH - 0.1, 4.5, 0.0])
