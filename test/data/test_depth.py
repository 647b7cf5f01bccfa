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

"""Depths between known points, and images seen from cameras that were moved."""

from __future__ import annotations

import cv2
import numpy as np
from posenet_ros.data.augmentation import seen_turned
from posenet_ros.data.depth import COLUMNS, FEWEST_POINTS, inverse_depths, ROWS, seen_moved
from posenet_ros.geometry import Camera
import pytest
from scipy.spatial.transform import Rotation

CAMERA = Camera(240, 180, 200.0, 200.0, 119.5, 89.5)
STILL = Rotation.identity()
WHOLE = ((0, 0), (180, 240))
WALL = np.full((ROWS, COLUMNS), 0.5, dtype=np.float32)  # two metres away


def spot(x, y):
    """Return a black image with one white spot."""
    rgb = np.zeros((180, 240, 3), dtype=np.uint8)
    cv2.circle(rgb, (x, y), 4, (255, 255, 255), -1)
    return rgb


def centre(rgb):
    """Return where the spot is, x and y."""
    weights = rgb[..., 0].astype(float)
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


def some_pixels(count=200):
    return np.random.default_rng(0).uniform((0, 0), (239, 179), (count, 2))


def test_the_depth_of_a_wall_is_the_same_everywhere():
    inverse = inverse_depths(some_pixels(), np.full(200, 4.0), 240, 180)
    assert inverse.shape == (ROWS, COLUMNS)
    assert inverse == pytest.approx(np.full((ROWS, COLUMNS), 0.25))


def test_a_floor_gets_nearer_towards_the_bottom():
    pixels = some_pixels(600)
    # A floor 1 m below the camera: depth = f / (y - cy), so inverse depth is linear in y.
    pixels = pixels[pixels[:, 1] > 100]
    inverse = inverse_depths(pixels, 200 / (pixels[:, 1] - 89.5), 240, 180)
    below = inverse[11:17].mean(axis=1)
    y = (np.arange(11, 17) + 0.5) * 10 - 0.5
    assert below == pytest.approx((y - 89.5) / 200, abs=0.03)


def test_few_points_are_no_depth():
    few = FEWEST_POINTS - 1
    assert inverse_depths(some_pixels(few), np.ones(few), 240, 180) is None
    assert inverse_depths(some_pixels(few + 1), np.ones(few + 1), 240, 180) is not None


@pytest.mark.parametrize(
    ('moved_to', 'expected'),
    [
        # f / depth = 100 pixels a metre, and things go the other way than the camera.
        ((0.2, 0.0, 0.0), (150 - 20, 80)),
        ((0.0, -0.15, 0.0), (150, 80 + 15)),
        # Half as far away, everything is twice as far from the middle.
        ((0.0, 0.0, 1.0), (119.5 + 2 * 30.5, 89.5 - 2 * 9.5)),
    ],
)
def test_a_wall_moves_in_the_image_as_geometry_says(moved_to, expected):
    seen = seen_moved(spot(150, 80), WALL, CAMERA, STILL, np.array(moved_to), *WHOLE)
    assert centre(seen) == pytest.approx(np.array(expected), abs=0.6)


def test_near_things_move_further_than_far_ones():
    inverse = WALL.copy()
    inverse[:, : COLUMNS // 2] = 0.125
    # Its right half is 2 m away, the left one 8 m.
    for x, pixels in ((60, 5), (190, 20)):
        seen = seen_moved(spot(x, 90), inverse, CAMERA, STILL, np.array([0.2, 0.0, 0.0]), *WHOLE)
        assert centre(seen)[0] == pytest.approx(x - pixels, abs=1.5)


def test_a_camera_that_only_turns_needs_no_depth():
    turn = Rotation.from_euler('xyz', (3, -4, 6), degrees=True)
    rgb = cv2.GaussianBlur(
        np.random.default_rng(2).integers(0, 255, (180, 240, 3), dtype=np.uint8), (0, 0), 4
    )
    seen = seen_moved(rgb, WALL, CAMERA, turn, np.zeros(3), (20, 30), (120, 160))
    turned = seen_turned(rgb, CAMERA, turn, (20, 30), (120, 160))
    assert seen.shape == turned.shape == (120, 160, 3)
    assert np.abs(seen.astype(int) - turned).max() <= 2


def test_turn_and_move_are_in_the_frame_of_the_camera_that_took_the_image():
    turn = Rotation.from_euler('y', 10, degrees=True)
    moved_to = np.array([0.3, 0.1, 0.2])
    seen = seen_moved(spot(150, 80), WALL, CAMERA, turn, moved_to, *WHOLE)
    ray = np.array([(150 - 119.5) / 200, (80 - 89.5) / 200, 1.0])
    point = turn.inv().apply(2.0 * ray - moved_to)
    assert centre(seen) == pytest.approx(CAMERA.project(point)[0], abs=1.0)


def test_the_crop_is_a_part_of_the_whole():
    moved_to = np.array([0.1, 0.0, 0.3])
    whole = seen_moved(spot(150, 80), WALL, CAMERA, STILL, moved_to, *WHOLE)
    part = seen_moved(spot(150, 80), WALL, CAMERA, STILL, moved_to, (30, 50), (100, 150))
    assert np.abs(part.astype(int) - whole[30:130, 50:200]).max() <= 2


def test_behind_the_wall_there_is_nothing_to_see():
    beyond = np.array([0.0, 0.0, 3.0])
    assert seen_moved(spot(150, 80), WALL, CAMERA, STILL, beyond, *WHOLE) is None
