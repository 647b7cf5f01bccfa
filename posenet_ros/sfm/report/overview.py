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

"""The map from above: where the camera was, what it saw, and where it knew a place again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.grids import OccupancyGrid
from posenet_ros.reporting.maps import finish_map, limits_around, new_map, TopView
from posenet_ros.reporting.style import ESTIMATE, INK, TRUTH
from posenet_ros.sfm.report.result import LabelResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINT = '#9A9A9A'
_WALL, _FREE = '#3B3B3B', '#F1F1EE'
# The nearest of the points belong to the place; a few are wrong and far away.
_POINTS_SHOWN = (2, 98)
# The picture has points up to this many times the extent of the path beyond it.
_POINTS_BEYOND = 1.0
_DIRECTIONS = 12
# More frames than this are drawn finer.
_MANY = 400


def map_figure(
    result: LabelResult, points: NDArray[np.float64], loops: NDArray[np.int64]
) -> Figure:
    """
    Draw the path coloured by time over the points (M, 3) of the map.

    `loops` (K, 2) are stamps of frames that show the same place; where both are labelled, a
    line joins them. The localizer's map lies below, where the labels are in it.
    """
    view = TopView(unit=result.unit)
    path, seen = view.page(result.labels.translations), view.page(points)
    limits = _limits(path, seen)
    figure, axes = new_map(limits)
    if result.grid is not None:
        _draw_grid(axes, result.grid)
    axes.plot(
        *seen.T, '.', color=_POINT, ms=1.6, mew=0, alpha=0.6, scalex=False, scaley=False, zorder=1
    )
    _draw_loops(axes, result, path, loops)
    _draw_path(figure, axes, result, path)
    left_out = view.page(result.map_from_camera.translations[~result.is_label])
    if len(left_out):
        axes.plot(
            *left_out.T,
            'x',
            color=ESTIMATE,
            markersize=5,
            label='reconstructed, but rejected',
            zorder=4,
        )
    _draw_directions(axes, result, path, float(np.ptp(limits, axis=0).max()))
    _draw_ends(axes, path)
    finish_map(figure, axes, view, limits)
    return figure


def _draw_grid(axes: Axes, grid: OccupancyGrid) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.lines import Line2D
    from matplotlib.transforms import Affine2D

    colours = np.zeros((*grid.cells.shape, 4))
    colours[grid.free] = to_rgba(_FREE)
    colours[grid.occupied] = to_rgba(_WALL)
    height, width = grid.cells.shape
    on_page = np.eye(3)
    matrix = grid.frame_from_grid.matrix()
    on_page[:2] = matrix[:2][:, [0, 1, 3]]
    axes.imshow(
        colours,
        origin='lower',
        extent=(0, width * grid.resolution_m, 0, height * grid.resolution_m),
        transform=Affine2D(on_page) + axes.transData,
        interpolation='nearest',
        zorder=0,
    )
    axes.add_line(Line2D([], [], color=_WALL, linewidth=4, label=f'walls on {grid.topic}'))


def _limits(path: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the limits around the path and most of the points, which may be far away."""
    low, high = limits_around(path)
    if not len(points):
        return np.stack([low, high])
    beyond = _POINTS_BEYOND * float((high - low).max())
    first, last = limits_around(np.percentile(points, _POINTS_SHOWN, axis=0))
    return np.stack(
        [
            np.minimum(low, np.maximum(first, low - beyond)),
            np.maximum(high, np.minimum(last, high + beyond)),
        ]
    )


def _draw_path(figure: Figure, axes: Axes, result: LabelResult, path: NDArray[np.float64]) -> None:
    from matplotlib.collections import LineCollection

    seconds = result.timeline.seconds(result.labels.stamps_ns)
    near = ~result.timeline.gaps(result.labels.stamps_ns)
    sparse = len(path) < _MANY
    how = {'cmap': 'viridis', 'norm': _norm(result.timeline.length_s), 'zorder': 3}
    lines = LineCollection(
        np.stack([path[:-1], path[1:]], axis=1)[near], linewidths=1.8 if sparse else 1.0, **how
    )
    lines.set_array(seconds[:-1][near])
    axes.add_collection(lines, autolim=False)
    dots = axes.scatter(*path.T, c=seconds, s=14 if sparse else 3, linewidths=0, **how)
    bar = figure.colorbar(dots, ax=axes, shrink=0.75, aspect=30, pad=0.02)
    bar.set_label(result.timeline.label, fontsize=9, color=INK)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=INK, labelsize=8)


def _norm(length_s: float) -> object:
    from matplotlib.colors import Normalize

    return Normalize(0.0, max(length_s, 1e-9))


def _draw_loops(
    axes: Axes, result: LabelResult, path: NDArray[np.float64], loops: NDArray[np.int64]
) -> None:
    from matplotlib.collections import LineCollection

    both = np.isin(loops, result.labels.stamps_ns).all(axis=1)
    if not both.any():
        return
    ends = np.searchsorted(result.labels.stamps_ns, loops[both])
    lines = LineCollection(
        path[ends], colors=TRUTH, linewidths=0.6, alpha=0.35, label='known again', zorder=2
    )
    axes.add_collection(lines, autolim=False)


def _draw_directions(
    axes: Axes, result: LabelResult, path: NDArray[np.float64], extent: float
) -> None:
    """Show where the camera looked (its z axis) in about a dozen frames."""
    every = max(1, len(path) // _DIRECTIONS)
    ahead = TopView().page(result.labels.rotations[::every].apply([0.0, 0.0, 1.0]))
    axes.quiver(
        *path[::every].T,
        *(0.05 * extent * ahead).T,
        color=INK,
        alpha=0.6,
        angles='xy',
        scale_units='xy',
        scale=1,
        width=0.003,
        zorder=4,
    )


def _draw_ends(axes: Axes, path: NDArray[np.float64]) -> None:
    for place, marker, name in ((path[0], 'o', 'start'), (path[-1], 's', 'end')):
        axes.plot(
            *place,
            marker,
            color=INK,
            markerfacecolor='white',
            markersize=8,
            markeredgewidth=1.6,
            linestyle='none',
            label=name,
            zorder=5,
        )
