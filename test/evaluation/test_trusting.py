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

import numpy as np
from posenet_ros.evaluation.covariance import residual_covariance, Seen
from posenet_ros.evaluation.stretches import Unseen
from posenet_ros.evaluation.trusting import trust_of
import pytest


def seen(novelty, error_m) -> Seen:
    """Return frames whose errors are of so many metres along x and as many radians about z."""
    novelty = np.asarray(novelty, dtype=float)
    errors = np.zeros((len(novelty), 6))
    errors[:, 0] = errors[:, 5] = error_m
    return Seen(novelty, errors, np.ones(len(novelty)))


def concluded(blocks, foreign):
    foreign = np.asarray(foreign, dtype=float)
    return trust_of(residual_covariance(blocks), blocks, foreign, Unseen(0.3, (1.0,) * 6))


PLAIN = [(seen([0.1, 0.15, 0.2], 0.1),), (seen([0.12, 0.16, 0.22], 0.1),)]


def test_refusing_begins_half_way_between_the_map_and_what_is_foreign():
    trust = concluded(PLAIN, [0.6, 0.7, 0.8])
    assert trust.limit == pytest.approx((0.22 + 0.6) / 2)
    assert (trust.own_refused, trust.foreign_accepted) == (0, 0)
    assert (trust.seen, trust.unseen) == (0.3, (1.0,) * 6)


def test_where_both_overlap_as_few_as_can_be_are_on_the_wrong_side():
    foreign = [0.18, 0.5, 0.6, 0.7, 0.8, 0.9]
    trust = concluded(PLAIN, foreign)
    assert 0.22 < trust.limit < 0.5
    assert trust.foreign_accepted == pytest.approx(1 / 6)


def test_a_disturbed_view_that_was_answered_rightly_is_no_stranger():
    blocks = [(own, seen([0.4, 0.45], 0.15)) for (own,) in PLAIN]
    assert concluded(blocks, [0.6, 0.7]).limit == pytest.approx((0.45 + 0.6) / 2)


def test_a_view_too_dark_to_be_answered_does_not_move_the_border():
    blocks = [(own, seen([0.65, 0.68], 3.0)) for (own,) in PLAIN]
    trust = concluded(blocks, [0.6, 0.7])
    assert trust.limit == pytest.approx((0.22 + 0.6) / 2)
    # But it tells how errors grow.
    assert trust.growth_position > 5


def test_perfect_answers_are_right_and_not_foreign():
    blocks = [(seen([0.1, 0.2], 0.0),), (seen([0.1, 0.2], 0.0),)]
    assert concluded(blocks, [0.6]).limit == pytest.approx(0.4)
