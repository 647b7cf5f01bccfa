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

"""What became of every moment of the recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S
from posenet_ros.reporting.style import BASELINES, ESTIMATE, INK, new_figure, TRAIN
from posenet_ros.sfm.gates import reason_kind
from posenet_ros.sfm.report.result import LabelResult
from posenet_ros.sfm.report.timeline import Timeline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_KINDS = 6
_NOTHING = '#BBBBBB'
_KIND_COLOURS = (ESTIMATE, BASELINES[1], BASELINES[2], '#56B4E9', '#882255', '#332288')
# The sharpest frame of each interval may be its first or its last: this is more than chance.
_GAP = 2.2
# The share of the picture that a single frame has at least.
_LEAST_WIDTH = 0.002


class Row(NamedTuple):
    """A kind of frame with the stretches (begin and end on the time axis) that it has."""

    name: str
    colour: str
    spans: list[tuple[float, float]]


def coverage_figure(result: LabelResult) -> Figure:
    """Draw a row for the labelled frames, each kind of rejected ones, and times without any."""
    rows, timeline = coverage_rows(result), result.timeline
    figure, (axes,) = new_figure(width=10.0, height=1.0 + 0.36 * len(rows))
    least = _LEAST_WIDTH * max(timeline.length_s, timeline.usual_s)
    for index, row in enumerate(rows):
        bars = [(begin, max(end - begin, least)) for begin, end in row.spans]
        axes.broken_barh(bars, (index - 0.36, 0.72), facecolors=row.colour, linewidth=0)
    axes.set_yticks(range(len(rows)), [row.name for row in rows], color=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis='y', length=0)
    axes.grid(False, axis='y')
    axes.spines['left'].set_visible(False)
    timeline.draw(axes)
    return figure


def coverage_rows(result: LabelResult) -> list[Row]:
    """Return the rows of the picture, from top to bottom."""
    timeline, labelled = result.timeline, result.labels.stamps_ns
    cells = _cells(result.chosen_ns, timeline)
    index_of = {stamp_ns: index for index, stamp_ns in enumerate(result.chosen_ns)}

    def row(name: str, colour: str, stamps_ns: Sequence[int]) -> Row:
        indices = sorted(index_of[stamp_ns] for stamp_ns in stamps_ns if stamp_ns in index_of)
        return Row(f'{name} ({len(stamps_ns)})', colour, _merged(cells[indices]))

    rows = [row('labelled', TRAIN, labelled.tolist())]
    kinds = Counter(reason_kind(each.reason) for each in result.rejected)
    named = [kind for kind, _ in kinds.most_common(_MOST_KINDS)]
    if len(kinds) > _MOST_KINDS:
        named[-1] = 'other reasons'
    for kind, colour in zip(named, _KIND_COLOURS):
        chosen = [
            each.stamp_ns
            for each in result.rejected
            if _named(reason_kind(each.reason), named) == kind
        ]
        rows.append(row(kind, colour, chosen))
    gaps = [(end, begin) for (_, end), (begin, _) in pairwise(cells) if begin > end + 1e-9]
    if gaps:
        rows.append(Row('no frame', _NOTHING, gaps))
    return rows


def _named(kind: str, named: Sequence[str]) -> str:
    return kind if kind in named else named[-1]


def _cells(stamps_ns: Sequence[int], timeline: Timeline) -> NDArray[np.float64]:
    """
    Return the part (N, 2) of the time axis that each frame stands for.

    It reaches halfway to its neighbours; where these are too far, as far as is usual.
    """
    at = timeline.seconds(stamps_ns)
    half = np.diff(at) / 2
    half[np.diff(stamps_ns) / NS_PER_S > _GAP * timeline.usual_s] = timeline.usual_s / 2
    ends = np.full(1, timeline.usual_s / 2)
    return np.stack([at - np.concatenate([ends, half]), at + np.concatenate([half, ends])], axis=1)


def _merged(cells: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return spans, those that touch joined into one."""
    merged: list[tuple[float, float]] = []
    for begin, end in cells.reshape(-1, 2).tolist():
        if merged and begin <= merged[-1][1] + 1e-9:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    return merged
