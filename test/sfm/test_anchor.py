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

"""Labels in the map of a localizer."""

import numpy as np
from posenet_ros.geometry import Pose, Trajectory
from posenet_ros.sfm.alignment import align
from posenet_ros.sfm.anchor import anchor
import pytest
from scipy.spatial.transform import Rotation

SLAM_FROM_MAP = Pose(
    Rotation.from_euler('z', 70, degrees=True), np.array([12.0, -7.0, 0.0]), 'slam', 'map'
)


def localized(drive, *, noise_m=0.02, lost=()):
    """What a localizer says of a drive at the images' stamps: noise, and jumps while lost."""
    truth = drive.camera().transformed(SLAM_FROM_MAP)
    rng = np.random.default_rng(0)
    told = truth.translations + noise_m * rng.normal(size=(len(truth), 3))
    told[list(lost)] += [3.0, 4.0, 0.0]
    return truth, Trajectory(truth.stamps_ns, truth.rotations, told, 'odom', 'camera')


def test_labels_are_in_the_coordinates_of_the_localizer(loop):
    truth, told = localized(loop)
    found = align(loop.sfm(), told, anchored=True)
    off = np.linalg.norm(found.map_from_camera.translations - truth.translations, axis=1)
    assert off.max() < 0.02
    turned = found.map_from_camera.rotations.inv() * truth.rotations
    assert np.degrees(turned.magnitude()).max() < 0.5
    assert 0.01 < found.anchor.median_m < 0.06
    assert found.anchor.left_out < 0.05


def test_without_an_anchor_the_map_begins_where_the_reference_does_and_says_nothing(loop):
    assert align(loop.sfm(), localized(loop)[1]).anchor is None


def test_a_localizer_that_was_lost_for_a_while_does_not_pull(loop):
    truth, told = localized(loop, lost=range(40, 80))
    fit, figures = anchor(loop.sfm(), told, scale=2.5)
    off = np.linalg.norm(fit.apply(loop.sfm().translations) - truth.translations, axis=1)
    assert off.max() < 0.02
    assert figures.left_out == pytest.approx(0.2, abs=0.05)
    assert figures.p95_m == pytest.approx(5.0, abs=0.1)


def test_on_a_straight_line_orientations_say_what_positions_cannot(make_drive):
    drive = make_drive(straight=True)
    truth, told = localized(drive)
    fit, _ = anchor(drive.sfm(), told, scale=2.5)
    turned = fit.apply_to(drive.sfm()).rotations.inv() * truth.rotations
    assert np.degrees(turned.magnitude()).max() < 1.0
