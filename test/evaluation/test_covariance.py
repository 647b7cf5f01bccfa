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
from posenet_ros.evaluation.covariance import (
    residual_covariance,
    residuals,
    share_inside_95,
)
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import chi2


def test_residuals_are_about_the_axes_of_the_map_whichever_way_the_camera_looks():
    looking = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)
    turn = Rotation.from_rotvec([0, 0, 0.1])
    true = Pose(looking, [1, 2, 3], 'map', 'camera')
    estimate = Pose(turn * looking, [1.5, 2, 3], 'map', 'camera')
    np.testing.assert_allclose(residuals([true], [estimate]), [[0.5, 0, 0, 0, 0, 0.1]], atol=1e-9)


def off(*errors):
    """Return residuals of a block whose frames are all off by the same, one frame an error."""
    return np.array([[*error, *[0] * (6 - len(error))] for error in errors], dtype=float)


def correlated(generator, frames=15):
    """Return a block whose frames are wrong by nearly the same, heavy-tailed error."""
    centre = generator.standard_t(4, 6) * [0.2, 0.2, 0.2, 0.05, 0.05, 0.05]
    return centre + generator.standard_normal((frames, 6)) * [0.03, 0.03, 0.03, 0.01, 0.01, 0.01]


def deviations(measured):
    return np.sqrt(np.diag(measured.covariance))


def test_it_is_the_second_moment_so_a_bias_counts():
    # Always 0.3 m off to one side: no spread at all, and yet that is the uncertainty.
    measured = residual_covariance([off((0.3, 0, 0)), off((0.3, 0, 0))])
    assert (measured.frames, measured.blocks, measured.scale) == (2, 2, 1)
    np.testing.assert_allclose(deviations(measured)[:3], 0.3 / np.sqrt(3))


def test_one_position_and_one_rotation_variance_and_nothing_between():
    generator = np.random.default_rng(0)
    covariance = residual_covariance([correlated(generator) for _ in range(2)]).covariance
    position, rotation = covariance[0, 0], covariance[3, 3]
    expected = np.diag([position] * 3 + [rotation] * 3)
    np.testing.assert_array_equal(covariance, expected)
    assert position > rotation > 0


def test_it_is_scaled_by_what_one_block_does_not_know_of_another():
    # Variances from the one block are 0.01 and from the other 1, by hand.
    small, large = off(*[(0.1, 0.1, 0.1)] * 10), off(*[(1, 1, 1)] * 10)
    measured = residual_covariance([small, large])
    # The large errors are 3 / 0.01 away in what the small ones give.
    assert measured.scale == pytest.approx(300 / chi2.ppf(0.95, 6))
    assert measured.covariance[0, 0] == pytest.approx(0.505 * measured.scale)
    assert measured.inside_95_unscaled == 0.5
    assert measured.inside_95 == 1


def test_blocks_that_agree_are_not_scaled():
    generator = np.random.default_rng(0)
    blocks = [generator.standard_normal((400, 6)) * 0.1 for _ in range(5)]
    measured = residual_covariance(blocks)
    assert measured.scale == pytest.approx(1, abs=0.1)
    assert measured.inside_95_unscaled == pytest.approx(0.95, abs=0.02)
    np.testing.assert_allclose(deviations(measured), 0.1, rtol=0.05)


@pytest.mark.parametrize(('blocks', 'least'), [(2, 0.75), (10, 0.9)])
def test_new_places_lie_in_the_region_about_as_often_as_it_says(blocks, least):
    generator = np.random.default_rng(0)
    elsewhere = np.concatenate([correlated(generator) for _ in range(200)])
    supported = [
        residual_covariance([correlated(generator) for _ in range(blocks)]) for _ in range(100)
    ]
    assert min(measured.inside_95 for measured in supported) >= 0.95
    # Two blocks cannot know how long the tails are, but they are not blind either.
    inside = [share_inside_95(elsewhere, measured.covariance) for measured in supported]
    assert least < np.mean(inside) < 0.97


def test_a_full_matrix_of_two_correlated_blocks_would_not_hold_what_it_says():
    # Why there is one size for all directions: those that two blocks prefer are chance.
    generator = np.random.default_rng(0)
    both = np.concatenate([correlated(generator) for _ in range(2)])
    elsewhere = np.concatenate([correlated(generator) for _ in range(200)])
    full = both.T @ both / len(both)
    assert share_inside_95(both, full) > 0.9
    assert share_inside_95(elsewhere, full) < 0.3


def test_outliers_stay_in():
    block = off(*[(0.1, 0, 0)] * 39, (10, 0, 0))
    measured = residual_covariance([block])
    assert measured.covariance[0, 0] == pytest.approx((39 * 0.01 + 100) / 40 / 3)


def test_one_block_cannot_be_checked_against_another():
    measured = residual_covariance([off((0.3, 0, 0)), np.zeros((0, 6))])
    assert (measured.blocks, measured.scale, measured.inside_95) == (1, 1, None)
    assert measured.to_dict()['inside_95_unscaled'] is None


@pytest.mark.parametrize('count', [1, 40])
def test_perfect_answers_still_have_a_covariance_above_zero(count):
    measured = residual_covariance([np.zeros((count, 6))] * 2)
    np.testing.assert_allclose(deviations(measured)[:3], 0.01)
    np.testing.assert_allclose(np.degrees(deviations(measured)[3:]), 0.5)
    assert measured.inside_95 == 1


def test_none_answered_is_an_error():
    with pytest.raises(PosenetError, match='none of the held-out frames was answered'):
        residual_covariance([np.zeros((0, 6))] * 2)


def test_unanswered_frames_have_no_residual(pose):
    assert len(residuals([pose()] * 3, [pose(x=0.3), None, pose(x=0.3)])) == 2


def test_the_share_inside_is_that_of_the_95_percent_region():
    generator = np.random.default_rng(1)
    mixing = np.diag([0.3, 0.2, 0.1, 0.05, 0.04, 0.03])
    mixing[1, 0] = 0.15
    drawn = generator.standard_normal((4000, 6)) @ mixing.T
    assert share_inside_95(drawn, mixing @ mixing.T) == pytest.approx(0.95, abs=0.01)
    assert share_inside_95(drawn[:0], np.eye(6)) is None
