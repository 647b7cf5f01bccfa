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

"""
The picture of figure 8: a column a kind, images above, errors and answers below.

Where the model has a map, green is what it verifies: errors of these alone, and their share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.degradations import degraded, LEVELS
from posenet_ros.reporting.style import blank_figure, dress, ESTIMATE, INK, TRAIN, TRUTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from posenet_ros.explain.confirmed import Verified
    from posenet_ros.explain.robustness import Condition

_WIDTH = 12.0
_CURVES = 1.5
_REFUSED = '#BBBBBB'
_VERIFIED = TRAIN
_SHOWN_WIDTH = 320


def picture(
    rgb: NDArray[np.uint8],
    as_are: Condition,
    kinds: Mapping[str, Sequence[Condition]],
    unit: str,
) -> Figure:
    """Draw one image at all levels of each kind, and what became of all of them beneath."""
    shape = rgb.shape[0] / rgb.shape[1]
    tall = _WIDTH / len(kinds) * shape + (0.36 if as_are.verified else 0.25)
    rows: list[list[Axes]] = [[] for _ in range(4 if as_are.verified else 3)]
    ratios = [tall] * len(LEVELS) + [_CURVES] * len(rows)
    figure = blank_figure(_WIDTH, sum(ratios) + 1.2)
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    grid = figure.add_gridspec(len(ratios), len(kinds), height_ratios=ratios)
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
        _curve(rows[0][-1], every, 'median_position')
        _curve(rows[1][-1], every, 'median_orientation_deg')
        _shares(rows[2][-1], every)
        if as_are.verified:
            _verified(rows[3][-1], every)
    return _finished(figure, rows, unit)


def _image(axes: Axes, rgb: NDArray[np.uint8], condition: Condition, unit: str) -> None:
    step = max(rgb.shape[1] // _SHOWN_WIDTH, 1)
    axes.imshow(rgb[::step, ::step])
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    degrees = condition.median_orientation_deg
    whose = 'network' if condition.verified else 'median'
    said = f'{whose} {condition.median_position:.2f} {unit}  {degrees:.1f} deg'
    if condition.verified:
        said += f'\n{_few_words(condition.verified, unit)}'
    axes.set_xlabel(said, fontsize=9, color=INK, labelpad=2)


def _few_words(verified: Verified, unit: str) -> str:
    if not verified.verified:
        return 'none verified'
    wrong = f', {len(verified.wrong)} wrong' if verified.wrong else ''
    return f'verified {100 * verified.share:.0f} %  {verified.median_position:.3f} {unit}{wrong}'


def _curve(axes: Axes, conditions: Sequence[Condition], name: str) -> None:
    """Draw an error of the network by level, and that of what is verified."""
    dress(axes)
    errors = [getattr(each, name) for each in conditions]
    lines = [(errors, ESTIMATE, 'o-', 'median error: network, all images')]
    if conditions[0].verified:
        of_map = [getattr(each.verified, name) for each in conditions]
        lines.append((of_map, _VERIFIED, 's-', 'verified'))
    for values, colour, style, label in lines:
        known = [
            (each.level, value) for each, value in zip(conditions, values) if math.isfinite(value)
        ]
        axes.plot(*(zip(*known) if known else ([], [])), style, color=colour, ms=4, label=label)
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


def _verified(axes: Axes, conditions: Sequence[Condition]) -> None:
    """Stack what the map verified: right, and wrong."""
    dress(axes)
    levels = [each.level for each in conditions]
    wrong = np.array([len(each.verified.wrong) / each.verified.images for each in conditions])
    right = np.array([each.verified.share for each in conditions]) - wrong
    axes.bar(levels, right, 0.8, color=_VERIFIED, label='verified')
    axes.bar(levels, wrong, 0.8, right, color=INK, label='verified, and wrong')
    axes.set_ylim(0, 1)


def _finished(figure: Figure, rows: Sequence[Sequence[Axes]], unit: str) -> Figure:
    """Label what the columns share once, and give the shares a legend."""
    labels = (
        f'median position\nerror [{unit}]',
        'median orientation\nerror [deg]',
        'share of images' if len(rows) == 3 else 'network: share\nof images',
        'share verified\nby the map',
    )
    for axes in rows[-1]:
        axes.set_xlabel('level', color=INK, fontsize=9)
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
    explained = [rows[2][0], *(each[0] for each in rows[3:])]
    legends = [axes.get_legend_handles_labels() for axes in explained]
    handles, told = (list(chain(*parts)) for parts in zip(*legends))
    figure.legend(handles, told, loc='outside lower center', ncols=5, frameon=False, fontsize=9)
    return figure
