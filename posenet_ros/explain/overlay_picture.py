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

"""Test images with points of the map on them, as they are and as the model has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.table import degrees, metres
from posenet_ros.reporting.style import blank_figure, ESTIMATE, INK, TRUTH


@dataclass(frozen=True, eq=False)
class View:
    """
    A test image (H, W, 3) with points of the map on it.

    `rank` says how its position error compares with those of all others. `error` is in the unit
    of the map and in degrees. `true` and `found` are pixels (N, 2), seen from the true pose and
    from the one found; points outside the image have NaN.
    """

    rank: str
    name: str
    rgb: NDArray[np.uint8]
    error: tuple[float, float]
    true: NDArray[np.float64]
    found: NDArray[np.float64]

    @property
    def in_both(self) -> NDArray[np.bool_]:
        """Which points (N,) the image shows from both poses."""
        return np.isfinite(self.true).all(axis=1) & np.isfinite(self.found).all(axis=1)

    @property
    def moved_px(self) -> float | None:
        """How far points move from one pose to the other, the median; None without any in both."""
        moved = np.linalg.norm(self.found - self.true, axis=1)[self.in_both]
        return float(np.median(moved)) if len(moved) else None

    @property
    def kept(self) -> float | None:
        """The share of the points that the image also shows from the pose found."""
        return float(self.in_both.mean()) if len(self.true) else None


def picture(views: Sequence[View], unit: str) -> Figure:
    """Draw a row for each image: points from the true pose, and from the one found."""
    height, width = views[0].rgb.shape[:2]
    figure = blank_figure(11.0, len(views) * (5.3 * height / width + 0.35))
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    for (left, right), view in zip(figure.subplots(len(views), 2, squeeze=False), views):
        metres_off, degrees_off = view.error
        _image(left, view, f'{view.rank}: from the true pose')
        _image(
            right,
            view,
            f'from the pose found, {metres(metres_off)} {unit} and {degrees(degrees_off)} deg off',
        )
        left.plot(*view.true.T, '.', color=TRUTH, markersize=4)
        moves = np.stack([view.true, view.found], axis=1)[view.in_both]
        right.add_collection(
            LineCollection(moves, colors=ESTIMATE, linewidths=0.8, alpha=0.6), autolim=False
        )
        right.plot(*view.found.T, '.', color=ESTIMATE, markersize=4)
    return figure


def _image(axes: Axes, view: View, title: str) -> None:
    """Show an image in faint grey, so that points stand out."""
    height, width = view.rgb.shape[:2]
    grey = 255 - (255 - view.rgb.mean(axis=2)) * 0.65
    axes.imshow(grey, cmap='gray', vmin=0, vmax=255)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_axis_off()
    axes.set_title(title, loc='left', fontsize=10, color=INK)
