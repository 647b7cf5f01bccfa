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

"""The picture of a drill: what is in it."""

from __future__ import annotations

from posenet_ros.drill.picture import draw, example
from posenet_ros.drill.record import Record
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.simulation.world import make_world
import pytest

HERE, THERE, BACK = Spot(1, 1, 0), Spot(6, 5, 0), Spot(5, 5, 0)


@pytest.fixture(scope='module')
def world():
    return make_world(0)


@pytest.fixture
def make_trip(make_plan):
    """Return a maker of trips: recovered after 4 s, or not."""

    def make(number: int, *, recovered: bool = True, off_m: float = 0.0, **chosen) -> Record:
        record = Record('kidnapped', make_plan(number=number, **chosen))
        record.states.append((0.0, 'tracking'))
        record.see(5.0, HERE, (0.0, 0.0))
        record.lift(6.0, HERE)
        record.put(8.0, THERE)
        record.see(8.1, THERE, (6.0, 0.0))
        record.hear_state(10.0, 'kidnapped')
        if recovered:
            record.hear_reset(12.0, (off_m, 0.0), 'sent, taken')
            record.well(12.0, BACK, (0.0, 0.0))
        record.see(12.1, BACK, (0.0, 0.0))
        return record

    return make


def test_the_trip_that_is_shown_is_one_to_look_at(make_trip):
    late, right = make_trip(0, recovered=False), make_trip(1)
    assert example([late, right]) is right
    wrong = make_trip(2, off_m=3.0)
    assert example([late, right, wrong]) is wrong
    assert example([late]) is late
    assert example([]) is None


def test_the_plan_marks_where_robots_were_and_counts_them(world, make_trip):
    figure = draw(world, [make_trip(0), make_trip(1, recovered=False), make_trip(2)])
    plan, time, states = figure.axes
    said = [text.get_text() for text in plan.get_legend().get_texts()]
    assert said == ['taken (3)', 'set down (3)', 'recovered (2)', 'not in time (1)']
    marks = {each.get_label(): each.get_offsets() for each in plan.collections}
    assert marks['taken (3)'].tolist() == [[1, 1]] * 3
    assert marks['recovered (2)'].tolist() == [[5, 5]] * 2
    # The world, in metres, with what is told of it.
    low, high = plan.get_xlim()
    assert low < 0 < 8 < high
    assert time.get_title(loc='left') == 'trip 1: right'
    said = [text.get_text() for text in states.get_legend().get_texts()]
    assert said == ['tracking', 'kidnapped']


def test_a_drill_in_which_nobody_was_carried_can_be_drawn(world, make_plan):
    record = Record('driving', make_plan())
    record.see(0.0, HERE, (0.0, 0.0))
    record.see(1.0, THERE, (0.1, 0.0))
    draw(world, [record]).canvas.draw()
