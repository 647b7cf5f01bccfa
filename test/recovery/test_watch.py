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

"""All of it together, on drives whose truth is known."""

from __future__ import annotations

from dataclasses import replace

from posenet_ros.errors import ConfigError
from posenet_ros.recovery.belief import Belief
from posenet_ros.recovery.decisions import (
    Advise,
    GiveUp,
    Mode,
    Recovered,
    SendInitialPose,
)
from posenet_ros.recovery.demands import ResetOptions
from posenet_ros.recovery.fix import Fix, Lack
from posenet_ros.recovery.kidnap import KidnapOptions, State
from posenet_ros.recovery.observation import Kind, Observation
from posenet_ros.recovery.watch import Watch, WatchOptions
import pytest

REGRESSED = {'kind': Kind.REGRESSED, 'metres': 0.15, 'degrees': 3.0}


class Play:
    """Feeds a watch ten times a second, and has the localizer obey unless it is `deaf`."""

    def __init__(self, watch, robot, pose, ns):
        self.watch, self.robot, self.pose, self.ns = watch, robot, pose, ns
        self.tick = 0
        self.off = (0.0, 0.0)
        self.deaf = False
        self.silent = False
        self.listeners = 1
        self.decisions = []
        self.states = []
        self.report = None

    @property
    def now(self):
        return self.tick / 10

    def believes(self):
        x, y, _ = self.robot.at(self.now).translation
        return Belief(self.ns(self.now), self.pose(x + self.off[0], y + self.off[1]))

    def go(self, seconds, sees=lambda second: [], odometry=None):
        """Go on; `sees` tells what is observed at each third of a second."""
        for _ in range(round(10 * seconds)):
            self.tick += 1
            says = (odometry or self.robot.odometry)(self.now)
            self.watch.move(self.ns(self.now), says)
            if self.tick % 3 == 0:
                for each in sees(self.now):
                    self.watch.observe(each)
            belief = None if self.silent else self.believes()
            self.report = self.watch.step(self.ns(self.now), belief, self.listeners)
            self.states.append(self.report.status.state)
            for decision in self.report.decisions:
                self.decisions.append(decision)
                if isinstance(decision, SendInitialPose) and not self.deaf:
                    at = self.robot.at(decision.fix.stamp_ns / 1e9).translation
                    sent = decision.fix.map_from_base.translation
                    self.off, self.silent = tuple((sent - at)[:2]), False
        return self

    def count(self, kind):
        return sum(isinstance(each, kind) for each in self.decisions)


@pytest.fixture
def play(robot, pose, ns):
    """Return a function that starts a play."""

    def of(mode=Mode.ACT, options=None, robot=robot, **how):
        watch = Watch(options, mode=mode, **{'same_map': True, **how})
        return Play(watch, robot, pose, ns)

    return of


def test_from_tracking_through_a_kidnapping_to_tracking(play):
    played = play()
    played.go(4, lambda second: [played.robot.sees(second)])
    assert played.states[-1] is State.TRACKING
    # What it believes is 9 m off from one moment to the next, as after a kidnapping.
    played.off = (0.0, 9.0)
    played.go(8, lambda second: [played.robot.sees(second)])
    order = list(dict.fromkeys(played.states[40:]))
    assert order == [State.TRACKING, State.SUSPECT, State.RECOVERING]
    assert played.states[-1] is State.TRACKING
    assert played.count(SendInitialPose) == played.count(Recovered) == 1
    assert abs(played.off[1]) < 0.05
    played.go(15, lambda second: [played.robot.sees(second)])
    assert played.count(SendInitialPose) == 1
    assert played.report.told == 'nothing to recover from'


def test_lost_at_the_start_it_is_sent_though_it_stands(play, standing):
    played = play(robot=standing)
    played.silent = True

    def sees(second):
        return [standing.sees(second), standing.sees(second - 0.1, **REGRESSED)]

    played.go(12, sees)
    assert played.count(Recovered) == 1
    assert played.states[-1] is State.TRACKING


def test_kidnapped_and_standing_it_waits_for_another_view(play, standing):
    played = play(robot=standing)
    played.off = (5.0, 0.0)

    def sees(second):
        return [standing.sees(second), standing.sees(second - 0.1, **REGRESSED)]

    played.go(12, sees)
    assert played.states[-1] is State.KIDNAPPED
    assert played.decisions == []
    assert 'turn, or drive on' in played.report.told


def test_a_deaf_localizer_is_given_up_and_told(play):
    played = play()
    played.off, played.deaf = (0.0, 9.0), True
    played.go(50, lambda second: [played.robot.sees(second)])
    assert played.count(SendInitialPose) == 4
    assert played.count(GiveUp) == 1
    assert played.states[-1] is State.KIDNAPPED
    played.deaf = False
    played.watch.hurry()
    played.go(4, lambda second: [played.robot.sees(second)])
    assert played.count(Recovered) == 1


def test_nobody_who_listens_is_waited_for(play):
    played = play()
    played.off, played.listeners = (0.0, 9.0), 0
    played.go(10, lambda second: [played.robot.sees(second)])
    assert played.decisions == []
    assert 'to listen' in played.report.told
    played.listeners = 1
    played.go(3, lambda second: [played.robot.sees(second)])
    assert played.count(Recovered) == 1


def test_two_identical_rooms_never_move_the_robot(play):
    """Frames say now this room, now the other, 16 m away, alike verified or not."""
    played = play(options=allowing_the_network())
    played.go(
        40,
        lambda second: [
            played.robot.sees(second, x=16.0 * (int(3 * second) % 2)),
            played.robot.sees(second - 0.1, x=16.0 * (int(5 * second) % 2), **REGRESSED),
        ],
    )
    assert played.decisions == []
    assert State.KIDNAPPED not in played.states


def allowing_the_network():
    return WatchOptions(kidnap=KidnapOptions(regressed=True), reset=ResetOptions(regressed=True))


def test_a_regressor_that_is_stuck_moves_nobody(play, standing, robot):
    for who in (standing, robot):
        played = play(options=allowing_the_network(), robot=who)
        played.go(
            60,
            lambda second, who=who: [
                who.sees(second, x=-who.speed * second, y=6, **REGRESSED),
                who.sees(second - 0.1, x=-who.speed * (second - 0.1), y=6, **REGRESSED),
                who.sees(second - 0.2, x=-who.speed * (second - 0.2), y=6, **REGRESSED),
            ],
        )
        assert played.decisions == []


def test_one_poster_that_verifies_falsely_moves_nobody(play, standing):
    """A view that is always verified elsewhere, and a network that does not say so."""
    played = play(robot=standing)
    played.go(
        60,
        lambda second: [
            standing.sees(second, x=7),
            standing.sees(second - 0.1, **REGRESSED),
            standing.sees(second - 0.2, **REGRESSED),
        ],
    )
    assert played.decisions == []
    assert isinstance(played.report.found, Fix) is False


def test_out_of_the_map_nothing_is_sent(play, ns):
    played = play(options=allowing_the_network())
    played.off = (0.0, 9.0)

    def sees(second):
        if int(10 * second) % 30 == 0:
            return [played.robot.sees(second, x=second * 3)]
        return [Observation.refused(ns(second), 'looks new')]

    played.go(40, sees)
    assert played.decisions == []
    assert played.report.found.lack is Lack.OUT_OF_MAP


def test_a_slip_alone_is_no_kidnapping_where_the_localizer_goes_with_it(play):
    """Odometry gains a metre in a second; a laser keeps the localizer right."""
    played = play()

    def slipped(second):
        return played.robot.odometry(second + 2.5 * min(max(second - 5, 0), 1))

    played.go(15, lambda second: [played.robot.sees(second)], slipped)
    assert State.KIDNAPPED not in played.states
    assert played.states[-1] is State.TRACKING


def test_a_clock_that_jumps_back_starts_anew(play):
    played = play()
    played.go(6, lambda second: [played.robot.sees(second)])
    played.off = (0.0, 9.0)
    played.go(2, lambda second: [played.robot.sees(second)])
    played.tick = 0
    played.go(0.5)
    assert played.report.status.state is State.UNKNOWN
    assert isinstance(played.report.found, Fix) is False
    played.off = (0.0, 0.0)
    played.go(4, lambda second: [played.robot.sees(second)])
    assert played.states[-1] is State.TRACKING
    assert played.decisions == []


def test_odometry_that_begins_anew_does_not_make_a_kidnapping(play, pose):
    played = play()
    played.go(5, lambda second: [played.robot.sees(second)])

    def begun_anew(second):
        return pose(played.robot.speed * second - 300, 40, target='odom')

    played.go(6, lambda second: [played.robot.sees(second)], begun_anew)
    assert set(played.states[50:]) == {State.TRACKING}
    assert played.report.found.frames >= 2


def test_a_localizer_that_odometry_does_not_reach_is_not_a_silent_one(play, robot, ns):
    played = play()
    ahead = Belief(0, robot.at(0))
    played.believes = lambda: replace(ahead, stamp_ns=ns(played.now + 0.5))
    played.go(12, lambda second: [robot.sees(second)])
    assert set(played.states) == {State.UNKNOWN}
    assert played.decisions == []


def test_late_and_mixed_and_repeated_stamps_change_nothing(play):
    played = play()
    played.off = (0.0, 9.0)

    def sees(second):
        late = [played.robot.sees(second - lag / 10) for lag in (9, 3, 6, 0, 3)]
        return [*late, *late[:2]]

    played.go(8, sees)
    assert played.count(Recovered) == 1
    assert abs(played.off[1]) < 0.05


def test_to_act_the_maps_must_be_known_to_be_the_same(play):
    with pytest.raises(ConfigError, match='map_from_model'):
        play(same_map=False)


def test_advice_changes_nothing(play):
    played = play(mode=Mode.ADVISE, same_map=False)
    played.off = (0.0, 9.0)
    played.go(15, lambda second: [played.robot.sees(second)])
    assert played.count(Advise) >= 1
    assert played.count(SendInitialPose) == 0
    assert played.decisions[0].difference.metres == pytest.approx(9, abs=0.1)


@pytest.mark.parametrize(
    ('options', 'lack'),
    [(WatchOptions(), Lack.TILTED), (WatchOptions(planar=None), None)],
)
def test_tilted_fixes_are_none_on_a_floor(play, ns, covariance, pose, options, lack):
    played = play(options=options)

    def sees(second):
        lifted = pose(played.robot.speed * second, z=1.0)
        return [Observation(ns(second), lifted, covariance(), Kind.VERIFIED)]

    played.go(3, sees)
    assert getattr(played.report.found, 'lack', None) is lack


def test_a_localizer_that_falls_silent_and_is_right_is_left_alone(play):
    played = play()
    played.go(10, lambda second: [played.robot.sees(second)])
    played.silent = True
    # Its laser is started anew.
    played.go(15, lambda second: [played.robot.sees(second)])
    assert played.decisions == []
    assert played.states[-1] is State.TRACKING


def test_one_that_fell_silent_is_sent_by_several_views_alone(play, standing):
    standing_still = play(robot=standing)
    standing_still.go(10, lambda second: [standing.sees(second)])
    standing_still.silent = True
    # The map says a place that looks alike, and so does the network.
    standing_still.go(
        60,
        lambda second: [
            standing.sees(second, x=10.0),
            standing.sees(second, Kind.REGRESSED, x=10.0, metres=0.3, degrees=4),
        ],
    )
    assert standing_still.count(SendInitialPose) == 0


def test_one_that_stays_away_is_sent_when_the_robot_drives(play):
    played = play()
    played.go(10, lambda second: [played.robot.sees(second)])
    played.silent = True
    played.go(40, lambda second: [played.robot.sees(second)])
    assert played.count(SendInitialPose) == 1


def test_a_robot_that_stops_when_it_is_sent_is_sent_again(play, robot, ns):
    """The first initial pose is lost, and Nav2 has stopped the robot meanwhile."""
    played = play()
    played.go(5, lambda second: [robot.sees(second)])
    played.off, played.deaf = (0.0, 9.0), True
    played.go(8, lambda second: [robot.sees(second)])
    assert played.count(SendInitialPose) == 1
    stopped = played.now

    def stands(second):
        return robot.odometry(min(second, stopped))

    def sees(second):
        seen = robot.sees(min(second, stopped))
        return [replace(seen, stamp_ns=ns(second))]

    played.believes = lambda: Belief(
        ns(played.now), replace(robot.at(stopped), translation=[0.4 * stopped, 9.0, 0.0])
    )
    played.go(40, sees, stands)
    assert played.count(SendInitialPose) == 4
    assert played.count(GiveUp) == 1
