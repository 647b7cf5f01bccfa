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

"""What a count of rare events allows to say."""

from __future__ import annotations

from posenet_ros.evaluation.bounds import at_most, told
import pytest
from scipy.stats import binom


@pytest.mark.parametrize('trials', [1, 10, 300, 2000])
def test_of_none_in_many_the_bound_is_the_root_of_a_twentieth(trials):
    assert at_most(0, trials) == pytest.approx(1 - 0.05 ** (1 / trials))


def test_none_in_many_is_about_three_by_their_number():
    assert at_most(0, 1000) == pytest.approx(3 / 1000, rel=0.01)


@pytest.mark.parametrize(('count', 'trials'), [(1, 20), (3, 200), (19, 20)])
def test_so_few_would_come_in_a_twentieth_of_series_at_the_bound(count, trials):
    assert binom.cdf(count, trials, at_most(count, trials)) == pytest.approx(0.05)


@pytest.mark.parametrize(('count', 'trials'), [(0, 0), (7, 7)])
def test_where_nothing_speaks_against_it_all_may_be(count, trials):
    assert at_most(count, trials) == 1


def test_it_reads_as_a_share():
    assert told(0, 2000) == 'at most 0.15 % with 95 % confidence'
    assert told(0, 1) == 'at most 95 % with 95 % confidence'
    assert told(0, 0) == 'at most 100 % with 95 % confidence'
