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

"""How well the points of the map fall on what the frames show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.reporting.style import ESTIMATE, INK, new_figure, TRAIN
from posenet_ros.sfm.gates import LARGEST_ERROR_PX
from posenet_ros.sfm.report.result import LabelResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BINS = 60


def errors_figure(result: LabelResult, points_px: NDArray[np.float64]) -> Figure:
    """Draw how the errors of points (M,) are distributed, and those of frames over time."""
    figure, (points, frames) = new_figure(2, width=10.0, height=3.6)
    largest = LARGEST_ERROR_PX + 1.0
    if len(points_px):
        points.hist(
            np.minimum(points_px, largest),
            bins=np.linspace(0, largest, _BINS + 1),
            weights=np.full(len(points_px), 100 / len(points_px)),
            color=TRAIN,
        )
        median = float(np.median(points_px))
        points.axvline(median, color=INK, linewidth=1)
        points.annotate(
            f'median {median:.2f} px',
            (median, 1),
            xycoords=('data', 'axes fraction'),
            xytext=(5, -11),
            textcoords='offset points',
            fontsize=9,
            color=INK,
        )
    points.set_xlim(0, largest)
    points.set_xlabel(f'error of a point [px], {largest:g} and more in the last bar', color=INK)
    points.set_ylabel('share of the points [%]', color=INK)
    stamps_ns, errors = result.map_from_camera.stamps_ns, result.found.errors_px
    seconds = result.timeline.seconds(stamps_ns)
    shown = np.minimum(errors, largest)
    for mask, colour in ((result.is_label, TRAIN), (~result.is_label, ESTIMATE)):
        frames.plot(seconds[mask], shown[mask], '.', color=colour, markersize=4)
    frames.axhline(LARGEST_ERROR_PX, color=ESTIMATE, linewidth=1, linestyle='--')
    frames.annotate(
        'rejected above',
        (0, LARGEST_ERROR_PX),
        xycoords=('axes fraction', 'data'),
        xytext=(4, 3),
        textcoords='offset points',
        fontsize=9,
        color=ESTIMATE,
    )
    frames.set_ylim(0, largest)
    frames.set_ylabel('mean error of a frame [px]', color=INK)
    result.timeline.draw(frames)
    return figure
