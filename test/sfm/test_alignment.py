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

"""A whole reconstruction against a reference, and what is refused."""

from dataclasses import replace

import numpy as np
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import fit_similarity, Trajectory
from posenet_ros.sfm.agreement import compare
from posenet_ros.sfm.alignment import align, wrong_mount_degrees
from posenet_ros.sfm.gates import SMALLEST_AGREEMENT
import pytest
from scipy.spatial.transform import Rotation


def shuffled(poses, seed=0):
    """Pair poses with wrong instants."""
    order = np.random.default_rng(seed).permutation(len(poses))
    return Trajectory(
        poses.stamps_ns,
        poses.rotations[order],
        poses.translations[order],
        poses.target,
        poses.source,
    )


def errors(labels, truth):
    """Metres and degrees after the best rigid fit."""
    fit = fit_similarity(
        labels.translations, truth.translations, target='map', source='map', with_scale=False
    )
    fitted = fit.apply_to(labels)
    degrees = np.degrees((fitted.rotations.inv() * truth.rotations).magnitude())
    return np.linalg.norm(fitted.translations - truth.translations, axis=1), degrees


@pytest.mark.parametrize(
    'fault',
    [
        {},
        {'yaw_per_m': 10.0},
        {'slip_m': 0.3, 'yaw_per_m': 4.0},
        {'late_s': 0.05, 'yaw_per_m': 4.0},
        {'noise': 0.1, 'yaw_per_m': 4.0},
    ],
    ids=str,
)
def test_labels_keep_the_shape_of_the_images_whatever_the_odometry_does(loop, fault):
    found = align(loop.sfm(noise=0.01), loop.odom(**fault))
    metres, degrees = errors(found.map_from_camera, loop.camera())
    assert np.median(metres) < 0.04
    assert np.median(degrees) < 0.5
    assert found.scale.scale == pytest.approx(2.5, rel=0.02)
    assert found.agreement.share > 0.9
    assert found.agreement.frames.all()


def test_labels_are_made_for_frames_that_the_reference_does_not_cover(loop):
    odom = loop.odom()
    found = align(loop.sfm(), odom.select(slice(200, None)))
    assert len(found.map_from_camera) == len(loop.sfm())
    assert found.checked[0] >= 45
    assert found.checked_share == len(found.checked) / 200
    assert errors(found.map_from_camera, loop.camera())[0].max() < 0.01


def test_a_camera_that_looks_aside_is_told_though_all_motions_agree(loop):
    odom = loop.odom()
    assert align(loop.sfm(), odom).mount_off_rad < np.radians(0.5)
    aside = Rotation.from_euler('y', 12, degrees=True)
    said = Trajectory(odom.stamps_ns, odom.rotations * aside, odom.translations, 'odom', 'camera')
    found = align(loop.sfm(), said)
    assert found.agreement.share > 0.95
    assert np.degrees(found.mount_off_rad) == pytest.approx(12, abs=1)


def test_frames_far_out_of_place_do_not_turn_the_camera(loop):
    sfm = loop.sfm()
    places = sfm.translations.copy()
    places[100:103] += [90.0, 40.0, 20.0]
    found = align(replace(sfm, translations=places), loop.odom())
    assert np.degrees(found.mount_off_rad) < 1.0


@pytest.mark.parametrize('rate_hz', [2.0, 5.0])
def test_shuffled_images_do_not_agree(loop, rate_hz):
    found = align(shuffled(loop.sfm(rate_hz)), loop.odom(noise=0.02, yaw_per_m=4.0))
    assert found.agreement.windows > 50
    assert found.agreement.share < 0.3


def test_the_odometry_of_another_drive_does_not_agree(loop, make_drive):
    other = make_drive(straight=True).odom()
    assert align(loop.sfm(), other).agreement.share < SMALLEST_AGREEMENT


def test_the_drift_of_the_heading_is_measured(loop):
    drift = align(loop.sfm(), loop.odom(yaw_per_m=8.0)).agreement.drift
    # About the vertical, which is against the y axis of this camera.
    np.testing.assert_allclose(np.degrees(drift), [0, -8, 0], atol=0.3)


def test_one_frame_out_of_place_is_told_and_its_neighbours_are_not(loop):
    camera = loop.camera()
    moved = camera.translations.copy()
    moved[50] += [0, 0, 2.0]
    bad = Trajectory(camera.stamps_ns, camera.rotations, moved, 'map', 'camera')
    found = compare(bad, camera)
    assert np.flatnonzero(~found.frames).tolist() == [50]
    assert 0.9 < found.share < 1.0


def test_what_stands_still_compares_nothing(loop):
    camera = loop.camera()
    count = len(camera)
    still = Trajectory(
        camera.stamps_ns, Rotation.identity(count), np.zeros((count, 3)), 'map', 'camera'
    )
    found = compare(still, still)
    assert (found.windows, found.share) == (0, 0.0)
    assert found.frames.all()


def test_a_reference_at_another_time_is_refused_with_both_times(loop):
    odom = loop.odom(late_s=1000.0)
    with pytest.raises(LabellingError, match=r'covers only 0 of 200 frames.*1700001000\.0'):
        align(loop.sfm(), odom)


def test_a_camera_mounted_otherwise_than_said_is_told_by_the_angle(loop):
    # The images were stamped with a frame whose x is forward, not with the optical one.
    wrong = Rotation.from_euler('xyz', [-np.pi / 2, 0, -np.pi / 2]).inv()
    odom = loop.odom()
    said = Trajectory(odom.stamps_ns, odom.rotations * wrong, odom.translations, 'odom', 'camera')
    assert align(loop.sfm(), said).agreement.share < 0.5
    degrees, turned = wrong_mount_degrees(loop.sfm(), said)
    assert degrees == pytest.approx(120, abs=1)
    assert turned.agreement.share > 0.95
