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

"""The table of a rehearsal for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from posenet_ros.recovery.rehearsal.tally import share, Tally

_HEADINGS = (
    'scenario',
    'trips',
    'right',
    'late',
    'wrong resets',
    'at most',
    'false alarms',
    'at most',
    'median',
    '95 %',
)


def text_table(tallies: Sequence[Tally]) -> str:
    """Return one line a scenario; `at most` are the upper 95 % bounds, times those to recovery."""
    rows = [_HEADINGS, *(_cells(tally) for tally in tallies)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = []
    for row in rows:
        first, *others = (
            f'{cell:<{width}}' if column == 0 else f'{cell:>{width}}'
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append('  '.join([first, *others]).rstrip())
    return '\n'.join(lines)


def _cells(tally: Tally) -> tuple[str, ...]:
    counted = tally.right + tally.late + tally.wrong
    return (
        tally.scenario,
        str(tally.trips),
        _percent(tally.right / counted) if tally.right + tally.late else '-',
        _percent(tally.late / counted) if tally.right + tally.late else '-',
        str(tally.wrong),
        _percent(share(tally.wrong, tally.trips)[1]),
        str(tally.false_alarms),
        _percent(share(tally.false_alarms, tally.trips)[1]),
        _seconds(tally.percentile_s(50)),
        _seconds(tally.percentile_s(95)),
    )


def _percent(value: float) -> str:
    return f'{100 * value:.1f} %' if value >= 0.1 else f'{100 * value:.2f} %'


def _seconds(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f} s'
