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

"""Held-out frames made hard, and their true poses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from posenet_ros.data.depth import COLUMNS, ROWS
from posenet_ros.data.frames import Frame
from posenet_ros.evaluation.disturbed import disturbances
from posenet_ros.geometry import Camera
import pytest

CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)
RGB = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


@pytest.fixture
def frame(pose):
    return Frame(Path('seen.jpg'), pose(1, 2, 3, degrees=40), 0)


@pytest.fixture
def depths(frame):
    """Everything is four metres away."""
    return {frame.image: np.full((ROWS, COLUMNS), 0.25, dtype=np.float32)}


def test_without_depth_images_are_blurred_and_darkened_where_they_are(frame):
    every = disturbances()
    assert len(every) == len(disturbances(CAMERA)) == len(disturbances(None, {frame.image: None}))
    for disturb in every:
        rgb, pose = disturb(RGB, frame, 7)
        assert pose is frame.map_from_camera
        assert rgb.shape == RGB.shape
        assert not np.array_equal(rgb, RGB)


def test_cameras_are_moved_by_shares_of_the_distance_and_turned(frame, depths):
    moved = disturbances(CAMERA, depths)[len(disturbances()) :]
    lengths = []
    for disturb in moved:
        rgb, pose = disturb(RGB, frame, 7)
        length, angle = pose.distance(frame.map_from_camera)
        lengths.append(length / 4)
        assert 0 < np.degrees(angle) < 40
        assert rgb.shape == RGB.shape
    assert lengths == pytest.approx([0.15, 0.3, 0.45, 0.6])


def test_every_frame_is_moved_its_own_way_and_always_the_same(frame, depths):
    disturb = disturbances(CAMERA, depths)[-1]
    later = replace(frame, stamp_ns=1)
    first, again, other = (disturb(RGB, each, 3)[1] for each in (frame, frame, later))
    assert first.distance(again) == pytest.approx((0, 0), abs=1e-7)
    assert first.distance(other)[0] > 0.01


def test_a_frame_of_unknown_depth_cannot_be_moved(pose, depths):
    unknown = Frame(Path('unknown.jpg'), pose(), 0)
    assert disturbances(CAMERA, depths)[-1](RGB, unknown, 1) is None
