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

"""Time passes as asked, and slower where the machine does not keep up."""

from __future__ import annotations

from posenet_ros.drill.pace import Pace, VERIFIED_S
import pytest


def test_ticks_are_due_as_asked():
    pace = Pace(2.0)
    first = pace.due(100.0, 0.02)
    assert pace.due(100.0, 0.02) - first == pytest.approx(0.01)


def test_a_tick_that_is_a_little_late_is_made_up_for_and_a_long_one_is_not():
    pace = Pace(1.0)
    first = pace.due(100.0, 0.02)
    assert pace.due(first + 0.05, 0.02) == pytest.approx(first + 0.02)
    late = pace.due(first + 5.0, 0.02)
    assert late == pytest.approx(first + 4.9)


def test_where_verification_takes_long_time_slows_down_so_that_it_seems_not_to():
    pace = Pace(1.0)
    assert pace.present == 1.0
    assert pace.verified_after_s is None
    pace.verified(VERIFIED_S / 2)
    assert pace.present == 1.0
    for _ in range(40):
        pace.verified(4 * VERIFIED_S)
    assert pace.present == pytest.approx(0.25)
    assert pace.verified_after_s == pytest.approx(4 * VERIFIED_S)


def test_no_machine_is_so_slow_that_time_stands_still():
    pace = Pace(1.0)
    pace.verified(1e6)
    assert pace.present > 0


def test_an_answer_is_waited_for_longer_than_it_usually_takes():
    pace = Pace(1.0)
    before = pace.wait_s
    for _ in range(9):
        pace.answered(0.1)
    assert 0.1 < pace.wait_s < before
    pace.answered(0.9)
    assert pace.wait_s < before, 'a single one that takes long is no rule'
    for _ in range(30):
        pace.answered(60.0)
    assert pace.wait_s == before
