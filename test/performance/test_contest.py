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

import itertools

import numpy as np
from posenet_ros.performance import contest
from posenet_ros.performance.contest import in_turns
import pytest


@pytest.fixture
def clock(monkeypatch):
    """Let time pass only where an answer says so."""
    now = [0.0]
    monkeypatch.setattr(contest.time, 'perf_counter', lambda: now[0])
    return now


def test_answers_are_asked_in_turns_and_the_first_of_each_does_not_count(clock):
    asked = []

    def answering(name, times):
        each = itertools.chain([10.0], itertools.cycle(times))

        def answer():
            asked.append(name)
            clock[0] += next(each)

        return answer

    # The first answer of all, and the first of a turn, are slow; of answers that take so long, one
    # of a turn counts.
    slow, fast = answering('slow', [7.0, 2.0]), answering('fast', [7.0, 1.0])
    turns = []
    times = in_turns({'slow': slow, 'fast': fast}, 1.0, lambda: turns.append(1))
    np.testing.assert_allclose(times['slow'], 2000)
    np.testing.assert_allclose(times['fast'], 1000)
    assert len(times['slow']) == len(times['fast']) == 3
    # Who begins changes from round to round.
    order = [name for name, _ in itertools.groupby(asked[2:])]
    assert order[:4] == ['slow', 'fast', 'slow', 'fast'] or order[:3] == ['slow', 'fast', 'slow']
    assert len(turns) == 6


def test_it_ends_when_the_time_is_over_and_not_before(clock):
    def answer():
        clock[0] += 0.01

    few, many = (len(in_turns({'one': answer}, seconds)['one']) for seconds in (0.001, 0.5))
    assert few == 9
    assert 30 < many < 60
