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

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Pose, Trajectory
from posenet_ros.reporting.maps import finish_map, limits_around, new_map, TopView
from posenet_ros.reporting.style import ESTIMATE, INK, new_figure, TRAIN
from posenet_ros.sfm.agreement import Differences, differences
from posenet_ros.sfm.alignment import Alignment
from posenet_ros.sfm.clock import reference_at
from posenet_ros.sfm.reference import Reference
from posenet_ros.sfm.report.result import LabelResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TOLERANCE = '#C4C4C4'
_PATH_COLOURS = (TRAIN, '#E69F00')
# Odometry begins anew in each recording; within one it hardly pauses as long.
_ANEW_S = 6.0
# Where a path begins anew it is laid onto the labels over this time, as the map was at first.
_BEGINNING_S = 5.0
# The reference's path is shown as far as it stays within this many extents of the labels.
_BEYOND = 1.0


def checked_paths(
    result: LabelResult, alignment: Alignment, reference: Reference
) -> tuple[Trajectory, Trajectory]:
    """Return the poses of the frames that the reference covers: by the images, and by it."""
    camera = result.map_from_camera.select(alignment.checked)
    told = reference_at(camera.stamps_ns, reference.odom_from_camera, alignment.offset_s)
    return camera, told


def residual_figure(result: LabelResult, camera: Trajectory, told: Trajectory) -> Figure:
    """Draw by how much each motion of half a second and a second differs, and may differ."""
    off = differences(camera, told)
    middle_ns = camera.stamps_ns[off.over.middle]
    seconds = result.timeline.seconds(middle_ns)
    figure, axes = new_figure(rows=2, width=10.0, height=5.4)
    parts = (
        ('difference [m]', off.metres, off.most_metres),
        ('difference [deg]', off.degrees, off.most_degrees),
    )
    for each, (label, values, most) in zip(axes, parts):
        _draw_residuals(each, seconds, values, most, off)
        each.set_ylabel(label, color=INK)
        result.timeline.draw_pauses(each)
    result.timeline.draw(axes[-1])
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
    top = 1.6 * float(most[moved].max(initial=1e-3))
    axes.plot(
        seconds[moved], most[moved], '_', color=_TOLERANCE, markersize=6, label='tolerance of each'
    )
    for mask, colour, name in (
        (moved & agree, TRAIN, 'motions that agree'),
        (moved & ~agree, ESTIMATE, 'motions that do not'),
    ):
        axes.plot(
            seconds[mask], np.minimum(values[mask], top), '.', color=colour, ms=5, label=name
        )
    axes.set_ylim(0, 1.04 * top)


def path_figure(result: LabelResult, camera: Trajectory, told: Trajectory, name: str) -> Figure:
    """Draw the path of the labels beside that of the reference, which is called `name`."""
    view = TopView(unit=result.unit)
    drifts = result.alignment is None or result.alignment.anchor is None
    pieces = _pieces(camera.stamps_ns)
    by_images = [view.page(camera.translations[piece]) for piece in pieces]
    by_reference = [
        view.page(_laid(told.select(piece), camera.select(piece), drifts).translations)
        for piece in pieces
    ]
    low, high = limits_around(np.concatenate(by_images))
    beyond = _BEYOND * float((high - low).max())
    both = limits_around(np.concatenate([*by_images, *by_reference]))
    limits = np.stack([np.maximum(both[0], low - beyond), np.minimum(both[1], high + beyond)])
    figure, axes = new_map(limits)
    for paths, colour, width, label in (
        (by_reference, _PATH_COLOURS[1], 1.4, f'by {name}'),
        (by_images, _PATH_COLOURS[0], 2.0, 'by the images'),
    ):
        for index, (path, piece) in enumerate(zip(paths, pieces)):
            line = np.insert(
                path, np.flatnonzero(result.timeline.gaps(camera.stamps_ns[piece])) + 1, np.nan, 0
            )
            axes.plot(*line.T, '-', color=colour, linewidth=width, label=None if index else label)
    for index, path in enumerate(by_images):
        axes.plot(
            *path[0],
            'o',
            color=INK,
            markerfacecolor='white',
            markersize=7,
            label=None if index else 'laid onto each other here',
        )
    finish_map(figure, axes, view, limits)
    return figure


def path_drift(camera: Trajectory, told: Trajectory) -> tuple[float, float]:
    """Return how long the labels' longest piece is, and how far apart the paths end there."""
    piece = max(_pieces(camera.stamps_ns), key=lambda each: each.stop - each.start)
    by_images = camera.select(piece)
    laid = _laid(told.select(piece), by_images, drifts=True)
    steps = np.linalg.norm(np.diff(by_images.translations, axis=0), axis=1)
    apart = np.linalg.norm(laid.translations[-1] - by_images.translations[-1])
    return float(steps.sum()), float(apart)


def _pieces(stamps_ns: NDArray[np.int64]) -> list[slice]:
    """Return the stretches of frames without a long pause."""
    breaks = np.flatnonzero(np.diff(stamps_ns) > _ANEW_S * NS_PER_S) + 1
    return [slice(begin, end) for begin, end in pairwise([0, *breaks.tolist(), len(stamps_ns)])]


def _laid(told: Trajectory, camera: Trajectory, drifts: bool) -> Trajectory:
    """Return a stretch of the reference laid onto the labels where it begins."""
    if not drifts:
        return told
    begin = camera.stamps_ns <= camera.stamps_ns[0] + _BEGINNING_S * NS_PER_S
    turn = (camera.rotations[begin] * told.rotations[begin].inv()).mean()
    moved = camera.translations[begin] - turn.apply(told.translations[begin])
    return told.transformed(Pose(turn, np.median(moved, axis=0), 'map', told.target))
