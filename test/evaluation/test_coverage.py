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
from posenet_ros.evaluation.coverage import coverage
from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.models.trust import Trust
import pytest
from scipy.stats import chi2

TRUST = Trust(
    0, 0.1, 0, 0, 0, (0,) * 6, float(chi2.ppf(0.5, 3)), float(chi2.ppf(0.95, 3)), 0.5, 0, 0
)
S = 10**9


def driven(pose, generator, blocks=60, size=0.1) -> Evaluation:
    """Return answers with normal errors of position of 0.1 m, fifty a block of ten seconds."""
    frames = 50 * blocks
    errors = generator.normal(0, size, (frames, 3))
    covariance = np.diag([0.01] * 3 + [1e-4] * 3)
    return Evaluation(
        np.arange(frames) * S // 5,
        (pose(),) * frames,
        tuple(pose(*error) for error in errors),
        covariances=(covariance,) * frames,
    )


def test_normal_errors_are_in_the_regions_as_often_as_these_say(pose):
    found = coverage(driven(pose, np.random.default_rng(0)), TRUST)
    assert found.half.value == pytest.approx(0.5, abs=0.03)
    assert found.most.value == pytest.approx(0.95, abs=0.015)
    assert found.half.low < found.half.value < found.half.high
    assert found.to_dict()['inside_95'][0] == pytest.approx(found.most.value, abs=1e-4)


def test_errors_larger_than_told_are_not(pose):
    found = coverage(driven(pose, np.random.default_rng(0), size=0.2), TRUST)
    assert found.most.high < 0.7


def test_the_interval_is_that_of_blocks_and_not_of_frames(pose):
    evaluation = driven(pose, np.random.default_rng(0), blocks=4)
    # Whole blocks are right or wrong: four coins, however many frames there are.
    estimates = tuple(pose() if n // 50 % 2 else pose(x=5) for n in range(200))
    found = coverage(replace(evaluation, estimates=estimates), TRUST)
    assert found.most.value == 0.5
    assert (found.most.low, found.most.high) == (0, 1)
    assert str(found.most) == '50.0 % (0 to 100)'


def test_without_an_answer_there_is_nothing_to_tell(pose):
    nothing = Evaluation(np.array([0]), (pose(),), (None,), covariances=(None,))
    assert coverage(nothing, TRUST) is None
