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

"""By how much covariances that come with poses are too small, of errors that are known."""

import math

import numpy as np
from posenet_ros.errors import PosenetError
from posenet_ros.evaluation.covariance import Seen, squared_distances
from posenet_ros.evaluation.told import by_axes, by_one_factor
from posenet_ros.localization.measured import grown
import pytest

FRAMES = 200


def told(rng, factor, frames=FRAMES, smallest=0.02, novelty=0.2):
    """Return frames whose errors have so many times the covariance that is told of each."""
    mixed = rng.normal(size=(frames, 6, 6))
    sizes = np.exp(rng.uniform(math.log(smallest), math.log(20 * smallest), (frames, 1, 1)))
    told_N66 = sizes**2 * (mixed @ mixed.transpose(0, 2, 1) + 6 * np.eye(6)) / 12
    root_N66 = np.linalg.cholesky(factor * told_N66)
    errors_N6 = np.einsum('nij,nj->ni', root_N66, rng.normal(size=(frames, 6)))
    return Seen(np.full(frames, novelty), errors_N6, np.ones(frames), told_N66)


def inside(seen, support):
    whole = np.array([grown(each, support.covariance) for each in seen.told_N66])
    distances = squared_distances(seen.residuals_N6, whole)
    return [(distances <= reach).mean() for reach in (support.half_reach, support.most_reach)]


@pytest.mark.parametrize('factor', [4.0, 50.0])
def test_the_factor_is_found_and_regions_hold_what_they_say(factor):
    rng = np.random.default_rng(0)
    blocks = [(told(rng, factor),) for _ in range(4)]
    support, same, _ = by_one_factor(blocks)
    assert same is blocks
    variances = np.diag(support.covariance)
    np.testing.assert_allclose(variances, factor, rtol=0.25)
    assert (support.frames, support.blocks) == (4 * FRAMES, 4)
    half, most = inside(told(rng, factor, 2000), support)
    assert half == pytest.approx(0.5, abs=0.06)
    assert most == pytest.approx(0.95, abs=0.03)


def test_no_pose_is_surer_than_it_says_itself():
    rng = np.random.default_rng(1)
    support, *_ = by_one_factor([(told(rng, 0.01),) for _ in range(3)])
    np.testing.assert_allclose(support.covariance, np.eye(6), rtol=0.01)


def test_one_block_that_is_worse_than_the_others_makes_all_larger():
    rng = np.random.default_rng(2)
    alike = [(told(rng, 4.0),) for _ in range(3)]
    usual, *_ = by_one_factor(alike)
    support, *_ = by_one_factor([*alike, (told(rng, 100.0),)])
    assert support.inside_95_unscaled < 0.9
    assert support.inside_95 >= 0.95
    assert support.scale > 2
    assert support.covariance[0, 0] > 5 * usual.covariance[0, 0]


def test_disturbed_frames_count_too():
    rng = np.random.default_rng(3)
    own = [(told(rng, 4.0),) for _ in range(3)]
    both = [(*block, told(rng, 40.0)) for block in own]
    assert by_one_factor(both)[0].covariance[0, 0] > 3 * by_one_factor(own)[0].covariance[0, 0]


def test_a_single_block_has_nothing_to_be_checked_against():
    support, *_ = by_one_factor([(told(np.random.default_rng(4), 4.0),)])
    assert (support.blocks, support.scale, support.inside_95) == (1, 1.0, None)
    assert support.covariance[0, 0] == pytest.approx(4.0, rel=0.3)


def test_novelty_does_not_count():
    rng = np.random.default_rng(5)
    support, *_ = by_one_factor([(told(rng, 4.0, novelty=each),) for each in (0.1, 0.5)])
    at = support.by_novelty.at(np.array([0.0, 0.1, 2.0]))
    np.testing.assert_array_equal(at[0], at[2])


def test_where_nothing_was_answered_there_is_no_factor():
    nothing = Seen(np.zeros(0), np.zeros((0, 6)), np.zeros(0), np.zeros((0, 6, 6)))
    with pytest.raises(PosenetError, match='none of the held-out frames was answered'):
        by_one_factor([(nothing,)])


def test_by_axes_errors_are_measured_in_units_of_what_was_told():
    rng = np.random.default_rng(6)
    blocks = [(told(rng, 9.0),) for _ in range(4)]
    support, units, _ = by_axes(blocks)
    assert np.diag(support.covariance) == pytest.approx([9.0] * 6, rel=0.25)
    assert units[0][0].residuals_N6.std() == pytest.approx(3.0, rel=0.1)
