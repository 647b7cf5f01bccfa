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

from __future__ import annotations

from dataclasses import replace

import numpy as np
from posenet_ros.errors import ModelError
from posenet_ros.models.trust import Trust
import pytest

TRUST = Trust(
    lowest=0.1,
    typical=0.2,
    growth_position=4.0,
    growth_rotation=2.0,
    seen=0.4,
    unseen=(0.0,) * 6,
    half_reach=3.0,
    most_reach=12.0,
    limit=0.5,
    own_refused=0.01,
    foreign_accepted=0.02,
)


def test_images_are_refused_above_the_limit_only():
    assert [TRUST.refuses(value) for value in (0.0, 0.5, 0.51, float('nan'))] == [0, 0, 1, 1]


def test_the_covariance_is_the_cards_at_the_usual_novelty_and_grows_from_there():
    base = np.diag([0.04, 0.04, 0.04, 0.01, 0.01, 0.01])
    found = TRUST.by_novelty(base).at(np.array([0.2, 0.4, 0.1, 0.0]))
    np.testing.assert_allclose(found[0], base)
    for matrix, growth in zip(found[1:3], (0.8, -0.4)):
        expected = [0.04 * np.exp(growth), 0.01 * np.exp(growth / 2)]
        np.testing.assert_allclose(np.diag(matrix)[[0, 3]], expected)
    np.testing.assert_array_equal(found[2], found[3])


HOLES = replace(TRUST, unseen=(1.5, 1.5, 0.0, 0.0, 0.0, 0.5))


def test_beyond_what_was_seen_errors_are_at_least_in_proportion_to_novelty():
    base = np.diag([0.04, 0.04, 1e-4, 0.01, 0.01, 0.01])
    without, found = (
        trust.by_novelty(base).at(np.array([0.1, 0.2, 0.4, 0.6, 0.8])) for trust in (TRUST, HOLES)
    )
    np.testing.assert_array_equal(found[:3], without[:3])
    deviations = np.sqrt(np.diagonal(found[3:], axis1=1, axis2=2))
    np.testing.assert_allclose(deviations[:, :2], [[0.9] * 2, [1.2] * 2])
    np.testing.assert_allclose(deviations[:, 5], [0.3, 0.4])
    # Along and about the other axes nothing moves, in a hole either.
    np.testing.assert_array_equal(found[:, 2:5, 2:5], without[:, 2:5, 2:5])


def test_an_axis_that_no_held_out_frame_moved_along_counts_where_the_map_does():
    base = np.diag([0.04, 1e-4, 1e-4, 1e-4, 1e-4, 0.01])
    found = HOLES.by_novelty(base).at(np.array([0.8]))[0]
    np.testing.assert_allclose(np.sqrt(np.diag(found))[:2], [1.2, 1.2])


def test_errors_rise_without_a_step_to_what_holds_in_a_hole():
    base = np.diag([0.0004] * 3 + [0.01] * 3)
    found = HOLES.by_novelty(base).at(np.linspace(0.4, 0.6, 41))
    deviations = np.sqrt(found[:, 0, 0])
    assert (np.diff(deviations) > 0).all()
    assert deviations[0] == pytest.approx(0.02 * np.exp(0.4))
    assert deviations[-1] == pytest.approx(0.9)
    assert np.diff(deviations).max() < 0.05


def test_errors_that_were_seen_to_be_larger_than_in_a_hole_stay_so():
    base = np.diag([4.0] * 3 + [1.0] * 3)
    new = np.array([0.6])
    np.testing.assert_array_equal(HOLES.by_novelty(base).at(new), TRUST.by_novelty(base).at(new))


@pytest.mark.parametrize('sizes', [(1.0,) * 5, [1.0] * 6, (1.0,) * 5 + (-1.0,), 2.0])
def test_what_holds_in_a_hole_is_six_numbers(sizes):
    with pytest.raises(ModelError, match='unseen'):
        replace(TRUST, unseen=sizes)


def test_no_variance_falls_below_the_floor():
    base = np.diag([1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4])
    found = np.sqrt(np.diag(TRUST.by_novelty(base).at(np.array([0.1]))[0]))
    np.testing.assert_allclose(found, [0.01] * 3 + [np.exp(-0.1) * 0.01] * 3)


def test_it_survives_being_written_down():
    for trust in (TRUST, HOLES):
        assert Trust.from_dict(trust.to_dict()) == trust


@pytest.mark.parametrize('value', [-0.1, float('nan'), 'much', None])
def test_impossible_values_are_refused(value):
    with pytest.raises(ModelError, match='limit'):
        replace(TRUST, limit=value)


@pytest.mark.parametrize('change', [{'odd': 1.0}, {'limit': None}])
def test_unknown_or_missing_keys_are_refused(change):
    values = {**TRUST.to_dict(), **change}
    if change.get('limit', 0) is None:
        del values['limit']
    with pytest.raises(ModelError, match='keys'):
        Trust.from_dict(values)
