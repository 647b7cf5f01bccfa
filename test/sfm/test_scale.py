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

"""Metres per unit of the reconstruction."""

from dataclasses import replace

import numpy as np
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import fit_similarity, NS_PER_S, Pose, Trajectory
from posenet_ros.sfm.clock import reference_at
from posenet_ros.sfm.motions import motions, windows, with_rotations_of
from posenet_ros.sfm.scale import fit_scale
import pytest
from scipy.spatial.transform import Rotation

METRES_PER_UNIT = 2.5
BASE_FROM_CAMERA = Pose(
    Rotation.from_euler('xyz', [-np.pi / 2, 0, -np.pi / 2]),
    np.array([0.2, 0.0, 0.4]),
    'base',
    'camera',
)


def fit(sfm, odom):
    over = windows(sfm.stamps_ns, [1.0, 2.0, 4.0])
    told = with_rotations_of(sfm, reference_at(sfm.stamps_ns, odom, 0.0))
    return fit_scale(motions(sfm, over), motions(told, over))


def test_exact_motions_give_the_exact_scale(loop):
    found = fit(loop.sfm(), loop.odom())
    assert found.scale == pytest.approx(METRES_PER_UNIT, rel=1e-6)
    assert found.standard_error < 1e-6
    assert np.abs(found.lever_arm).max() < 1e-6


def test_drift_in_heading_does_not_bias_the_scale(loop):
    odom = loop.odom(yaw_per_m=4.0)
    assert fit(loop.sfm(), odom).scale == pytest.approx(METRES_PER_UNIT, rel=0.005)
    # A fit of the whole path to this odometry is off by several times as much.
    truth = loop.camera()
    drifted = reference_at(truth.stamps_ns, odom, 0.0)
    whole = fit_similarity(truth.translations, drifted.translations, target='odom', source='map')
    assert abs(whole.scale - 1) > 0.02


def test_noise_does_not_bias_the_scale_as_it_biases_lengths(loop):
    sfm, odom = loop.sfm(), loop.odom()
    rng = np.random.default_rng(0)
    told = reference_at(sfm.stamps_ns, odom, 0.0)
    object.__setattr__(
        told, 'translations', told.translations + 0.1 * rng.normal(size=(len(told), 3))
    )
    over = windows(sfm.stamps_ns, [0.5])
    seen, noisy = motions(sfm, over), motions(told, over)
    by_lengths = np.median(noisy.lengths / seen.lengths)
    found = fit_scale(seen, noisy)
    assert by_lengths > 1.1 * METRES_PER_UNIT
    assert found.scale == pytest.approx(METRES_PER_UNIT, rel=0.05)
    assert abs(found.scale - METRES_PER_UNIT) < 4 * found.standard_error


def test_a_wheel_that_slips_once_counts_nothing(loop):
    found = fit(loop.sfm(), loop.odom(slip_m=0.5))
    assert found.scale == pytest.approx(METRES_PER_UNIT, rel=0.002)


def test_the_bias_of_the_odometry_is_the_bias_of_the_scale(loop):
    found = fit(loop.sfm(), loop.odom(bias=0.03, noise=0.02))
    assert found.scale == pytest.approx(1.03 * METRES_PER_UNIT, rel=0.005)


def test_a_camera_mounted_elsewhere_is_seen_and_does_not_bias_the_scale(loop):
    odom = loop.odom()
    offset = np.array([0.0, 0.0, 0.08])
    moved = odom.rotations.apply(offset) + odom.translations
    object.__setattr__(odom, 'translations', moved)
    found = fit(loop.sfm(), odom)
    assert found.scale == pytest.approx(METRES_PER_UNIT, rel=0.01)
    # Forward is across every turn, so this part is seen; up is not, on a floor.
    assert found.lever_arm[2] == pytest.approx(0.08, abs=0.02)


def test_nothing_that_moves_has_no_scale(loop):
    sfm = loop.sfm()
    still = type(sfm)(sfm.stamps_ns, sfm.rotations, 0 * sfm.translations, 'sfm', 'camera')
    with pytest.raises(LabellingError, match='does not move'):
        fit(still, loop.odom())


@pytest.mark.parametrize(('radius', 'noise'), [(1.0, 0.005), (2.0, 0.002), (5.0, 0.003)])
def test_on_a_steady_circle_the_scale_is_not_taken_for_a_lever_arm(radius, noise):
    # There, the turns move any point of the camera along the step: both explain the motion.
    seconds = np.arange(0, 120, 0.5)
    angle = 0.4 * seconds / radius
    base = Trajectory(
        1_700_000_000_000_000_000 + np.round(seconds * NS_PER_S).astype(np.int64),
        Rotation.from_rotvec(np.outer(angle, [0.0, 0.0, 1.0])),
        radius * np.stack([np.sin(angle), -np.cos(angle), 0 * angle], axis=1),
        'odom',
        'base',
    )
    rng = np.random.default_rng(0)
    truth = base.of_body(BASE_FROM_CAMERA)
    seen = replace(
        truth,
        translations=(truth.translations + noise * rng.normal(size=(len(truth), 3)))
        / METRES_PER_UNIT,
        rotations=truth.rotations
        * Rotation.from_rotvec(np.radians(0.1) * rng.normal(size=(len(truth), 3))),
    )
    found = fit(seen, truth)
    assert found.scale == pytest.approx(METRES_PER_UNIT, rel=0.015)
    assert np.linalg.norm(found.lever_arm) < 0.02
