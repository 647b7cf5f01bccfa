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

"""When somebody who asks where the robot is gets an answer, and which."""

from __future__ import annotations

from posenet_ros.geometry import NS_PER_S
from posenet_ros.recovery.attempt import Attempt
from posenet_ros.recovery.belief import Difference
from posenet_ros.recovery.decisions import GiveUp, Mode, Recovered
from posenet_ros.recovery.drift import Reading
from posenet_ros.recovery.fix import Fix, Lack, NoFix
from posenet_ros.recovery.kidnap import State, Status
from posenet_ros.recovery.observation import Kind
from posenet_ros.recovery.watch import Report
import pytest

APART = Difference(0.1, 0.01, 0.5, 0.9)


@pytest.fixture
def fix(pose, covariance):
    """Return a maker of fixes at a second."""

    def make(seconds):
        stamp_ns = round(seconds * NS_PER_S)
        reading = Reading(stamp_ns, pose(target='odom'), 0.0, 0.0, 0)
        return Fix(
            stamp_ns, pose(1.0), covariance(), Kind.VERIFIED, 4, 6, 3, 0, 0.01, 0.01, 2, reading
        )

    return make


def report(found, state=State.UNKNOWN, *decisions, told='armed'):
    status = Status(state, 'a reason', 0)
    return Report(found, status, decisions, APART if state is State.TRACKING else None, told)


NOTHING = NoFix(Lack.OUT_OF_MAP, '9 of 9 frames are refused')


def test_a_fix_from_before_the_request_is_no_answer(fix):
    attempt = Attempt(10 * NS_PER_S, 5.0)
    assert attempt.judge(report(fix(9.9)), Mode.ADVISE, 0.1) is None
    outcome = attempt.judge(report(fix(10.1)), Mode.ADVISE, 0.3)
    assert outcome.success
    assert outcome.text.startswith('robot at (1.00, 0.00, 0.00) m, 0 deg by 4 of 6 frames')


def test_where_recovery_acts_the_localizer_has_to_agree(fix):
    attempt = Attempt(10 * NS_PER_S, 5.0)
    assert attempt.judge(report(fix(11), State.SUSPECT), Mode.ACT, 1.0) is None
    assert attempt.judge(report(fix(12), State.KIDNAPPED), Mode.ACT, 2.0) is None
    outcome = attempt.judge(report(fix(13), State.TRACKING), Mode.ACT, 3.0)
    assert outcome.success
    assert 'fix and localizer are 0.10 m' in outcome.text


def test_it_ends_with_the_recovery(fix):
    recovered = Recovered(1, 2.0, APART)
    told = report(fix(11), State.TRACKING, recovered, told='recovered after 1 attempts')
    outcome = Attempt(20 * NS_PER_S, 5.0).judge(told, Mode.ACT, 1.0)
    assert outcome.success
    assert outcome.text.startswith('recovered after 1 attempts; robot at')
    given_up = report(fix(11), State.KIDNAPPED, GiveUp('gave up after 4 attempts: no answer'))
    outcome = Attempt(0, 5.0).judge(given_up, Mode.ACT, 1.0)
    assert outcome == (False, 'gave up after 4 attempts: no answer')


@pytest.mark.parametrize('mode', [Mode.ADVISE, Mode.ACT])
def test_patience_ends_with_the_reason(mode):
    attempt = Attempt(0, 5.0)
    assert attempt.judge(report(NOTHING), mode, 5.0) is None
    outcome = attempt.judge(report(NOTHING), mode, 5.1)
    assert not outcome.success
    assert outcome.text == 'timeout after 5 s: out of map: 9 of 9 frames are refused'


def test_a_localizer_that_does_not_come_along_is_told_with_what_was_waited_for(fix):
    told = report(fix(11), State.KIDNAPPED, told='waiting for a better fix: 1 of 3 views')
    outcome = Attempt(0, 5.0).judge(told, Mode.ACT, 6.0)
    assert not outcome.success
    for words in ('kidnapped: a reason', '1 of 3 views', 'robot at (1.00'):
        assert words in outcome.text
