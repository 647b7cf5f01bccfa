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

"""What is counted of a trip, by trips with a known end."""

from __future__ import annotations

import json
import math

from posenet_ros.drill.record import FINE_S, Record, right
from posenet_ros.recovery.rehearsal.floor import Spot
import pytest

HERE, THERE = Spot(1, 1, 0), Spot(4, 5, 0)
NEAR, FAR = (0.1, 0.01), (5.0, 1.0)


def begun(plan, scenario='kidnapped'):
    """A robot that was set down after 10 s, with its localizer left behind."""
    record = Record(scenario, plan)
    record.see(5.0, HERE, NEAR)
    record.lift(8.0, HERE)
    record.see(9.0, HERE, FAR, in_the_air=True)
    record.put(10.0, THERE)
    record.see(10.1, THERE, FAR)
    return record


def test_right_is_within_thirty_centimetres_and_six_degrees():
    assert right((0.3, math.radians(6)))
    assert not right((0.31, 0.0))
    assert not right((0.0, math.radians(6.1)))
    assert not right(None)


def test_a_robot_whose_localizer_is_right_again_is_recovered(make_plan):
    record = begun(make_plan())
    record.hear_state(13.0, 'kidnapped')
    record.hear_reset(14.0, (0.2, 0.01), 'sent, taken')
    assert record.well(14.5, THERE, NEAR)
    assert record.well(15.0, THERE, FAR), 'once is enough'
    assert record.verdict == 'right'
    assert record.trip.recovered_s == pytest.approx(4.5)
    assert record.recovered == THERE
    assert 'recovered after 4.5 s' in record.line
    assert '5.0 m away' in record.line


def test_a_localizer_that_comes_right_by_itself_is_not_the_nodes_doing(make_plan):
    record = begun(make_plan())
    assert not record.well(14.5, THERE, NEAR)
    assert record.verdict == 'late'
    assert 'not recovered in 20 s' in record.line


def test_what_comes_after_twenty_seconds_is_late(make_plan):
    record = begun(make_plan())
    record.hear_reset(30.0, NEAR, 'sent, taken')
    record.well(30.5, THERE, NEAR)
    assert record.verdict == 'late'


def test_a_reset_a_metre_off_is_wrong_whatever_follows(make_plan):
    record = begun(make_plan())
    record.hear_reset(14.0, (1.01, 0.0), 'sent, taken')
    record.hear_reset(15.0, NEAR, 'sent, taken')
    record.well(15.5, THERE, NEAR)
    assert record.verdict == 'wrong'
    assert record.trip.wrong == 1


def test_where_nothing_is_in_the_map_every_reset_is_wrong(make_plan):
    silent = begun(make_plan(), 'elsewhere')
    assert silent.verdict == 'right'
    record = begun(make_plan(), 'elsewhere')
    record.hear_reset(14.0, (math.inf, 0.0), 'sent, taken')
    assert record.verdict == 'wrong'
    assert json.loads(json.dumps(record.to_dict()))['sent'][0]['off_m'] is None


@pytest.mark.parametrize(
    ('fine_for_s', 'off', 'alarm'),
    [(2 * FINE_S, NEAR, True), (FINE_S / 2, NEAR, False), (2 * FINE_S, FAR, False)],
)
def test_an_alarm_is_false_where_the_localizer_has_been_fine(make_plan, fine_for_s, off, alarm):
    record = Record('kidnapped', make_plan())
    record.see(0.0, HERE, off)
    record.hear_state(fine_for_s, 'kidnapped')
    assert record.trip.false_alarm is alarm
    record = Record('kidnapped', make_plan())
    record.see(0.0, HERE, off)
    record.hear_reset(fine_for_s, (0.1, 0.0), 'sent, taken')
    assert record.trip.false_alarm is alarm


def test_in_the_air_nothing_is_fine(make_plan):
    record = Record('kidnapped', make_plan())
    record.see(0.0, HERE, NEAR, in_the_air=True)
    record.hear_state(9.0, 'kidnapped')
    assert not record.trip.false_alarm


@pytest.mark.parametrize('state', ['kidnapped', 'recovering'])
def test_while_nobody_carries_it_every_alarm_is_false(make_plan, state):
    record = Record('driving', make_plan())
    record.see(0.0, HERE, FAR)
    record.hear_state(0.1, 'suspect')
    assert record.verdict == 'right'
    record.hear_state(0.2, state)
    assert record.verdict == 'false alarm'


def test_a_robot_that_is_switched_on_has_no_place_where_it_was_taken(make_plan):
    record = Record('kidnapped', make_plan(lost=True))
    record.put(1.0, HERE)
    assert record.trip.lost
    assert not record.trip.kidnapped
    assert 'no localizer from the start' in record.line
    assert record.events[0].what == 'switched on'


def test_errors_are_kept_ten_times_a_second(make_plan):
    record = Record('kidnapped', make_plan())
    for tick in range(51):
        record.see(tick / 50, HERE, None if tick < 20 else NEAR)
    assert 10 <= len(record.errors) <= 11
    assert math.isnan(record.errors[0][1])
    assert len(record.way) == len(record.errors)


def test_what_amcl_refuses_is_told(make_plan):
    record = begun(make_plan())
    record.refused.append('the frame is wrong')
    assert 'AMCL refuses: the frame is wrong' in record.line
    assert record.to_dict()['refused_by_amcl'] == ['the frame is wrong']
