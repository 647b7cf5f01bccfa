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

"""Maps from above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Pose
from posenet_ros.reporting.style import INK, new_figure, TRUTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Up axis with its sign -> the axes that run right and up on the page, so that the view is from
# above and not a mirror image from below.
_PAGES = {
    (2, 1): (0, 1),
    (2, -1): (1, 0),
    (1, 1): (2, 0),
    (1, -1): (0, 2),
    (0, 1): (1, 2),
    (0, -1): (2, 1),
}


@dataclass(frozen=True)
class TopView:
    """
    The map seen from above: which map axis runs right and which runs up on the page.

    As it is made, of a map with gravity, which has z up (REP-103).
    """

    right: int = 0
    up: int = 1
    unit: str = 'm'

    @classmethod
    def of_cameras(cls, poses: Sequence[Pose]) -> TopView:
        """
        Find up from poses `map_from_camera`; the camera's y axis points down.

        Data sets bring maps of any attitude, often with y down, so the axis that the cameras
        hold upwards is taken as up.
        """
        up = np.zeros(3)
        for pose in poses:
            up -= pose.rotation.as_matrix()[:, 1]
        axis = int(np.argmax(np.abs(up)))
        return cls(*_PAGES[axis, 1 if up[axis] >= 0 else -1])

    @property
    def labels(self) -> tuple[str, str]:
        """The labels of the page's axes."""
        right, up = (f'map {"xyz"[axis]} [{self.unit}]' for axis in (self.right, self.up))
        return right, up

    def page(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (N, 3) of the map on the page (N, 2)."""
        return np.asarray(points, dtype=np.float64).reshape(-1, 3)[:, [self.right, self.up]]


def limits_around(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lower and upper corner (2, 2) around points on the page, with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * max(float((high - low).max()), 0.1)
    return np.stack([low - margin, high + margin])


def new_map(limits: NDArray[np.float64]) -> tuple[Figure, Axes]:
    """Return a figure of about the shape of the map, so that little of the page stays empty."""
    wide, high = np.ptp(limits, axis=0)
    figure, (axes,) = new_figure(width=8.0, height=float(np.clip(7 * high / wide, 2.5, 8)) + 1.1)
    return figure, axes


def draw_directions(
    axes: Axes,
    view: TopView,
    poses: Sequence[Pose],
    limits: NDArray[np.float64],
    *,
    colour: str = TRUTH,
    length: float = 0.05,
) -> None:
    """
    Show by arrows where cameras look: along their z axis.

    `length`, a share of the larger side of the map, is that of an arrow parallel to the page;
    one that points up or down is shorter.
    """
    if not poses:
        return
    start = view.page(np.stack([pose.translation for pose in poses]))
    ahead = view.page(np.stack([pose.rotation.as_matrix()[:, 2] for pose in poses]))
    axes.quiver(
        *start.T,
        *(ahead * length * float(np.ptp(limits, axis=0).max())).T,
        color=colour,
        angles='xy',
        width=0.0035,
        scale_units='xy',
        scale=1,
        zorder=3,
    )


def finish_map(figure: Figure, axes: Axes, view: TopView, limits: NDArray[np.float64]) -> None:
    """Give a map its limits, one scale for both axes, their labels and a legend below it."""
    axes.set_xlim(limits[0, 0], limits[1, 0])
    axes.set_ylim(limits[0, 1], limits[1, 1])
    axes.set_aspect('equal')
    right, up = view.labels
    axes.set_xlabel(right, color=INK)
    axes.set_ylabel(up, color=INK)
    # Below the axes, where it covers no camera.
    figure.legend(loc='outside lower center', ncols=3, frameon=False, fontsize=9)
