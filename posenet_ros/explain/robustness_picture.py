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

"""The picture of figure 8: a column a kind, images above, errors and answers below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.degradations import degraded, LEVELS
from posenet_ros.reporting.style import blank_figure, dress, ESTIMATE, INK, TRUTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from posenet_ros.explain.robustness import Condition

_WIDTH = 12.0
_CURVES = 1.5
_REFUSED = '#BBBBBB'
_SHOWN_WIDTH = 320


def picture(
    rgb: NDArray[np.uint8],
    as_are: Condition,
    kinds: Mapping[str, Sequence[Condition]],
    unit: str,
) -> Figure:
    """Draw one image at all levels of each kind, and what became of all of them beneath."""
    shape = rgb.shape[0] / rgb.shape[1]
    tall = _WIDTH / len(kinds) * shape + 0.25
    ratios = [tall] * len(LEVELS) + [_CURVES] * 3
    figure = blank_figure(_WIDTH, sum(ratios) + 1.2)
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    grid = figure.add_gridspec(len(ratios), len(kinds), height_ratios=ratios)
    rows: list[list[Axes]] = [[], [], []]
    for column, (kind, levels) in enumerate(kinds.items()):
        for row, condition in enumerate(levels):
            axes = figure.add_subplot(grid[row, column])
            _image(axes, degraded(rgb, kind, condition.level, 0), condition, unit)
            if row == 0:
                axes.set_title(kind, fontsize=11, color=INK)
            if column == 0:
                axes.set_ylabel(f'level {condition.level}', color=INK, fontsize=9)
        for number, row_axes in enumerate(rows):
            first = row_axes[0] if row_axes else None
            axes = figure.add_subplot(grid[len(LEVELS) + number, column], sharey=first)
            row_axes.append(axes)
        every = [as_are, *levels]
        _curve(rows[0][-1], every, [each.median_position for each in every])
        _curve(rows[1][-1], every, [each.median_orientation_deg for each in every])
        _shares(rows[2][-1], every)
    return _finished(figure, rows, unit)


def _image(axes: Axes, rgb: NDArray[np.uint8], condition: Condition, unit: str) -> None:
    step = max(rgb.shape[1] // _SHOWN_WIDTH, 1)
    axes.imshow(rgb[::step, ::step])
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    degrees = condition.median_orientation_deg
    said = f'median {condition.median_position:.2f} {unit}  {degrees:.1f} deg'
    axes.set_xlabel(said, fontsize=9, color=INK, labelpad=2)


def _curve(axes: Axes, conditions: Sequence[Condition], errors: Sequence[float]) -> None:
    dress(axes)
    known = [
        (each.level, error) for each, error in zip(conditions, errors) if math.isfinite(error)
    ]
    axes.plot(*zip(*known), 'o-', color=ESTIMATE, markersize=4) if known else None
    if math.isfinite(errors[0]):
        axes.axhline(errors[0], color=INK, linewidth=0.8, linestyle=':')


def _shares(axes: Axes, conditions: Sequence[Condition]) -> None:
    """Stack what became of the images: answered well, answered and misleading, refused."""
    dress(axes)
    levels = [each.level for each in conditions]
    refused = np.array([each.refused for each in conditions])
    outside = np.array([each.outside or 0 for each in conditions])
    parts = {
        'answered, in its 95 % region': (1 - refused - outside, TRUTH),
        'answered, outside of it': (outside, ESTIMATE),
        'refused': (refused, _REFUSED),
    }
    if conditions[0].outside is None:
        parts = {'answered': (1 - refused, TRUTH), 'refused': (refused, _REFUSED)}
    bottom = np.zeros(len(levels))
    for label, (share, colour) in parts.items():
        axes.bar(levels, share, 0.8, bottom, color=colour, label=label)
        bottom += share
    axes.set_ylim(0, 1)
    axes.set_xlabel('level', color=INK, fontsize=9)


def _finished(figure: Figure, rows: Sequence[Sequence[Axes]], unit: str) -> Figure:
    """Label what the columns share once, and give the shares a legend."""
    labels = (
        f'median position\nerror [{unit}]',
        'median orientation\nerror [deg]',
        'share of images',
    )
    for row, label in zip(rows, labels):
        row[0].set_ylabel(label, color=INK, fontsize=9)
        for axes in row:
            axes.set_xlim(-0.5, LEVELS[-1] + 0.5)
            axes.set_xticks([0, *LEVELS])
        for axes in row[1:]:
            axes.tick_params(labelleft=False)
    for row in rows[:2]:
        # Of all columns, which share it: none of them knows the others before.
        row[0].set_ylim(bottom=0)
    handles, told = rows[2][0].get_legend_handles_labels()
    figure.legend(handles, told, loc='outside lower center', ncols=3, frameon=False, fontsize=9)
    return figure
