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
import json

import numpy as np
from posenet_ros.data.images import read_image
from posenet_ros.errors import ModelError
from posenet_ros.explain import cost
from posenet_ros.explain.cost import (
    BRUTE_FORCE,
    draw,
    FEATURE,
    KD_TREES,
    measure,
    median_ms,
    POSENET,
    SEARCH,
    weights_bytes,
)
from posenet_ros.explain.local_features import sift_descriptors, SiftMatcher
from posenet_ros.explain.subject import some
import pytest
from torch import nn


@pytest.fixture
def few(monkeypatch):
    """Measure with few frames."""
    monkeypatch.setattr(cost, '_INDEX_SIZES', (2, 50))
    monkeypatch.setattr(cost, '_SIFT_SIZES', (2, 4))


def test_weights_are_counted_with_what_norms_remember():
    # 2 x 3 weights and 2 biases; scale, shift, mean and variance of 2, and a 64-bit counter.
    assert weights_bytes(nn.Linear(3, 2)) == 4 * 8
    assert weights_bytes(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))) == 4 * 8 + 4 * 8 + 8


def test_a_time_is_the_median_after_a_first_answer(monkeypatch):
    clock = iter([0.0, 0.5, 1.0, 1.002, 2.0, 2.001])
    monkeypatch.setattr(cost.time, 'perf_counter', lambda: next(clock))
    asked = []
    assert median_ms(asked.append, 'abc') == pytest.approx(2.0)
    assert asked == ['a', 'a', 'b', 'c']


def test_memory_is_of_weights_features_and_descriptors(subject, few):
    costs = measure(subject)
    (network,) = costs[POSENET]
    assert network.memory == weights_bytes(subject.loaded.model)
    width = subject.loaded.model.place.width
    assert [each.frames for each in costs[SEARCH]] == [2, 36, 50]
    assert [each.memory for each in costs[SEARCH]] == [4 * width * n for n in (2, 36, 50)]
    assert [each.memory - network.memory for each in costs[FEATURE]] == [
        each.memory for each in costs[SEARCH]
    ]
    found = [len(sift_descriptors(read_image(each.image))) for each in some(subject.train, 4)]
    kept = [128 * 4 * count for count in found if count > 1]
    assert kept
    for name in (BRUTE_FORCE, KD_TREES):
        assert [each.frames for each in costs[name]] == [2, 4]
        assert costs[name][-1].memory == sum(kept)


def test_an_answer_by_the_feature_takes_the_network_too(subject, few):
    costs = measure(subject)
    for whole, search in zip(costs[FEATURE], costs[SEARCH], strict=True):
        assert whole.ms == pytest.approx(costs[POSENET][0].ms + search.ms)


def test_the_figure_has_every_method_and_plain_numbers(subject, few, tmp_path):
    exhibit = draw(subject)
    assert set(exhibit.numbers['methods']) == {POSENET, FEATURE, SEARCH, BRUTE_FORCE, KD_TREES}
    assert exhibit.numbers['training_frames'] == 36
    json.dumps(exhibit.numbers, allow_nan=False)
    exhibit.picture.savefig(tmp_path / 'picture.png')
    assert exhibit.rows[0][:2] == [POSENET, 'any']


def test_a_model_without_features_has_no_nearest_image(subject):
    without = replace(subject, loaded=replace(subject.loaded, features=None))
    with pytest.raises(ModelError, match='copy the whole folder'):
        draw(without)


@pytest.mark.parametrize('exact', [True, False])
def test_most_matches_are_with_the_image_of_the_same_descriptors(exact):
    generator = np.random.default_rng(0)
    first, lone, third = (
        generator.integers(0, 255, (count, 128)).astype(np.float32) for count in (6, 1, 5)
    )
    matcher = SiftMatcher([first, lone, third], exact=exact)
    assert matcher.nearest(third + 1) == 2
    assert matcher.nearest(first + 1) == 0
    assert matcher.nearest(np.zeros((0, 128), dtype=np.float32)) is None
    # The one with a single descriptor cannot be matched, and is not kept.
    assert matcher.nbytes == 4 * 128 * (6 + 5)


@pytest.mark.parametrize('exact', [True, False])
def test_nothing_matches_where_nothing_was_found(exact):
    blank = sift_descriptors(np.full((60, 80, 3), 90, dtype=np.uint8))
    assert blank.shape == (0, 128)
    assert SiftMatcher([blank], exact=exact).nearest(np.ones((3, 128), dtype=np.float32)) is None
