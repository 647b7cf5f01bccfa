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

import numpy as np
from posenet_ros.geometry import NS_PER_S
from posenet_ros.simulation.odometry import drifting, OdometryErrors
from posenet_ros.simulation.path import drive, Robot
from posenet_ros.simulation.world import rounded_lane
import pytest

NONE = OdometryErrors(0, 0, 0, 0, 0)


@pytest.fixture(scope='module')
def truth():
    rng = np.random.default_rng(0)
    return drive(rounded_lane(8.0, 6.0), [0.0, 0.2], robot=Robot(), rng=rng, phase=0.3)


def reported(truth, **errors):
    return drifting(truth, replace(NONE, **errors), np.random.default_rng(1))


def length(trajectory):
    return np.linalg.norm(np.diff(trajectory.translations, axis=0), axis=1).sum()


def yaw(trajectory):
    return np.unwrap(trajectory.rotations.as_euler('xyz')[:, 2])


def test_odometry_without_errors_is_the_truth_from_its_own_origin(truth):
    odom = reported(truth).odom_from_base
    assert (odom.target, odom.source) == ('odom', 'base')
    expected = truth.transformed(truth[0].inverse().renamed(target='odom', source='map'))
    np.testing.assert_allclose(odom.translations, expected.translations, atol=1e-9)
    assert (odom.rotations.inv() * expected.rotations).magnitude().max() < 1e-7


def test_the_scale_error_lengthens_every_way(truth):
    odom = reported(truth, scale=0.02).odom_from_base
    assert length(odom) / length(truth) == pytest.approx(1.02, abs=1e-6)


def test_the_heading_drifts_with_the_way(truth):
    drift = yaw(reported(truth, heading_drift=0.01).odom_from_base) - yaw(truth)
    assert drift[-1] - drift[0] == pytest.approx(0.01 * length(truth), rel=1e-3)


def test_noise_grows_with_the_square_root_of_the_way(truth):
    ends = []
    for seed in range(40):
        odometry = drifting(truth, replace(NONE, heading_noise=0.01), np.random.default_rng(seed))
        turned = yaw(odometry.odom_from_base)
        ends.append(turned[-1] - (yaw(truth)[-1] - yaw(truth)[0]))
    assert np.std(ends) == pytest.approx(0.01 * np.sqrt(length(truth)), rel=0.35)


def test_velocity_is_that_of_the_poses_in_the_frame_of_the_base(truth):
    odometry = drifting(truth, OdometryErrors(), np.random.default_rng(2))
    odom, seconds = odometry.odom_from_base, 1 / 50
    for index in (100, 700, 1500):
        step = odom[index - 1].inverse() @ odom[index]
        ahead, across, turning = odometry.velocity[index]
        assert step.translation[0] / seconds == pytest.approx(ahead, abs=0.02)
        assert step.translation[1] / seconds == pytest.approx(across, abs=0.02)
        assert step.rotation.as_rotvec()[2] / seconds == pytest.approx(turning, abs=1e-6)
    assert np.abs(odometry.velocity[:, 0]).min() > 0


def test_defaults_drift_by_decimetres_in_a_lap_and_say_so(truth):
    odometry = drifting(truth, OdometryErrors(), np.random.default_rng(3))
    expected = truth.transformed(truth[0].inverse().renamed(target='odom', source='map'))
    error = odometry.odom_from_base.translations - expected.translations
    off = np.linalg.norm(error, axis=1)
    assert 0.1 < off.max() < 2.5
    deviation = np.sqrt(odometry.variance)
    assert (off[50:] < 4 * deviation[50:, 0]).all()
    assert (odometry.variance > 0).all() and deviation[-1, 0] > 0.1


def test_stamps_are_those_of_the_drive(truth):
    stamps = reported(truth).odom_from_base.stamps_ns
    np.testing.assert_array_equal(stamps, truth.stamps_ns)
    assert np.diff(stamps).max() == NS_PER_S // 50
