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

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import NS_PER_S
from posenet_ros.recovery.decisions import SendInitialPose
from posenet_ros.recovery.fix import Lack, NoFix
from posenet_ros.recovery.kidnap import State, Status
from posenet_ros.recovery.observation import Kind
from posenet_ros.recovery.rehearsal import rehearse, Scenario, SCENARIOS, share, Tally, text_table
from posenet_ros.recovery.rehearsal.camera import draw_images
from posenet_ros.recovery.rehearsal.drive import draw_drive, Drive, RATE_HZ
from posenet_ros.recovery.rehearsal.floor import Spot, to_twin
from posenet_ros.recovery.rehearsal.localizer import LocalizerStandIn
from posenet_ros.recovery.rehearsal.trip import _watch_state, take_trip, Trip
from posenet_ros.recovery.watch import Report
import pytest

EXACT = Scenario(
    'exact',
    'nothing is wrong',
    errors=1e-3,
    odometry=0.0,
    refused=0.0,
    outliers=0.0,
    mistaken=0.0,
    false_verified=0.0,
    twin_verified=0.0,
    slips=0.0,
    lost=0.0,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def straight(seconds=20.0, lifted=None):
    """A drive of 0.5 m/s along x with exact odometry, that is not interrupted."""
    count = round(seconds * RATE_HZ)
    truth = np.zeros((count, 3))
    truth[:, 0] = 0.05 * np.arange(count)
    truth[:, 1] = 7.0
    odometry = truth - truth[0]
    way = np.repeat([[0.05, 0.0]], count, axis=0)
    at = count if lifted is None else lifted
    return Drive(truth, odometry, way, at, at)


def test_spots_compose_as_transforms_do():
    turned = Spot(1, 2, math.pi / 2) @ Spot(3, 0, math.pi)
    assert turned == (pytest.approx(1), pytest.approx(5), pytest.approx(-math.pi / 2))
    back = turned @ turned.inverse()
    assert back == (pytest.approx(0), pytest.approx(0), pytest.approx(0))
    assert Spot(0, 0, 3).off(Spot(3, 4, -3)) == (5, pytest.approx(2 * math.pi - 6))


def test_a_twin_of_a_twin_is_the_place_itself():
    spots = np.array([[2.0, 3.0, 0], [18.0, 9.0, 0], [12.0, 7.0, 0]])
    moves = to_twin(spots)
    np.testing.assert_array_equal(moves, [[16, 6], [-16, -6], [0, 0]])


def test_a_kidnapped_robot_is_elsewhere_and_its_wheels_do_not_know():
    drive = draw_drive(replace(EXACT, odometry=0.0), rng(3))
    before, after = drive.at(drive.lifted - 1), drive.at(drive.set_down)
    assert before.off(after)[0] > 1.5
    told = drive.odometry_at(drive.lifted - 1).off(drive.odometry_at(drive.set_down))
    assert told == (pytest.approx(0), pytest.approx(0))
    # Without errors odometry tells the drive after that rightly.
    truth = drive.at(drive.set_down).inverse() @ drive.at(len(drive) - 1)
    moved = drive.odometry_at(drive.set_down).inverse() @ drive.odometry_at(len(drive) - 1)
    assert truth.off(moved)[0] < 0.3


def test_errors_stay_while_the_robot_stands_and_not_while_it_drives():
    scenario = replace(EXACT, errors=1.0, verification=False)
    moving, standing = straight(), straight()
    standing.truth_N3[:] = standing.truth_N3[0]
    standing.way_N2[:] = 0

    def errors(drive):
        seen = [each.observation() for each in draw_images(drive, scenario, rng(1))]
        found = np.stack([each.map_from_base.translation for each in seen])
        return found[:, :2] - drive.truth_N3[:, :2]

    assert errors(standing).std(axis=0).max() < 0.1
    assert errors(moving).std(axis=0).min() > 0.1


def test_errors_are_as_large_as_told_or_twice():
    for times in (1.0, 2.0):
        squared = []
        for seed in range(30):
            drive = straight()
            scenario = replace(EXACT, errors=times, verification=False)
            for each in draw_images(drive, scenario, rng(seed)):
                said = each.observation()
                truth = drive.truth_N3[round(said.stamp_ns / NS_PER_S * RATE_HZ)]
                off = said.map_from_base.translation[:2] - truth[:2]
                squared.append(off @ off / (2 * said.covariance[0, 0]))
        # Longer tails make them somewhat larger yet.
        assert times <= math.sqrt(np.mean(squared)) < 1.6 * times


def test_verified_poses_are_rarer_and_later():
    seen = draw_images(straight(), EXACT, rng())
    kinds = [each.observation().kind for each in seen]
    verified = [each for each in seen if each.observation().kind is Kind.VERIFIED]
    assert 20 < kinds.count(Kind.VERIFIED) < kinds.count(Kind.REGRESSED) / 2
    assert all(each.arrives_ns > each.observation().stamp_ns + NS_PER_S / 10 for each in verified)
    arrivals = [each.arrives_ns for each in seen]
    assert arrivals == sorted(arrivals)


def test_a_localizer_refines_only_where_it_is_near():
    drive = straight()
    localizer = LocalizerStandIn(drive, rng())
    for off, near in ((0.4, True), (3.0, False)):
        localizer.laser.map_from_odom = Spot(off, 7.0, 0.0)
        for sample in range(20):
            localizer.update(sample)
        error = localizer.believed(20).off(drive.at(20))[0]
        assert error < 0.15 if near else error == pytest.approx(off)


def test_where_nothing_is_wrong_robots_are_recovered_in_time():
    trips = [take_trip(EXACT, rng(seed)) for seed in range(6)]
    # One that stands where nothing can be verified comes late.
    assert sum(trip.right for trip in trips) >= 5
    assert not any(trip.false_alarm for trip in trips)
    assert all(metres < 0.1 for trip in trips for metres, _ in trip.resets)


@pytest.mark.parametrize(
    ('state', 'decisions', 'off', 'alarm'),
    [
        (State.TRACKING, (), 0.0, False),
        (State.KIDNAPPED, (), 0.0, True),
        (State.KIDNAPPED, (), 3.0, False),
        # Sent in the same step, the state is recovering at once.
        (State.RECOVERING, (SendInitialPose(None, 1),), 0.0, True),
        (State.RECOVERING, (), 0.0, False),
    ],
)
def test_an_alarm_is_false_where_the_localizer_is_fine(state, decisions, off, alarm):
    drive = straight()
    localizer = LocalizerStandIn(drive, rng())
    localizer.laser.map_from_odom = Spot(off, 7.0, 0.0)
    trip = Trip(False, False, True)
    report = Report(NoFix(Lack.TOO_FEW, ''), Status(state, '', 0), decisions, None, '')
    _watch_state(trip, report, localizer, drive, 20)
    assert trip.false_alarm is alarm


def test_where_nobody_is_carried_nothing_is_sent():
    trip = take_trip(replace(EXACT, kidnapped=False), rng())
    assert (trip.resets, trip.false_alarm) == ([], False)
    assert trip.driven_s > 50


def test_where_nothing_is_in_the_map_no_reset_is_right():
    # The truth is not in the map, so whatever is sent after counts as wrong.
    assert Trip(True, False, False, resets=[(math.inf, 0.0)]).wrong == 1
    trip = take_trip(replace(EXACT, in_map=False), rng(2))
    assert trip.wrong == 0


def test_the_same_seed_gives_the_same_trips_by_any_number_of_processes():
    usual = SCENARIOS['usual']
    one = rehearse(usual, 11, seed=4)
    assert rehearse(usual, 11, seed=4, jobs=2).to_dict() == one.to_dict()
    assert rehearse(usual, 2, seed=5).to_dict() != rehearse(usual, 2, seed=4).to_dict()


def test_nothing_cannot_be_rehearsed():
    with pytest.raises(ConfigError, match='takes trips and processes'):
        rehearse(EXACT, 0)


@pytest.mark.parametrize(
    ('times', 'of', 'low', 'high'),
    [
        (0, 10_000, 0.0, 3.688e-4),
        (1, 10, 0.002529, 0.4450),
        (10, 10, 0.6915, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_bounds_are_those_of_clopper_and_pearson(times, of, low, high):
    found = share(times, of)
    assert found[0] == pytest.approx(low, rel=1e-3)
    assert found[1] == pytest.approx(high, rel=1e-3)


def test_trips_are_counted_as_right_late_or_wrong():
    tally = Tally('some')
    tally.add(
        [
            Trip(True, False, True, recovered_s=4.0, resets=[(0.1, 0.0)]),
            Trip(True, False, True, recovered_s=24.0, resets=[(0.1, 0.0)]),
            Trip(True, False, True),
            Trip(True, False, True, recovered_s=9.0, resets=[(5.0, 0.0), (0.5, 0.2)]),
            Trip(True, False, True, false_alarm=True, recovered_s=6.0, resets=[(0.2, 0.0)]),
        ]
    )
    assert (tally.right, tally.late, tally.wrong, tally.false_alarms) == (2, 2, 1, 1)
    assert (tally.resets, tally.inexact) == (5, 1)
    figures = tally.to_dict()
    assert figures['wrong']['share'] == 0.2
    assert figures['recovered_s']['p50'] == 7.5
    header, row = text_table([tally]).splitlines()
    assert header.split()[:3] == ['scenario', 'trips', 'right']
    assert '40.0 %' in row
    assert Tally('none').percentile_s(50) is None


def test_robots_are_recovered_and_none_is_sent_elsewhere():
    """A few trips of the world as it is; thousands are for the command."""
    tally = rehearse(SCENARIOS['usual'], 25, seed=11)
    assert tally.wrong == 0
    assert tally.right >= 20


def test_a_localizer_that_falls_silent_is_not_asked_and_goes_on(monkeypatch):
    asked = []
    original = LocalizerStandIn.belief

    def belief(self, sample, stamp_ns):
        asked.append(sample)
        return original(self, sample, stamp_ns)

    monkeypatch.setattr(LocalizerStandIn, 'belief', belief)
    trip = take_trip(replace(EXACT, kidnapped=False, silent=1.0), rng(2))
    missing = set(range(min(asked), max(asked), asked[1] - asked[0])) - set(asked)
    assert 3 <= len(missing) * (asked[1] - asked[0]) / RATE_HZ <= 18.5
    assert (trip.resets, trip.false_alarm) == ([], False)
    # The robot is driven, and known to be well, all the while.
    assert trip.driven_s > 55


@pytest.mark.parametrize('values', [{'rate_hz': 0.0}, {'refused': 1.5}, {'errors': math.nan}])
def test_worlds_that_are_none_are_refused(values):
    with pytest.raises(ConfigError):
        replace(EXACT, **values)


def test_every_scenario_has_a_name_of_its_own_and_says_what_it_is():
    assert all(name == scenario.name for name, scenario in SCENARIOS.items())
    assert all(scenario.about for scenario in SCENARIOS.values())
