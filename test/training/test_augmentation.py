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

import numpy as np
from posenet_ros.data.augmentation import Augmentation, Changes, recolour, seen_turned
from posenet_ros.geometry import Camera
import pytest
from scipy.spatial.transform import Rotation

CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)


def spot(x: int, y: int) -> np.ndarray:
    rgb = np.zeros((48, 64, 3), dtype=np.uint8)
    rgb[y - 1 : y + 2, x - 1 : x + 2] = 255
    return rgb


def centre_of(rgb: np.ndarray) -> np.ndarray:
    weight = rgb[..., 0].astype(float)
    ys, xs = np.indices(weight.shape)
    return np.array([(xs * weight).sum(), (ys * weight).sum()]) / weight.sum()


def test_a_camera_turned_right_sees_things_further_left():
    turn = Rotation.from_euler('y', 10, degrees=True)
    seen = seen_turned(spot(31, 23), CAMERA, turn, (0, 0), (48, 64))
    # y points down, so a positive turn about it is to the right.
    assert centre_of(seen)[0] < 31 - 9


def test_the_turned_label_projects_points_to_where_the_turned_image_has_them():
    camera_from_turned = Rotation.from_euler('xyz', (4, -6, 9), degrees=True)
    pixel = np.array([40.0, 20.0])
    ray = np.array([(pixel[0] - CAMERA.cx) / CAMERA.fx, (pixel[1] - CAMERA.cy) / CAMERA.fy, 1])
    expected = CAMERA.project(camera_from_turned.inv().apply(5 * ray))[0]
    seen = seen_turned(spot(40, 20), CAMERA, camera_from_turned, (0, 0), (48, 64))
    assert centre_of(seen) == pytest.approx(expected, abs=0.2)


def test_without_a_turn_it_is_the_plain_crop():
    rgb = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    seen = seen_turned(rgb, CAMERA, Rotation.identity(), (5, 7), (32, 40))
    assert np.array_equal(seen, rgb[5:37, 7:47])


def drawn(augmentation: Augmentation, count: int, free=(4, 2)) -> Changes:
    free_B2 = np.tile(free, (count, 1))
    return augmentation.draw(free_B2, np.diag([3.0, 1, 0]), np.random.default_rng(0))


def test_random_crops_reach_every_corner_and_stay_inside():
    corners = {tuple(corner) for corner in drawn(Augmentation(), 500).corner_B2.tolist()}
    assert corners == {(top, left) for top in range(5) for left in range(3)}
    still = {tuple(corner) for corner in drawn(Augmentation(shift=0), 9).corner_B2.tolist()}
    assert still == {(2, 1)}


def test_turns_stay_within_their_limits():
    augmentation = Augmentation(turn_deg=5, roll_deg=20)
    turns = np.degrees(drawn(augmentation, 300).turn.as_rotvec())
    assert np.all(np.abs(turns).max(axis=0) <= (5, 5, 20))
    assert np.all(np.abs(turns).max(axis=0) > (4, 4, 16))
    assert augmentation.needs_camera
    assert not Augmentation(move=0.3).needs_camera
    assert Augmentation(move=0.3, moved=0.5).needs_camera


def test_a_share_of_the_cameras_moves_as_cameras_do_there_and_no_further_than_it_may():
    move_B3 = drawn(Augmentation(move=0.3, moved=0.25), 2000).move_B3
    length_B = np.linalg.norm(move_B3, axis=1)
    assert 0.2 < (length_B > 0).mean() < 0.3
    assert 0.29 < length_B.max() <= 0.3
    # Half of a disc lies beyond 0.7 of its radius.
    assert np.median(length_B[length_B > 0]) == pytest.approx(0.3 * np.sqrt(0.5), rel=0.05)
    assert not move_B3[:, 2].any()
    assert np.abs(move_B3[:, 0]).mean() > 1.5 * np.abs(move_B3[:, 1]).mean()


def recoloured(batch: np.ndarray, augmentation: Augmentation) -> np.ndarray:
    changes = drawn(augmentation, len(batch))
    return recolour(batch, changes.gain_B, changes.lift_B)


def test_recolouring_changes_each_image_by_itself_and_zero_changes_nothing():
    batch = np.full((8, 4, 4, 3), 100, dtype=np.uint8)
    assert np.array_equal(recoloured(batch, Augmentation(brightness=0, contrast=0)), batch)
    assert not Augmentation(brightness=0, contrast=0).recolours
    lighter = recoloured(batch, Augmentation(brightness=0.2, contrast=0))
    levels = lighter[:, 0, 0, 0].astype(int)
    assert len(set(levels)) > 4
    assert np.abs(levels - 100).max() <= 51


def test_contrast_leaves_the_middle_and_brightness_wraps_nowhere():
    batch = np.zeros((4, 16, 16, 3), dtype=np.uint8)
    batch[:, :, 8:] = 250
    changed = recoloured(batch, Augmentation(brightness=0.3, contrast=0.5))
    assert (changed[:, :, 8:].astype(int) > changed[:, :, :8]).all()
