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

import numpy as np
from posenet_ros.errors import PosenetError
from posenet_ros.evaluation.covariance import residual_covariance, residuals, with_floor
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation


def test_residuals_are_about_the_axes_of_the_map_whichever_way_the_camera_looks():
    looking = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)
    turn = Rotation.from_rotvec([0, 0, 0.1])
    true = Pose(looking, [1, 2, 3], 'map', 'camera')
    estimate = Pose(turn * looking, [1.5, 2, 3], 'map', 'camera')
    np.testing.assert_allclose(residuals([true], [estimate]), [[0.5, 0, 0, 0, 0, 0.1]], atol=1e-9)


def test_it_is_the_second_moment_so_a_bias_counts(pose):
    # Always 0.3 m off to one side: no spread at all, and yet 0.3 m of uncertainty.
    measured = residual_covariance([pose()] * 40, [pose(x=0.3)] * 40)
    assert measured.frames == 40
    assert np.sqrt(measured.covariance[0, 0]) == pytest.approx(0.3)
    assert np.sqrt(measured.covariance[1, 1]) == pytest.approx(0.01)


def test_it_matches_what_was_drawn_and_says_how_well_it_fits():
    generator = np.random.default_rng(1)
    mixing = np.diag([0.3, 0.2, 0.1, 0.05, 0.04, 0.03])
    mixing[1, 0] = 0.15
    drawn = generator.standard_normal((4000, 6)) @ mixing.T
    true = Pose.identity('map', 'camera')
    estimates = [Pose(Rotation.from_rotvec(r[3:]), r[:3], 'map', 'camera') for r in drawn]
    measured = residual_covariance([true] * len(drawn), estimates)
    np.testing.assert_allclose(measured.covariance, mixing @ mixing.T, atol=0.01)
    assert measured.inside_95 == pytest.approx(0.95, abs=0.01)


def test_outliers_stay_in(pose):
    estimates = [pose(x=0.1)] * 39 + [pose(x=10)]
    measured = residual_covariance([pose()] * 40, estimates)
    assert measured.covariance[0, 0] == pytest.approx((39 * 0.01 + 100) / 40)


def test_few_frames_do_not_tell_directions(pose):
    measured = residual_covariance([pose()] * 3, [pose(x=0.3)] * 3)
    np.testing.assert_allclose(np.diag(measured.covariance)[:3], 0.03)


@pytest.mark.parametrize('count', [1, 40])
def test_perfect_answers_still_have_a_covariance_above_zero(pose, count):
    covariance = residual_covariance([pose()] * count, [pose()] * count).covariance
    assert np.linalg.eigvalsh(covariance).min() > 0
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)[:3]), 0.01)
    np.testing.assert_allclose(np.degrees(np.sqrt(np.diag(covariance)[3:])), 0.5)


def test_the_floor_leaves_what_is_above_it_alone():
    large = np.diag([1.0, 2.0, 3.0, 0.1, 0.2, 0.3])
    large[0, 1] = large[1, 0] = 0.5
    np.testing.assert_allclose(with_floor(large), large, atol=1e-12)


def test_unanswered_frames_are_left_out_and_none_answered_is_an_error(pose):
    measured = residual_covariance([pose()] * 41, [pose(x=0.3)] * 40 + [None])
    assert measured.frames == 40
    with pytest.raises(PosenetError, match='none of the 2 held-out frames'):
        residual_covariance([pose()] * 2, [None, None])
