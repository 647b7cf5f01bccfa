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

"""The picture of a drill: where robots were taken and recovered, and one trip over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.drill.record import Record
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.recovery.rehearsal.trip import RIGHT_M
from posenet_ros.reporting.style import (
    BASELINES,
    blank_figure,
    dress,
    ESTIMATE,
    INK,
    TRAIN,
    TRUTH,
)
from posenet_ros.simulation.preview import bare_plan, plan_extent
from posenet_ros.simulation.world import World

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PIXELS = 900
# Seconds before the robot was taken, and after it was recovered, that are shown.
_BEFORE_S, _AFTER_S = 6.0, 3.0
_STATES = {
    'unknown': '#BBBBBB',
    'tracking': TRAIN,
    'suspect': '#E69F00',
    'kidnapped': ESTIMATE,
    'recovering': TRUTH,
}
_LONGEST_S = 90.0


def draw(world: World, records: Sequence[Record]) -> Figure:
    """Return the picture of all trips."""
    length, breadth = world.size[:2]
    high = 7.5 * breadth / length
    figure = blank_figure(8.6, high + 4.4)
    plan, time, states = figure.subplots(3, 1, gridspec_kw={'height_ratios': [high, 2.2, 0.25]})
    _draw_plan(plan, world, records)
    shown = example(records)
    dress(time)
    if shown is not None:
        _draw_time(time, states, shown)
    return figure


def example(records: Sequence[Record]) -> Record | None:
    """Return the trip that shows most: wrong ones first, then the first that was recovered."""
    ranks = {'wrong': 0, 'false alarm': 1, 'right': 2, 'late': 3}

    def rank(record: Record) -> tuple[int, bool, int]:
        quick = record.plan.lost or not record.trip.resets
        return ranks[record.verdict], quick, record.plan.number

    return min(records, key=rank, default=None)


def _draw_plan(axes: Axes, world: World, records: Sequence[Record]) -> None:
    extent = plan_extent(world)
    pale = 255 - (255 - bare_plan(world, _PIXELS).astype(float)) * 0.45
    axes.imshow(pale.astype(np.uint8), extent=extent, interpolation='bilinear')
    in_map = [record for record in records if record.trip.in_map]
    for record in in_map:
        if record.taken is not None and record.set_down is not None:
            axes.annotate(
                '',
                record.set_down[:2],
                record.taken[:2],
                arrowprops={
                    'arrowstyle': '-',
                    'color': BASELINES[0],
                    'linestyle': ':',
                    'linewidth': 0.7,
                },
            )
        if record.recovered is not None and record.set_down is not None:
            axes.plot(*_way_back(record).T, '-', color=TRAIN, linewidth=1.2)
    _mark(axes, [r.taken for r in records], 'o', BASELINES[0], 'taken', False)
    carried = [r.set_down for r in in_map if not r.plan.lost]
    _mark(axes, carried, '^', TRUTH, 'set down', True)
    switched_on = [r.set_down for r in in_map if r.plan.lost]
    _mark(axes, switched_on, 's', TRUTH, 'switched on, without a localizer', True)
    _mark(axes, [r.recovered for r in in_map], 'o', TRAIN, 'recovered', True)
    never = [r.set_down for r in in_map if r.set_down and r.verdict == 'late']
    _mark(axes, never, 'x', ESTIMATE, 'not in time', True)
    wrong = [r.set_down or r.taken for r in records if r.verdict in ('wrong', 'false alarm')]
    _mark(axes, wrong, 'X', ESTIMATE, 'sent elsewhere, or false alarm', True)
    axes.set_xlabel('map x [m]', color=INK)
    axes.set_ylabel('map y [m]', color=INK)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc='upper center', bbox_to_anchor=(0.5, 1.09), ncols=5, frameon=False)


def _way_back(record: Record) -> NDArray[np.float64]:
    """Return the way (N, 2) from where a robot was set down to where it was recovered."""
    begins = record.set_down_s or 0.0
    ends = begins + (record.trip.recovered_s or 0.0)
    way = [spot[:2] for spot, (at, *_) in zip(record.way, record.errors) if begins <= at <= ends]
    return np.array(way).reshape(-1, 2)


def _mark(
    axes: Axes, spots: Sequence[Spot | None], marker: str, colour: str, label: str, filled: bool
) -> None:
    there = np.array([spot[:2] for spot in spots if spot is not None]).reshape(-1, 2)
    if not len(there):
        return
    face = colour if filled or marker == 'x' else 'none'
    edge = 'white' if filled and marker != 'x' else colour
    axes.scatter(
        *there.T,
        s=45,
        marker=marker,
        facecolors=face,
        edgecolors=edge if marker != 'x' else None,
        linewidths=1.0,
        label=f'{label} ({len(there)})',
        zorder=3,
    )


def _draw_time(axes: Axes, states: Axes, record: Record) -> None:
    """Draw the error of the localizer over time, with what happened, and the states below."""
    taken_s = next((each.seconds for each in record.events), 0.0)
    zero = record.set_down_s if record.set_down_s is not None else taken_s
    seconds, metres, _ = np.array(record.errors).T
    first = max(taken_s - _BEFORE_S, seconds[0])
    ended = zero + (record.trip.recovered_s or _LONGEST_S) + _AFTER_S
    last = min(seconds[-1], ended)
    axes.plot(seconds - zero, metres, color=INK, linewidth=1.4)
    axes.axhline(RIGHT_M, color=TRAIN, linewidth=0.8, linestyle='--')
    top = max(float(np.nanmax(np.append(metres, 1.0))) * 1.25, 1.0)
    if record.taken is not None and record.set_down_s is not None:
        axes.axvspan(taken_s - zero, 0, color='#DDDDDD')
    for each in record.events:
        at = each.seconds - zero
        axes.axvline(at, color=BASELINES[0], linewidth=0.8)
        # A reset and what came of it are at nearly the same instant.
        side = 'left' if each.what in ('recovered', 'set down') else 'right'
        axes.text(
            at,
            0.97 * top,
            each.what,
            rotation=90,
            va='top',
            ha=side,
            fontsize=8,
            clip_on=True,
            bbox={'facecolor': 'white', 'alpha': 0.7, 'edgecolor': 'none', 'pad': 1.0},
        )
    for axis in (axes, states):
        axis.set_xlim(first - zero, last - zero)
    axes.tick_params(labelbottom=False)
    axes.set_ylim(0, top)
    axes.set_ylabel('localizer off by [m]', color=INK)
    number = record.plan.number + 1
    axes.set_title(f'trip {number}: {record.verdict}', fontsize=10, color=INK, loc='left')
    _draw_states(states, record, zero, first, last)


def _draw_states(axes: Axes, record: Record, zero: float, first: float, last: float) -> None:
    told = [*record.states, (last, '')]
    seen = set()
    for (begins, state), (ends, _) in pairwise(told):
        if ends <= first:
            continue
        label = None if state in seen else state
        seen.add(state)
        colour = _STATES.get(state, INK)
        axes.axvspan(begins - zero, max(ends, begins) - zero, color=colour, label=label)
    axes.set_yticks([])
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.set_xlabel('seconds since the robot was set down', color=INK)
    if seen:
        axes.legend(
            loc='upper center', bbox_to_anchor=(0.5, -1.6), ncols=5, frameon=False, fontsize=9
        )
