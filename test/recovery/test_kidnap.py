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
import math

from posenet_ros.errors import ConfigError
from posenet_ros.recovery.belief import Belief
from posenet_ros.recovery.drift import Reading
from posenet_ros.recovery.fix import Fix, Lack, NoFix
from posenet_ros.recovery.kidnap import KidnapMonitor, KidnapOptions, State
from posenet_ros.recovery.observation import Kind
from posenet_ros.recovery.odometry import Missing
import pytest

NO_FIX = NoFix(Lack.DISAGREE, 'they do not')
NONE_TOLD = Missing('it tells none')


@pytest.fixture
def fixes(pose, covariance, ns):
    """Return a function that makes the fix of a robot at 0.4 m/s, off by so much."""

    def of(seconds, x=0.0, y=0.0, speed=0.4, kind=Kind.VERIFIED, seconded=5, epoch=0, **more):
        way = speed * seconds
        reading = Reading(ns(seconds), pose(way, target='odom'), way, 0.0, epoch)
        sizes = {'metres': 0.05, 'degrees': 2, **more}
        return Fix(
            ns(seconds),
            pose(way + x, y),
            covariance(**sizes),
            kind,
            4,
            6,
            1,
            ns(1),
            0.02,
            0.01,
            seconded,
            reading,
        )

    return of


@pytest.fixture
def told(pose, ns):
    """Return a function that makes the belief at a fix, off by so much."""

    def of(fix, x=0.0, y=0.0):
        there = fix.reading.odom_from_base.translation
        return Belief(fix.stamp_ns, pose(there[0] + x, there[1] + y))

    return of


@pytest.fixture
def follow(fixes, told, ns):
    """Return a function that has a monitor follow fixes every half second; gives the states."""

    def of(monitor, begin, end, fix_off=0.0, belief_off=0.0, lost=False, **more):
        states = []
        second = begin
        while second <= end:
            fix = fixes(second, y=fix_off, **more)
            belief = NONE_TOLD if lost else told(fix, y=belief_off)
            states.append(monitor.update(ns(second), fix, belief).state)
            second += 0.5
        return states

    return of


def test_agreement_is_tracking(follow):
    monitor = KidnapMonitor()
    assert monitor.status.state is State.UNKNOWN
    assert follow(monitor, 0, 2) == [State.UNKNOWN] * 2 + [State.TRACKING] * 3


def test_disagreement_that_goes_on_is_a_kidnapping(follow):
    monitor = KidnapMonitor()
    follow(monitor, 0, 2)
    states = follow(monitor, 2.5, 5, fix_off=3, speed=0.5)
    assert states == [State.SUSPECT] * 4 + [State.KIDNAPPED] * 2
    assert '3.00 m and 0 deg apart' in monitor.status.reason
    evidence = monitor.status.evidence
    assert (evidence.fixes, evidence.views, evidence.lasted_s) == (6, 3, pytest.approx(2.5))


def test_one_fix_is_a_suspicion_and_no_more(follow):
    monitor = KidnapMonitor()
    follow(monitor, 0, 2)
    assert follow(monitor, 2.5, 3.5, fix_off=3)[-1] is State.SUSPECT
    assert follow(monitor, 4, 5.5)[-1] is State.TRACKING
    # What was before does not count on.
    assert follow(monitor, 6, 7, fix_off=3)[-1] is State.SUSPECT


def test_fixes_that_say_now_this_now_that_are_no_kidnapping(follow):
    monitor = KidnapMonitor()
    for second in range(40):
        off = 3.0 if second % 3 else 0.0
        states = follow(monitor, second / 2, second / 2, fix_off=off)
        assert State.KIDNAPPED not in states


def test_fixes_that_disagree_with_each_other_are_no_kidnapping(follow):
    monitor = KidnapMonitor()
    follow(monitor, 0, 2)
    for second in range(6, 40):
        off = 3.0 if second % 2 else 8.0
        states = follow(monitor, second / 2, second / 2, fix_off=off)
        assert states == [State.SUSPECT]


def test_a_fix_that_drifts_off_against_odometry_is_no_kidnapping(fixes, told, ns):
    """A regressor that is stuck at one place, while the robot drives on."""
    monitor = KidnapMonitor(KidnapOptions(regressed=True))
    for half in range(60):
        fix = fixes(half / 2, x=-0.4 * half / 2, y=5, kind=Kind.REGRESSED, metres=0.15, degrees=3)
        state = monitor.update(ns(half / 2), fix, told(fix)).state
        assert state is not State.KIDNAPPED


def test_a_robot_that_stands_needs_more(follow):
    monitor = KidnapMonitor()
    states = follow(monitor, 0, 5.5, fix_off=3, speed=0.0)
    assert set(states) == {State.SUSPECT}
    assert '1 of 3 views' in monitor.status.reason
    assert follow(monitor, 6, 7, fix_off=3, speed=0.0)[-1] is State.KIDNAPPED
    alone = KidnapMonitor()
    assert follow(alone, 0, 30, fix_off=3, speed=0.0, seconded=2)[-1] is State.SUSPECT


def test_what_only_the_network_says_is_a_suspicion(follow):
    monitor = KidnapMonitor()
    follow(monitor, 0, 2)
    assert follow(monitor, 2.5, 20, fix_off=3, kind=Kind.REGRESSED)[-1] is State.SUSPECT
    assert 'no points of the map confirm' in monitor.status.reason
    allowed = KidnapMonitor(KidnapOptions(regressed=True))
    states = follow(allowed, 0, 6, fix_off=3, kind=Kind.REGRESSED)
    assert states[:10] == [State.SUSPECT] * 10
    assert states[-1] is State.KIDNAPPED


@pytest.mark.parametrize(('fix_off', 'metres'), [(0.5, 0.05), (2.0, 1.0)])
def test_near_or_unsure_is_neither(follow, fix_off, metres):
    # Half a metre is no other place, and 2 m are nothing to a fix that may be 1 m off.
    monitor = KidnapMonitor()
    follow(monitor, 0, 2)
    assert follow(monitor, 2.5, 10, fix_off=fix_off, metres=metres)[-1] is State.TRACKING
    fresh = KidnapMonitor()
    assert follow(fresh, 0, 5, fix_off=fix_off, metres=metres)[-1] is not State.KIDNAPPED


def test_half_a_turn_in_place_is_a_kidnapping(fixes, ns, pose):
    monitor = KidnapMonitor()
    for half in range(8):
        fix = fixes(half / 2)
        there = fix.reading.odom_from_base.translation
        status = monitor.update(ns(half / 2), fix, Belief(fix.stamp_ns, pose(there[0], 0, 180)))
    assert status.state is State.KIDNAPPED
    assert '180 deg apart' in status.reason


def test_a_robot_without_a_localizer_is_lost_after_a_while(follow):
    monitor = KidnapMonitor()
    states = follow(monitor, 0, 6, lost=True)
    assert states == [State.UNKNOWN] * 8 + [State.KIDNAPPED] * 5
    assert 'no pose of a localizer: it tells none' in monitor.status.reason
    assert monitor.status.evidence.unbelieved


def test_a_localizer_that_is_silent_for_a_moment_is_no_kidnapping(follow):
    monitor = KidnapMonitor()
    follow(monitor, 0, 2)
    assert set(follow(monitor, 2.5, 5, lost=True)) == {State.TRACKING}
    assert set(follow(monitor, 5.5, 6)) == {State.TRACKING}
    assert set(follow(monitor, 6.5, 9, lost=True)) == {State.TRACKING}


def test_agreement_ends_a_kidnapping_only_when_it_lasts(follow):
    monitor = KidnapMonitor()
    follow(monitor, 0, 5, fix_off=3)
    assert follow(monitor, 5.5, 6.5) == [State.KIDNAPPED] * 2 + [State.TRACKING]


def test_without_fixes_it_becomes_unknown(follow, ns):
    monitor = KidnapMonitor()
    assert 'they do not' in monitor.update(ns(0), NO_FIX, NONE_TOLD).reason
    follow(monitor, 1, 3)
    assert monitor.update(ns(22), NO_FIX, NONE_TOLD).state is State.TRACKING
    status = monitor.update(ns(24), NO_FIX, NONE_TOLD)
    assert status.state is State.UNKNOWN
    assert status.reason == 'no fix for 21 s: frames disagree: they do not'
    follow(monitor, 25, 26, fix_off=3)
    assert monitor.update(ns(35), NO_FIX, NONE_TOLD).state is State.SUSPECT
    assert monitor.update(ns(37), NO_FIX, NONE_TOLD).state is State.UNKNOWN
    # A kidnapping does not end because nothing is seen, but nobody knows for ever.
    follow(monitor, 40, 45, fix_off=3)
    assert monitor.update(ns(60), NO_FIX, NONE_TOLD).state is State.KIDNAPPED
    assert monitor.update(ns(90), NO_FIX, NONE_TOLD).state is State.UNKNOWN


def test_a_fix_that_speaks_for_the_localizer_leaves_no_evidence(follow, fixes, told, ns):
    monitor = KidnapMonitor()
    follow(monitor, 1, 3)
    follow(monitor, 4, 12, fix_off=3)
    assert monitor.status.state is State.KIDNAPPED
    assert monitor.status.evidence.fixes > 4
    fix = fixes(12.5)
    status = monitor.update(ns(12.5), fix, told(fix))
    assert status.state is State.KIDNAPPED
    assert status.evidence.fixes == 0
    assert monitor.agreed_ns == fix.stamp_ns


def test_one_that_says_nothing_is_not_among_the_evidence(follow, fixes, told, ns):
    monitor = KidnapMonitor()
    follow(monitor, 1, 3)
    follow(monitor, 4, 12, fix_off=3)
    fix = fixes(12.5, y=1.2, metres=0.5, degrees=8)
    status = monitor.update(ns(12.5), fix, told(fix))
    assert status.evidence.newest_ns == ns(12)
    assert monitor.agreed_ns is None


def test_old_evidence_does_not_count(follow):
    monitor = KidnapMonitor()
    follow(monitor, 0, 1.5, fix_off=3)
    assert follow(monitor, 13, 14.5, fix_off=3)[-1] is State.SUSPECT


def test_a_fix_counts_once_and_one_from_before_not_at_all(fixes, told, ns):
    monitor = KidnapMonitor()
    fix = fixes(4.0, y=3)
    for tick in range(50):
        status = monitor.update(ns(4 + tick / 10), fix, told(fix))
    assert status.evidence.fixes == 1
    before = fixes(1.0, y=3)
    assert monitor.update(ns(9), before, told(before)).evidence.fixes == 1


def test_evidence_from_before_odometry_began_anew_is_forgotten(fixes, told, ns):
    monitor = KidnapMonitor()
    for half in range(4):
        fix = fixes(half / 2, y=3)
        monitor.update(ns(half / 2), fix, told(fix))
    fix = fixes(2.0, y=3, epoch=1)
    assert monitor.update(ns(2), fix, told(fix)).evidence.fixes == 1


def test_evidence_is_bounded(fixes, told, ns):
    monitor = KidnapMonitor()
    for tick in range(200):
        fix = fixes(tick / 10, y=3)
        status = monitor.update(ns(tick / 10), fix, told(fix))
    assert status.evidence.fixes <= 100
    assert status.evidence.lasted_s == pytest.approx(19.9)


def test_while_recovering_disagreement_is_for_others_to_judge(follow, ns):
    monitor = KidnapMonitor()
    monitor.set(ns(0), State.RECOVERING, 'sent')
    assert set(follow(monitor, 0, 5, fix_off=3)) == {State.RECOVERING}
    assert follow(monitor, 5.5, 6.5)[-1] is State.TRACKING


@pytest.mark.parametrize(
    'values',
    [
        {'fixes': 1},
        {'agree_m': 0.7},
        {'chance': 0.5},
        {'standing_s': 1.0},
        {'sustained_s': 0.0},
        {'differ_rad': math.nan},
        {'regressed_views': 2},
    ],
)
def test_an_alarm_by_next_to_nothing_cannot_be_asked_for(values):
    with pytest.raises(ConfigError):
        KidnapOptions(**values)
    assert replace(KidnapOptions(), fixes=2).fixes == 2
