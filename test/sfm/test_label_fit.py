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

"""What is found of a reconstruction's place and of the labelled camera's, against the truth."""

from __future__ import annotations

import numpy as np
from posenet_ros.errors import GeometryError, LabellingError
from posenet_ros.geometry import Pose, Sim3
from posenet_ros.sfm.label_fit import fit_labels_to_model
import pytest
from scipy.spatial.transform import Rotation

MAP_FROM_SFM = Sim3(
    2.5,
    Rotation.from_euler('xyz', [20, -35, 50], degrees=True),
    np.array([3.0, -1, 2]),
    'map',
    'sfm',
)
OFFSET = Pose(
    Rotation.from_euler('xyz', [1.0, -2, 0.5], degrees=True),
    np.array([0.025, -0.01, 0.004]),
    'image',
    'camera',
)


def drive(count=60, *, seed=0, offset=OFFSET, turning=1.0):
    """Return the rotations and centres of images in `sfm`, and their labels in the map."""
    rng = np.random.default_rng(seed)
    turns = Rotation.from_rotvec(turning * rng.normal(0, 0.6, (count, 3)))
    centres = rng.uniform(-1, 1, (count, 3)) * [1.0, 0.7, 0.2]
    images = [
        Pose(MAP_FROM_SFM.rotation * turn, MAP_FROM_SFM.apply(centre), 'map', 'image')
        for turn, centre in zip(turns, centres, strict=True)
    ]
    return turns.as_matrix(), centres, [image @ offset for image in images]


def errors(fit, offset=OFFSET):
    """Return how far a fit is from the truth: scale, rotation, translation, and the offset."""
    return (
        abs(fit.map_from_sfm.scale / MAP_FROM_SFM.scale - 1),
        (fit.map_from_sfm.rotation.inv() * MAP_FROM_SFM.rotation).magnitude(),
        float(np.abs(fit.map_from_sfm.translation - MAP_FROM_SFM.translation).max()),
        *fit.image_from_label.distance(offset),
    )


def test_exact_labels_tell_both():
    fit = fit_labels_to_model(*drive())
    assert max(errors(fit)) < 1e-6
    assert fit.difference_m < 1e-6
    assert (fit.map_from_sfm.target, fit.map_from_sfm.source) == ('map', 'sfm')
    assert (fit.image_from_label.target, fit.image_from_label.source) == ('image', 'camera')


def test_a_pose_of_the_model_becomes_its_label():
    rotations, centres, labels = drive()
    fit = fit_labels_to_model(rotations, centres, labels)
    for rotation, centre, label in zip(rotations, centres, labels, strict=True):
        image = Pose(
            fit.map_from_sfm.rotation * Rotation.from_matrix(rotation),
            fit.map_from_sfm.apply(centre),
            'map',
            'image',
        )
        assert (image @ fit.image_from_label).distance(label) == pytest.approx((0, 0), abs=2e-6)


def test_a_large_offset_is_told_as_well():
    far = Pose(
        Rotation.from_euler('y', 120, degrees=True), np.array([0.4, 0.2, -0.6]), 'image', 'camera'
    )
    fit = fit_labels_to_model(*drive(offset=far))
    assert max(errors(fit, far)) < 1e-5


def test_five_frames_are_enough():
    assert max(errors(fit_labels_to_model(*drive(5)))) < 1e-5


def test_labels_of_the_images_own_camera_have_no_offset():
    same = Pose.identity('image', 'camera')
    fit = fit_labels_to_model(*drive(offset=same))
    assert max(errors(fit, same)) < 1e-6


def test_without_turns_the_offset_is_part_of_where_the_map_lies():
    """A camera that never turns does not tell the one from the other, and it does not matter."""
    rotations, centres, labels = drive(turning=0.0)
    fit = fit_labels_to_model(rotations, centres, labels)
    assert abs(fit.map_from_sfm.scale / 2.5 - 1) < 1e-6
    assert fit.difference_m < 1e-6
    image = fit.map_from_sfm.apply(centres[0])
    turn = fit.map_from_sfm.rotation * Rotation.from_matrix(rotations[0])
    label = image + turn.apply(fit.image_from_label.translation)
    np.testing.assert_allclose(label, labels[0].translation, atol=1e-6)


def test_noise_is_averaged_out():
    rotations, centres, labels = drive(200)
    rng = np.random.default_rng(1)
    noisy = [
        Pose(
            label.rotation * Rotation.from_rotvec(rng.normal(0, 0.01, 3)),
            label.translation + rng.normal(0, 0.01, 3),
            'map',
            'camera',
        )
        for label in labels
    ]
    fit = fit_labels_to_model(rotations, centres, noisy)
    assert max(errors(fit)) < 0.006
    # The median length of three normals of 0.01.
    assert fit.difference_m == pytest.approx(0.0154, rel=0.15)


def test_frames_that_were_mapped_at_a_wrong_place_do_not_count():
    rotations, centres, labels = drive(100)
    rng = np.random.default_rng(2)
    wrong = np.arange(100) % 5 == 0
    centres[wrong] += rng.uniform(-3, 3, (20, 3))
    rotations[wrong] = Rotation.random(20, random_state=0).as_matrix()
    fit = fit_labels_to_model(rotations, centres, labels)
    scale, turn, move, metres, radians = errors(fit)
    assert scale < 0.01
    assert max(turn, radians) < 0.01
    assert max(move, metres) < 0.02
    assert fit.difference_m < 0.02


def test_labels_of_another_drive_are_refused():
    rotations, centres, _ = drive()
    _, _, others = drive(seed=9)
    with pytest.raises(LabellingError, match='not of one drive'):
        fit_labels_to_model(rotations, centres, others)


def at(labels, places):
    return [
        Pose(label.rotation, place, 'map', 'camera')
        for label, place in zip(labels, places, strict=True)
    ]


@pytest.mark.parametrize('count', [1, 2, 4])
def test_too_few_labels_are_refused(count):
    with pytest.raises(LabellingError, match=f'{count} mapped frames on one line'):
        fit_labels_to_model(*drive(count))


@pytest.mark.parametrize('length', [0.0, 1.0])
def test_cameras_on_one_line_or_in_one_place_are_refused(length):
    rotations, _, labels = drive(20)
    places = np.outer(np.linspace(0, length, 20), [1.0, 2, 3])
    with pytest.raises(LabellingError, match='20 mapped frames on one line'):
        fit_labels_to_model(rotations, places, at(labels, places))


def test_what_is_not_finite_is_refused():
    rotations, centres, labels = drive(20)
    centres[3] = np.nan
    with pytest.raises(GeometryError, match='finite'):
        fit_labels_to_model(rotations, centres, labels)
