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
from itertools import pairwise
import math

from posenet_ros.errors import ConfigError
from posenet_ros.recovery.belief import Belief
from posenet_ros.recovery.decisions import (
    Advise,
    GiveUp,
    Mode,
    Recovered,
    RequestNoMotionUpdate,
    SendInitialPose,
    Stage,
)
from posenet_ros.recovery.demands import ResetOptions
from posenet_ros.recovery.fix import Fix, Lack, NoFix
from posenet_ros.recovery.kidnap import Evidence, State, Status
from posenet_ros.recovery.observation import Kind
from posenet_ros.recovery.odometry import Missing, OdometryBuffer, OdometryOptions
from posenet_ros.recovery.reset import Recovery
import pytest

SHOWN = Evidence(6, 3.0, 3)
SILENT = Missing('it tells none')
NO_FIX = NoFix(Lack.DISAGREE, 'they do not')


class World:
    """A robot at 0.4 m/s whose localizer is `off` aside, and a recovery."""

    def __init__(self, robot, pose, covariance, ns, mode=Mode.ACT, options=None):
        self.robot, self.pose, self.covariance, self.ns = robot, pose, covariance, ns
        self.odometry = OdometryBuffer(OdometryOptions(keep_s=200.0))
        for tenth in range(1200):
            self.odometry.add(ns(tenth / 10), robot.odometry(tenth / 10))
        self.recovery = Recovery(mode, options, same_map=True)
        self.off = 5.0
        self.state = State.KIDNAPPED
        self.since = 0.0
        self.evidence = SHOWN

    def fix(self, seconds, kind=Kind.VERIFIED, frames=5, views=2, seconded=5, **sizes):
        reading = self.odometry.at(self.ns(seconds))
        sizes = {'metres': 0.05, 'degrees': 2, **sizes}
        return Fix(
            self.ns(seconds),
            self.robot.at(seconds),
            self.covariance(**sizes),
            kind,
            frames,
            9,
            views,
            self.ns(2),
            0.02,
            0.01,
            seconded,
            reading,
        )

    def step(self, seconds, fix=None, belief=True, listeners=1):
        believed = SILENT
        if belief:
            there = self.robot.at(seconds - 0.1).translation
            believed = Belief(self.ns(seconds - 0.1), self.pose(there[0], self.off))
        status = Status(self.state, '', self.ns(self.since), self.evidence)
        found = self.fix(seconds - 0.3) if fix is None else fix
        if isinstance(found, Fix):
            status = replace(status, evidence=replace(self.evidence, newest_ns=found.stamp_ns))
        return self.recovery.step(
            self.ns(seconds), status, found, believed, listeners, self.odometry
        )


@pytest.fixture
def world(robot, pose, covariance, ns):
    return World(robot, pose, covariance, ns)


def test_a_kidnapped_robot_is_sent_where_the_fix_is_and_confirmed(world):
    sent, asked = world.step(10)
    assert isinstance(sent, SendInitialPose)
    assert sent.attempt == 1
    assert sent.fix.stamp_ns == world.ns(9.7)
    assert isinstance(asked, RequestNoMotionUpdate)
    world.off, world.state = 0.1, State.RECOVERING
    assert world.step(10.05) == ()  # what it believed before it was sent
    assert world.step(10.5) == ()
    # Nor is it asked again at once: that would be the same scan.
    assert not any(isinstance(each, Recovered) for each in world.step(11))
    (done,) = world.step(11.5)
    assert isinstance(done, Recovered)
    assert (done.attempts, done.seconds) == (1, pytest.approx(1.5))
    assert done.difference.metres == pytest.approx(0.1, abs=0.01)
    assert world.recovery.stage is Stage.IDLE


def test_a_localizer_that_has_begun_to_confirm_is_heard_out(world):
    world.step(10)
    world.state = State.RECOVERING
    # It is refined as it updates, and near just before its time is up.
    world.off = 1.0
    assert not any(isinstance(each, Recovered) for each in world.step(13.5))
    world.off = 0.1
    assert world.step(13.9) == ()
    world.step(14.5)
    assert world.recovery.stage is Stage.CONFIRMING
    (done,) = world.step(15)
    assert isinstance(done, Recovered)


def test_nor_is_it_heard_for_ever(world):
    world.step(10)
    world.state, world.off = State.RECOVERING, 0.1
    world.step(13.9)
    # It repeats what it said.
    there = Belief(world.ns(13.8), world.pose(world.robot.at(13.8).translation[0], 0.1))
    status = Status(State.RECOVERING, '', 0)
    for tick in range(23):
        now = world.ns(14 + tick / 10)
        world.recovery.step(now, status, NO_FIX, there, 1, world.odometry)
    assert world.recovery.stage is Stage.BACKING_OFF


def test_the_same_belief_again_confirms_nothing(world):
    world.step(10)
    world.off = 0.1
    world.state = State.RECOVERING
    belief = Belief(world.ns(10.4), world.pose(0.4 * 10.4, 0.1))
    status = Status(State.RECOVERING, '', 0)
    for tick in range(10):
        done = world.recovery.step(
            world.ns(10.5 + tick / 10), status, NO_FIX, belief, 1, world.odometry
        )
        assert not any(isinstance(each, Recovered) for each in done)


def test_a_fix_since_then_says_more_than_the_one_that_was_sent(world, pose):
    world.step(10)
    world.off, world.state = 0.0, State.RECOVERING
    # Frames that came since say that the robot is 6 m from where the localizer was sent.
    for tick in range(1, 8):
        newer = world.fix(10 + tick / 2 - 0.1)
        moved = pose(newer.map_from_base.translation[0], 6.0)
        newer = Fix(**{**newer.__dict__, 'map_from_base': moved})
        done = world.step(10 + tick / 2, fix=newer)
        assert not any(isinstance(each, Recovered) for each in done)


def test_updates_are_asked_for_while_it_is_waited(world):
    world.step(10)
    world.state = State.RECOVERING
    asked = [len(world.step(10 + tick / 10)) for tick in range(1, 40)]
    assert sum(asked) == 3


def test_it_tries_again_with_backoff_and_then_gives_up(world):
    sent, given_up, now = [], [], 10.0
    while now < 100:
        for each in world.step(now):
            if isinstance(each, SendInitialPose):
                sent.append(now)
            given_up += [each] if isinstance(each, GiveUp) else []
        now = round(now + 0.1, 1)
    waits = [later - before for before, later in pairwise(sent)]
    assert waits == [pytest.approx(expected, abs=0.25) for expected in (6.1, 8.1, 12.1)]
    assert len(given_up) == 1
    assert 'gave up after 4 attempts: fix and localizer are still 5.00 m' in given_up[0].reason
    assert world.recovery.stage is Stage.GAVE_UP
    assert world.step(100) == ()


def test_it_is_armed_again_by_hand_or_when_all_agree(world):
    world.recovery.stage = Stage.GAVE_UP
    world.recovery.rearm()
    assert isinstance(world.step(10)[0], SendInitialPose)
    world.recovery.stage = Stage.GAVE_UP
    world.state, world.since = State.TRACKING, 15.0
    world.step(20)
    assert world.recovery.stage is Stage.GAVE_UP
    world.step(26)
    assert world.recovery.stage is Stage.IDLE


def test_a_localizer_that_does_not_stay_is_not_sent_for_ever(world):
    sent = []
    for episode in range(8):
        begin = 10 + 5 * episode
        world.off, world.state = 5.0, State.KIDNAPPED
        sent += [each for each in world.step(begin) if isinstance(each, SendInitialPose)]
        world.off, world.state = 0.1, State.RECOVERING
        world.step(begin + 0.5)
        world.step(begin + 1.5)
    assert [each.attempt for each in sent] == [1, 2, 3, 4]
    assert world.recovery.stage is Stage.GAVE_UP
    assert 'does not stay' in world.recovery.told


def test_it_waits_for_somebody_to_listen(world):
    assert world.step(10, listeners=0) == ()
    assert 'waiting for somebody to listen' in world.recovery.told
    assert isinstance(world.step(10.5)[0], SendInitialPose)


def test_advice_is_given_with_how_far_off_the_localizer_is(robot, pose, covariance, ns):
    world = World(robot, pose, covariance, ns, Mode.ADVISE)
    (advice,) = world.step(10)
    assert isinstance(advice, Advise)
    assert advice.difference.metres == pytest.approx(5.0)
    assert world.step(15) == ()
    assert len(world.step(20)) == 1
    assert world.step(31, belief=False)[0].difference is None


@pytest.mark.parametrize('state', [State.UNKNOWN, State.TRACKING, State.SUSPECT, State.RECOVERING])
def test_nothing_is_sent_in_other_states(world, state):
    world.state = state
    assert world.step(10) == ()


def test_off_is_off(robot, pose, covariance, ns):
    world = World(robot, pose, covariance, ns, Mode.OFF)
    assert world.step(10) == ()
    assert world.recovery.told == 'recovery is off'


@pytest.mark.parametrize(
    ('values', 'views', 'reason'),
    [
        ({'frames': 2}, 3, '2 verified frames agree, not 3'),
        ({'views': 2}, 2, '2 of 3 views: turn, or drive on'),
        ({'kind': Kind.REGRESSED}, 3, 'no points of the map confirm'),
        ({'metres': 0.6}, 3, 'unsure: 0.60 m'),
        ({'degrees': 13}, 3, 'unsure: 0.05 m, 13 deg'),
    ],
)
def test_a_reset_needs_more_than_any_fix(world, values, views, reason):
    world.evidence = Evidence(6, 3.0, views)
    assert world.step(10, fix=world.fix(9.7, **values)) == ()
    assert reason in world.recovery.told


def test_a_reset_needs_a_fresh_fix(world):
    assert world.step(10, fix=world.fix(8.3)) == ()
    assert 'the fix is 1.7 s old' in world.recovery.told
    assert world.step(10, fix=NO_FIX) == ()
    assert 'frames disagree: they do not' in world.recovery.told


def test_a_fix_that_does_not_go_on_from_those_before_sends_nobody(world):
    # Whatever told the kidnapping, this place was not said for long.
    world.evidence = Evidence(2, 0.5, 3)
    assert world.step(10) == ()
    assert 'fixes agree on it for 0.5 of 2.0 s' in world.recovery.told


def test_only_a_robot_without_any_pose_is_sent_by_one_view(world):
    one_view = world.fix(9.7, views=1, frames=5, seconded=3)
    world.evidence = Evidence(20, 8.0, 1)
    assert world.step(10, fix=one_view) == ()
    # Nor by a localizer that has fallen silent, but had a pose before.
    world.evidence = Evidence(20, 8.0, 1, unbelieved=True)
    assert world.step(10, fix=one_view, belief=False) == ()
    world.evidence = Evidence(20, 8.0, 1, unbelieved=True, unheard=True)
    assert world.step(10, fix=world.fix(9.7, views=1, frames=4)) == ()
    assert world.step(10, fix=world.fix(9.7, views=1, seconded=2)) == ()
    assert isinstance(world.step(10, fix=one_view, belief=False)[0], SendInitialPose)


def test_the_network_alone_may_be_allowed_by_more_views(robot, pose, covariance, ns):
    world = World(robot, pose, covariance, ns, options=ResetOptions(regressed=True))
    guessed = world.fix(9.7, kind=Kind.REGRESSED, frames=10)
    assert world.step(10, fix=guessed) == ()
    assert '10 frames of 3 views agree, not 8 of 5' in world.recovery.told
    world.evidence = Evidence(6, 6.0, 5)
    assert isinstance(world.step(10, fix=guessed)[0], SendInitialPose)


def test_to_act_the_map_must_be_the_localizers():
    with pytest.raises(ConfigError, match='--reference tf:map'):
        Recovery(Mode.ACT, same_map=False)
    Recovery(Mode.ADVISE, same_map=False)


@pytest.mark.parametrize('values', [{'frames': 1}, {'attempts': 0}, {'near_m': math.inf}])
def test_resets_by_next_to_nothing_cannot_be_asked_for(values):
    with pytest.raises(ConfigError):
        ResetOptions(**values)


def test_what_was_seen_before_does_not_vouch_for_another_fix(world, ns):
    fix = world.fix(9.7)
    before = replace(SHOWN, newest_ns=ns(9.2))
    status = Status(State.KIDNAPPED, '', 0, before)
    assert world.recovery.step(ns(10), status, fix, SILENT, 1, world.odometry) == ()
    assert 'not among the fixes' in world.recovery.told


def test_one_broadcast_is_no_confirmation_however_far_odometry_moves_it(world, ns):
    world.step(10)
    status = Status(State.RECOVERING, '', 0)
    for tick in range(35):
        second = 10.2 + tick / 10
        pose = world.pose(0.4 * second, 0.1)
        belief = Belief(ns(second), pose, told_ns=ns(10.2))
        done = world.recovery.step(ns(second), status, NO_FIX, belief, 1, world.odometry)
        assert not any(isinstance(each, Recovered) for each in done)


def test_where_nobody_answers_it_is_tried_on_and_a_localizer_that_comes_is_sent(world):
    def attempts(begin, end, **how):
        found, now = [], begin
        while now < end:
            state = State.RECOVERING if world.recovery.stage is Stage.CONFIRMING else None
            world.state = state or State.KIDNAPPED
            decisions = world.step(now, **how)
            found += [now for each in decisions if isinstance(each, SendInitialPose)]
            assert not any(isinstance(each, GiveUp) for each in decisions)
            now = round(now + 0.1, 1)
        return found

    # A recorder listens, and no localizer is there.
    waits = [b - a for a, b in pairwise(attempts(10, 80, belief=False))]
    assert waits[:4] == [pytest.approx(each, abs=0.25) for each in (6.1, 8.1, 12.1, 20.1)]
    # It leaves, and AMCL comes: that need not wait for the next turn.
    assert not attempts(80, 90, belief=False, listeners=0)
    assert attempts(90, 91, belief=False)


def test_given_up_it_is_armed_again_by_a_localizer_that_comes_back(world):
    world.step(10)
    world.recovery.stage = Stage.GAVE_UP
    world.state = State.KIDNAPPED
    assert world.step(20) == ()
    assert world.step(21, belief=False) == ()
    assert isinstance(world.step(22)[0], SendInitialPose)


def test_who_asks_does_not_count_attempts_anew_while_one_is_under_way(world):
    world.step(10)
    world.recovery.hurry()
    assert world.recovery.stage is Stage.CONFIRMING
    world.recovery.stage = Stage.BACKING_OFF
    world.recovery.hurry()
    sent, _ = world.step(12)
    assert sent.attempt == 2
