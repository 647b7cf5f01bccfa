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

import math

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import pose_error
from posenet_ros.recovery.consensus import Consensus, ConsensusOptions
from posenet_ros.recovery.fix import Fix, Lack, NoFix
from posenet_ros.recovery.observation import Kind, Observation
from posenet_ros.recovery.odometry import OdometryBuffer
import pytest

REGRESSED = {'kind': Kind.REGRESSED, 'metres': 0.15, 'degrees': 3.0}


@pytest.fixture
def driven(ns):
    """Return a function that gives the odometry of the first four seconds of a robot."""

    def of(robot):
        buffer = OdometryBuffer()
        for tenth in range(41):
            buffer.add(ns(tenth / 10), robot.odometry(tenth / 10))
        return buffer

    return of


@pytest.fixture
def found(driven, ns):
    """Return a function that asks what observations make at 4 s."""

    def of(robot, observations, now=4.0, **options):
        consensus = Consensus(ConsensusOptions(**options))
        for each in observations:
            consensus.add(each)
        return consensus.find(ns(now), driven(robot))

    return of


def test_two_verified_frames_make_a_fix_and_one_does_not(robot, found, ns):
    fix = found(robot, [robot.sees(3.0), robot.sees(3.8)])
    assert isinstance(fix, Fix)
    assert fix.stamp_ns == ns(3.8)
    assert fix.map_from_base.distance(robot.at(3.8))[0] < 0.01
    assert (fix.kind, fix.frames, fix.of_frames, fix.views) == (Kind.VERIFIED, 2, 2, 1)
    assert fix.span_ns == ns(0.8)
    one = found(robot, [robot.sees(3.8)])
    assert isinstance(one, NoFix)
    assert one.lack is Lack.TOO_FEW


def test_the_verified_frames_of_a_fix_go_before_the_networks(robot, found):
    frames = [robot.sees(second / 10, y=0.3, **REGRESSED) for second in range(20, 40)]
    frames += [robot.sees(2.5), robot.sees(3.1), robot.sees(3.7)]
    fix = found(robot, frames)
    assert (fix.kind, fix.frames) == (Kind.VERIFIED, 3)
    assert fix.map_from_base.distance(robot.at(3.7))[0] < 0.01
    # The network is 0.3 m off, which its own covariance allows for.
    assert fix.seconded > 5


VAGUE = {'kind': Kind.REGRESSED, 'metres': 2.0, 'degrees': 40.0}


def test_who_hardly_knows_where_it_is_does_not_second(robot, found):
    """It agrees with anything."""
    verified = [robot.sees(second) for second in (2.5, 3.1, 3.7)]
    vague = [robot.sees(second / 10, y=3, yaw_deg=60, **VAGUE) for second in range(30, 38)]
    fix = found(robot, [*verified, *vague])
    assert (fix.kind, fix.frames, fix.seconded) == (Kind.VERIFIED, 3, 0)


def test_who_may_be_here_by_what_it_tells_speaks_of_no_other_place(robot, found):
    verified = [robot.sees(second) for second in (2.5, 3.1, 3.7)]
    seconds = [second / 10 for second in range(30, 38)]
    vague = [robot.sees(each, y=3, yaw_deg=60, **VAGUE) for each in seconds]
    assert isinstance(found(robot, [*verified, *vague]), Fix)
    # The same from frames that are sure of it is another place.
    sure = [robot.sees(each, y=3, yaw_deg=60, **REGRESSED) for each in seconds]
    assert found(robot, [*verified, *sure]).lack is Lack.DISAGREE


def test_frames_of_the_network_count_by_views(robot, standing, found):
    moving = [robot.sees(second / 10, **REGRESSED) for second in range(15, 40)]
    fix = found(robot, moving)
    assert fix.kind is Kind.REGRESSED
    assert fix.views >= 2
    still = [standing.sees(second / 10, **REGRESSED) for second in range(15, 40)]
    none = found(standing, still)
    assert none.lack is Lack.ONE_VIEW
    assert '1 view' in none.reason


def test_no_number_of_alike_frames_makes_a_fix_surer_than_one(standing, robot, found):
    few = found(standing, [standing.sees(3.0), standing.sees(3.5)])
    many = found(standing, [standing.sees(1.5 + second / 10) for second in range(24)])
    assert many.frames > 10
    for fix in (few, many):
        assert np.linalg.eigvalsh(fix.covariance)[0] >= 0.02**2
        assert fix.covariance[0, 0] >= 0.02**2 + 0.03**2
    # The network's of a robot that moves: never surer than a frame of it.
    fix = found(robot, [robot.sees(second / 10, **REGRESSED) for second in range(15, 40)])
    assert fix.covariance[0, 0] >= 0.15**2


def test_a_regressor_that_is_stuck_at_one_answer_makes_no_fix(robot, standing, found):
    # While the robot drives on by odometry, the network has it where it was.
    stuck = [
        robot.sees(second / 10, x=-0.4 * second / 10, **REGRESSED) for second in range(10, 40)
    ]
    for each in stuck:
        assert each.map_from_base.translation[0] == pytest.approx(0)
    none = found(robot, stuck)
    assert none.lack is Lack.DISAGREE
    assert 'scatter by' in none.reason
    still = [standing.sees(second / 10, **REGRESSED) for second in range(10, 40)]
    assert found(standing, still).lack is Lack.ONE_VIEW


def test_two_places_that_look_alike_make_no_fix(robot, found):
    here = [robot.sees(second / 10, **REGRESSED) for second in range(15, 40, 2)]
    there = [robot.sees(second / 10, x=16, y=6, **REGRESSED) for second in range(16, 40, 2)]
    none = found(robot, here + there)
    assert none.lack is Lack.DISAGREE
    # A third of them is enough to doubt.
    none = found(robot, here + there[::2], agreeing=0.5)
    assert none.lack is Lack.DISAGREE
    assert '17.1 m and 0 deg away' in none.reason


def test_verified_frames_of_two_places_make_no_fix(robot, found):
    here = [robot.sees(second) for second in (1.5, 2.0, 2.5, 3.0, 3.5)]
    there = [robot.sees(second, x=8) for second in (3.2, 3.8)]
    none = found(robot, here + there)
    assert none.lack is Lack.DISAGREE
    assert '8.0 m and 0 deg away' in none.reason


def test_the_network_may_speak_against_verified_frames(robot, found):
    verified = [robot.sees(3.0), robot.sees(3.5)]
    against = [robot.sees(second / 10, y=5, **REGRESSED) for second in range(15, 40)]
    assert found(robot, verified + against).lack is Lack.DISAGREE
    # Not where it is somewhat off: that is what verified poses are for.
    beside = [robot.sees(second / 10, y=0.7, **REGRESSED) for second in range(15, 40)]
    assert isinstance(found(robot, verified + beside), Fix)


def test_single_outliers_are_left_out(robot, found):
    frames = [robot.sees(second) for second in (1.5, 2.0, 2.5, 3.0, 3.5)]
    fix = found(robot, [*frames, robot.sees(3.2, x=9, yaw_deg=70)])
    assert (fix.frames, fix.of_frames) == (5, 6)
    assert fix.map_from_base.distance(robot.at(3.5))[0] < 0.01


def test_the_instant_is_that_of_the_newest_frame_that_agrees(robot, found, ns):
    frames = [robot.sees(second) for second in (1.5, 2.0, 2.5, 3.0)]
    fix = found(robot, [*frames, robot.sees(3.9, x=9)])
    assert fix.stamp_ns == fix.reading.stamp_ns == ns(3.0)
    assert fix.map_from_base.distance(robot.at(3.0))[0] < 0.02


def test_a_slip_within_the_window_makes_frames_disagree(robot, ns):
    # Odometry goes on by 1 m while the robot stands still for a second.
    buffer, consensus = OdometryBuffer(), Consensus()
    for tenth in range(41):
        second = tenth / 10
        shifted = robot.odometry(second + (2.5 * min(max(second - 2, 0), 1)))
        buffer.add(ns(second), shifted)
    for second in (1.2, 1.6, 2.0, 3.0, 3.4, 3.8):
        consensus.add(robot.sees(second))
    assert consensus.find(ns(4), buffer).lack is Lack.DISAGREE
    # Half a window later only what came after is left.
    for tenth in range(41, 60):
        buffer.add(ns(tenth / 10), robot.odometry(tenth / 10 + 2.5))
    consensus.add(robot.sees(5.6))
    assert isinstance(consensus.find(ns(5.9), buffer), Fix)


def test_refused_frames_say_that_this_is_not_in_the_map(robot, found, ns):
    refused = [Observation.refused(ns(second / 10), 'looks new') for second in range(12, 32)]
    refused.append(Observation.refused(ns(3.5), 'blurred'))
    none = found(robot, [*refused, robot.sees(3.6), robot.sees(3.8)])
    assert none.lack is Lack.OUT_OF_MAP
    assert none.reason == '21 of 23 frames are refused: looks new'
    assert isinstance(found(robot, [*refused[-2:], robot.sees(3.6), robot.sees(3.8)]), Fix)


def test_a_verified_pose_stands_for_an_image_that_the_network_refused(robot, found, ns):
    stamps = (3.0, 3.4, 3.8)
    refused = [Observation.refused(ns(second), 'looks new') for second in stamps]
    assert found(robot, refused).lack is Lack.OUT_OF_MAP
    for order in (1, -1):
        seen = [*refused, *(robot.sees(second) for second in stamps)][::order]
        assert found(robot, seen).frames == 3


def test_network_and_map_both_speak_of_one_image(robot, found):
    stamps = (3.0, 3.3, 3.6)
    verified = [robot.sees(second) for second in stamps]
    fix = found(robot, [*verified, *(robot.sees(second, **REGRESSED) for second in stamps)])
    assert (fix.kind, fix.frames, fix.of_frames, fix.seconded) == (Kind.VERIFIED, 3, 6, 3)
    against = [robot.sees(second, y=5, **REGRESSED) for second in stamps]
    assert found(robot, [*verified, *against]).lack is Lack.DISAGREE


def test_order_and_repeats_do_not_matter(robot, found):
    frames = [robot.sees(second / 10, y=0.01 * (second % 3)) for second in range(20, 40, 3)]
    straight = found(robot, frames)
    mixed = found(robot, [*frames[::-1], *frames, *frames[3:5]])
    assert mixed.frames == straight.frames
    np.testing.assert_allclose(mixed.covariance, straight.covariance, rtol=1e-6)
    assert mixed.map_from_base.distance(straight.map_from_base)[0] < 1e-6


def test_what_is_old_says_nothing(robot, found):
    frames = [robot.sees(1.1), robot.sees(1.6)]
    none = found(robot, frames)
    assert none.lack is Lack.TOO_OLD
    assert found(robot, [robot.sees(0.2), robot.sees(0.5)]).lack is Lack.TOO_FEW
    # The network's are new, and the verified ones that would count are not.
    network = [robot.sees(second / 10, **REGRESSED) for second in range(15, 40)]
    assert found(robot, frames + network).lack is Lack.TOO_OLD


def test_without_odometry_there_is_no_fix(robot, ns):
    consensus = Consensus()
    for second in (3.0, 3.5):
        consensus.add(robot.sees(second))
    none = consensus.find(ns(4), OdometryBuffer())
    assert (none.lack, none.reason) == (Lack.NO_ODOMETRY, 'there is no odometry')


def test_frames_wait_for_their_odometry(robot, driven, ns):
    consensus, buffer = Consensus(), OdometryBuffer()
    for tenth in range(36):
        buffer.add(ns(tenth / 10), robot.odometry(tenth / 10))
    for second in (3.0, 3.4, 3.8):
        consensus.add(robot.sees(second))
    assert consensus.find(ns(3.9), buffer).frames == 2
    assert consensus.find(ns(3.9), driven(robot)).frames == 3


def test_frames_from_before_odometry_began_anew_make_no_fix(robot, driven, pose, ns):
    consensus, buffer = Consensus(), driven(robot)
    for second in (3.0, 3.5, 3.9):
        consensus.add(robot.sees(second))
    assert consensus.find(ns(4), buffer).frames == 3
    assert 'odometry jumped' in buffer.add(ns(4.1), pose(70, target='odom'))
    none = consensus.find(ns(4.2), buffer)
    assert (none.lack, none.reason) == (Lack.NO_ODOMETRY, 'odometry begins 0.20 s later')


def test_frames_of_a_clock_that_was_set_back_are_dropped(robot, driven, ns):
    consensus = Consensus()
    for second in (100, 101):
        consensus.add(robot.sees(second))
    for second in (3.0, 3.5):
        consensus.add(robot.sees(second))
    fix = consensus.find(ns(4), driven(robot))
    assert fix.frames == 2
    assert len(consensus.frames) == 2


def test_frames_are_bounded_where_nobody_asks(robot):
    consensus = Consensus()
    for second in range(1200):
        consensus.add(robot.sees(second))
    assert len(consensus.frames) == 1000


def test_the_covariance_holds_what_the_error_is(robot, found):
    """Frames off as they tell, and alike: the error of the fix is within what it tells."""
    rng = np.random.default_rng(3)
    squared = []
    for _ in range(60):
        x, y = rng.normal(0, 0.05, 2)
        yaw = math.degrees(rng.normal(0, math.radians(2)))
        frames = [
            robot.sees(second, x=x, y=y, yaw_deg=yaw, metres=0.05, degrees=2)
            for second in (2.0, 2.5, 3.0, 3.5)
        ]
        fix = found(robot, frames)
        error = pose_error(fix.map_from_base, robot.at(3.5))[[0, 1, 5]]
        squared.append(
            error @ np.linalg.solve(fix.covariance[np.ix_([0, 1, 5], [0, 1, 5])], error)
        )
    # 95 % of three numbers are below 7.8.
    assert np.mean(np.array(squared) < 7.8) >= 0.93


@pytest.mark.parametrize(
    'values',
    [
        {'verified': 1},
        {'views': 1},
        {'agreeing': 0.4},
        {'regressed': 20},
        {'agreement': 1.0},
        {'window_s': math.nan},
        {'most_refused': 1.0},
    ],
)
def test_a_fix_of_one_frame_or_of_a_minority_cannot_be_asked_for(values):
    with pytest.raises(ConfigError):
        ConsensusOptions(**values)
