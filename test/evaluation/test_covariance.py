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
    Seen,
    squared_distances,
)
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation
from scipy.stats import chi2


def block(errors, novelty=0.2):
    """Return a block of frames that nothing disturbed."""
    errors = np.asarray(errors, dtype=float).reshape(-1, 6)
    count = len(errors)
    return (Seen(np.broadcast_to(novelty, count).astype(float), errors, np.ones(count)),)


def off(*errors):
    """Return residuals of a block whose frames are all off by the same, one frame an error."""
    return np.array([[*error, *[0] * (6 - len(error))] for error in errors], dtype=float)


def correlated(generator, frames=15):
    """Return a block whose frames are wrong by nearly the same, heavy-tailed error."""
    centre = generator.standard_t(4, 6) * [0.2, 0.2, 0.2, 0.05, 0.05, 0.05]
    return centre + generator.standard_normal((frames, 6)) * [0.03, 0.03, 0.03, 0.01, 0.01, 0.01]


def deviations(measured):
    return np.sqrt(np.diag(measured.covariance))


def share_inside(errors, measured):
    return (squared_distances(errors, measured.covariance) <= measured.most_reach).mean()


def test_residuals_are_about_the_axes_of_the_map_whichever_way_the_camera_looks():
    looking = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)
    turn = Rotation.from_rotvec([0, 0, 0.1])
    true = Pose(looking, [1, 2, 3], 'map', 'camera')
    estimate = Pose(turn * looking, [1.5, 2, 3], 'map', 'camera')
    np.testing.assert_allclose(residuals([true], [estimate]), [[0.5, 0, 0, 0, 0, 0.1]], atol=1e-9)


def test_it_is_the_second_moment_so_a_bias_counts():
    # Always off to one side: no spread at all, and yet that is the uncertainty.
    measured = residual_covariance([block(off((0.3, 0.3, 0.3))), block(off((0.3, 0.3, 0.3)))])
    assert (measured.frames, measured.blocks, measured.scale) == (2, 2, 1)
    np.testing.assert_allclose(deviations(measured)[:3], 0.3)


def test_one_position_and_one_rotation_variance_and_nothing_between():
    generator = np.random.default_rng(0)
    measured = residual_covariance([block(correlated(generator)) for _ in range(2)])
    position, rotation = measured.covariance[0, 0], measured.covariance[3, 3]
    expected = np.diag([position] * 3 + [rotation] * 3)
    np.testing.assert_array_equal(measured.covariance, expected)
    assert position > rotation > 0


def test_an_axis_along_which_nothing_moves_has_the_floor_and_is_no_degree_of_freedom():
    # A robot on a floor: errors along x and y and about z only.
    errors = np.array([[0.3, -0.2, 0.001, 0, 0, 0.05]] * 10)
    measured = residual_covariance([block(errors), block(-errors)])
    assert measured.most_reach == pytest.approx(chi2.ppf(0.95, 3))
    same = np.sqrt((0.09 + 0.04) / 2)
    expected = [same, same, 0.01, np.radians(0.5), np.radians(0.5), 0.05]
    np.testing.assert_allclose(deviations(measured), expected)


def test_it_is_scaled_by_what_one_block_does_not_know_of_another():
    # Variances from the one block are 0.01 and from the other 1, by hand.
    small, large = block(off(*[(0.1, 0.1, 0.1)] * 10)), block(off(*[(1, 1, 1)] * 10))
    measured = residual_covariance([small, large])
    # The large errors are 3 / 0.01 away in what the small ones give.
    assert measured.scale == pytest.approx(300 / measured.most_reach)
    assert measured.covariance[0, 0] == pytest.approx(0.505 * measured.scale)
    assert measured.inside_95_unscaled == 0.5
    assert measured.inside_95 == 1


def test_blocks_that_agree_are_not_scaled_and_half_of_them_are_within_half_reach():
    generator = np.random.default_rng(0)
    blocks = [generator.standard_normal((400, 6)) * 0.1 for _ in range(5)]
    measured = residual_covariance([block(errors) for errors in blocks])
    assert measured.scale == pytest.approx(1, abs=0.1)
    assert measured.inside_95_unscaled == pytest.approx(0.95, abs=0.02)
    np.testing.assert_allclose(deviations(measured), 0.1, rtol=0.05)
    assert measured.half_reach == pytest.approx(chi2.ppf(0.5, 6), rel=0.1)


def test_errors_that_grow_with_novelty_have_a_covariance_that_does():
    generator = np.random.default_rng(0)

    def growing():
        novelty = generator.uniform(0.1, 0.6, 300)
        scales = 0.1 * np.exp(6 * (novelty - 0.35) / 2)
        return block(generator.standard_normal((300, 6)) * scales[:, None], novelty)

    by_novelty = residual_covariance([growing() for _ in range(4)]).by_novelty
    assert by_novelty.growth_position == pytest.approx(6, abs=0.5)
    assert by_novelty.growth_rotation == pytest.approx(6, abs=0.5)
    found = np.sqrt(by_novelty.at(np.array([0.2, 0.5]))[:, 0, 0])
    np.testing.assert_allclose(found, 0.1 * np.exp([-0.45, 0.45]), rtol=0.1)
    # Newer than seen: it goes on growing. Less new than seen: nothing is known to be better.
    assert by_novelty.at(np.array([0.9]))[0, 0, 0] > by_novelty.at(np.array([0.6]))[0, 0, 0]
    assert np.array_equal(*by_novelty.at(np.array([0.0, by_novelty.lowest])))


def test_errors_that_shrink_with_novelty_are_not_believed_to():
    novelty = np.linspace(0.1, 0.6, 50)
    errors = np.repeat((0.7 - novelty)[:, None], 6, axis=1)
    by_novelty = residual_covariance([block(errors, novelty)] * 2).by_novelty
    assert (by_novelty.growth_position, by_novelty.growth_rotation) == (0, 0)


@pytest.mark.parametrize(('blocks', 'least'), [(2, 0.75), (10, 0.9)])
def test_new_places_lie_in_the_region_about_as_often_as_it_says(blocks, least):
    generator = np.random.default_rng(0)
    elsewhere = np.concatenate([correlated(generator) for _ in range(200)])
    supported = [
        residual_covariance([block(correlated(generator)) for _ in range(blocks)])
        for _ in range(100)
    ]
    assert min(measured.inside_95 for measured in supported) >= 0.95
    # Two blocks cannot know how long the tails are, but they are not blind either.
    inside = [share_inside(elsewhere, measured) for measured in supported]
    assert least < np.mean(inside) < 0.97
    halves = [
        (squared_distances(elsewhere, measured.covariance) <= measured.half_reach).mean()
        for measured in supported
    ]
    assert 0.45 < np.mean(halves) < 0.8


def test_a_full_matrix_of_two_correlated_blocks_would_not_hold_what_it_says():
    # Why there is one size for all directions: those that two blocks prefer are chance.
    generator = np.random.default_rng(0)
    both = np.concatenate([correlated(generator) for _ in range(2)])
    elsewhere = np.concatenate([correlated(generator) for _ in range(200)])
    full = both.T @ both / len(both)
    assert (squared_distances(both, full) <= chi2.ppf(0.95, 6)).mean() > 0.9
    assert (squared_distances(elsewhere, full) <= chi2.ppf(0.95, 6)).mean() < 0.3


def test_outliers_stay_in():
    errors = off(*[(0.1, 0.1, 0.1)] * 39, (10, 10, 10))
    measured = residual_covariance([block(errors)])
    assert measured.covariance[0, 0] == pytest.approx((39 * 0.01 + 100) / 40)


def test_one_block_cannot_be_checked_against_another():
    measured = residual_covariance([block(off((0.3, 0, 0))), block(np.zeros((0, 6)))])
    assert (measured.blocks, measured.scale, measured.inside_95) == (1, 1, None)
    assert measured.to_dict()['inside_95_unscaled'] is None


@pytest.mark.parametrize('count', [1, 40])
def test_perfect_answers_still_have_a_covariance_above_zero(count):
    measured = residual_covariance([block(np.zeros((count, 6)))] * 2)
    np.testing.assert_allclose(deviations(measured)[:3], 0.01)
    np.testing.assert_allclose(np.degrees(deviations(measured)[3:]), 0.5)
    assert measured.inside_95 == 1


def test_none_answered_is_an_error():
    with pytest.raises(PosenetError, match='none of the held-out frames was answered'):
        residual_covariance([block(np.zeros((0, 6)))] * 2)


def test_unanswered_frames_have_no_residual(pose):
    assert len(residuals([pose()] * 3, [pose(x=0.3), None, pose(x=0.3)])) == 2


def test_distances_are_by_one_covariance_or_by_one_each():
    generator = np.random.default_rng(1)
    mixing = np.diag([0.3, 0.2, 0.1, 0.05, 0.04, 0.03])
    mixing[1, 0] = 0.15
    drawn = generator.standard_normal((4000, 6)) @ mixing.T
    covariance = mixing @ mixing.T
    distances = squared_distances(drawn, covariance)
    assert (distances <= chi2.ppf(0.95, 6)).mean() == pytest.approx(0.95, abs=0.01)
    factors = np.linspace(1, 4, len(drawn))
    each = squared_distances(drawn, covariance * factors[:, None, None])
    np.testing.assert_allclose(each, distances / factors)
