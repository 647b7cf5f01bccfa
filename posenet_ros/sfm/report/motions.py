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

"""How the labels move beside the reference: over a second, and over the whole way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Trajectory
from posenet_ros.reporting.maps import finish_map, limits_around, new_map, TopView
from posenet_ros.reporting.style import BASELINES, ESTIMATE, INK, new_figure, TRAIN
from posenet_ros.sfm.agreement import Differences, differences
from posenet_ros.sfm.report.beside import Beside
from posenet_ros.sfm.report.timeline import Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TOLERANCE = '#C4C4C4'
# What is beyond this many of the largest tolerance is drawn at the upper edge.
_SHOWN = 1.6
# More motions than this are drawn finer.
_MANY = 1000
# The reference's path is shown as far as it stays within this many extents of the labels.
_BEYOND = 1.0


def residual_figure(camera: Trajectory, told: Trajectory, timeline: Timeline) -> Figure:
    """
    Draw by how much each motion of half a second and a second differs, and may differ.

    `camera` are the poses by the images, `told` those by the reference at the same stamps.
    """
    off = differences(camera, told)
    seconds = timeline.seconds(camera.stamps_ns[off.over.middle])
    figure, axes = new_figure(rows=2, width=10.0, height=5.4)
    parts = (
        ('difference [m]', off.metres, off.most_metres),
        ('difference [deg]', off.degrees, off.most_degrees),
    )
    for each, (label, values, most) in zip(axes, parts):
        _draw_residuals(each, seconds, values, most, off)
        each.set_ylabel(label, color=INK)
        timeline.draw_pauses(each)
    timeline.draw(axes[-1])
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=3, frameon=False, fontsize=9)
    return figure


def _draw_residuals(
    axes: Axes,
    seconds: NDArray[np.float64],
    values: NDArray[np.float64],
    most: NDArray[np.float64],
    off: Differences,
) -> None:
    moved, agree = off.moved, off.agree
    top = _SHOWN * float(most[moved].max(initial=1e-3))
    axes.plot(
        seconds[moved],
        most[moved],
        '_',
        color=_TOLERANCE,
        markersize=6 if moved.sum() < _MANY else 2,
        label='tolerance of each',
    )
    for mask, colour, name in (
        (moved & agree, TRAIN, 'motions that agree'),
        (moved & ~agree, ESTIMATE, 'motions that do not'),
    ):
        axes.plot(
            seconds[mask], np.minimum(values[mask], top), '.', color=colour, ms=5, label=name
        )
    axes.set_ylim(0, 1.04 * top)


def path_figure(beside: Beside, timeline: Timeline) -> Figure:
    """Draw the path of the labels beside that of the reference."""
    view = TopView()
    by_images, told = (view.page(path.translations) for path in (beside.camera, beside.told))
    low, high = limits_around(by_images)
    beyond = _BEYOND * float((high - low).max())
    both = limits_around(np.concatenate([by_images, told]))
    limits = np.stack([np.maximum(both[0], low - beyond), np.minimum(both[1], high + beyond)])
    figure, axes = new_map(limits)
    breaks = np.flatnonzero(timeline.gaps(beside.camera.stamps_ns)) + 1
    for path, colour, width, label in (
        (told, BASELINES[2], 1.2, f'by {beside.name}'),
        (by_images, TRAIN, 1.8, 'by the images'),
    ):
        line = np.insert(path, breaks, np.nan, axis=0)
        axes.plot(*line.T, '-', color=colour, linewidth=width, label=label)
    if beside.drifts:
        begins = by_images[[piece.start for piece in beside.pieces]]
        axes.plot(
            *begins.T,
            'o',
            color=INK,
            markerfacecolor='white',
            markersize=7,
            label='laid onto each other here',
        )
    finish_map(figure, axes, view, limits)
    return figure
