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

"""How our pictures look: one palette, one page, no state shared between figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from posenet_ros.files import written_whole
from posenet_ros.geometry import Pose

# Training green, truth blue, estimate red as in the paper's maps, in the hues of Okabe and Ito,
# which stay apart for colour-blind eyes and in grey.
TRAIN = '#009E73'
TRUTH = '#0072B2'
ESTIMATE = '#D55E00'
BASELINES = ('#7F7F7F', '#CC79A7', '#E69F00')
INK = '#222222'

_FIGURE_DPI = 110


def new_figure(
    columns: int = 1, *, width: float = 8.0, height: float = 5.0
) -> tuple[Figure, list[Axes]]:
    """Return a figure (inches) with that many axes side by side, without pyplot's state."""
    figure = Figure(figsize=(width, height), dpi=_FIGURE_DPI, layout='constrained')
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    axes = list(np.atleast_1d(figure.subplots(1, columns)))
    for each in axes:
        each.spines[['top', 'right']].set_visible(False)
        each.grid(True, color='#DDDDDD', linewidth=0.6)
        each.set_axisbelow(True)
        each.tick_params(colors=INK, labelsize=9)
    return figure, axes


def save_figure(path: Path, figure: Figure) -> None:
    """Write a picture, whole or not at all; the suffix names the format."""
    with written_whole(path) as partial:
        figure.savefig(partial)


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


class TopView:
    """
    The map seen from above: which map axis runs right and which runs up on the page.

    A map with gravity has z up (REP-103). Data sets bring maps of any attitude, often with y
    down, so the axis that the training cameras hold upwards is taken as up.
    """

    def __init__(self, poses: Sequence[Pose]) -> None:
        """Find up from poses `map_from_camera`; the camera's y axis points down."""
        up = np.zeros(3)
        for pose in poses:
            up -= pose.rotation.as_matrix()[:, 1]
        axis = int(np.argmax(np.abs(up)))
        self.right, self.up = _PAGES[axis, 1 if up[axis] >= 0 else -1]

    @property
    def labels(self) -> tuple[str, str]:
        """The labels of the page's axes."""
        return f'map {"xyz"[self.right]} [m]', f'map {"xyz"[self.up]} [m]'

    def page(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (N, 3) of the map on the page (N, 2)."""
        return np.asarray(points, dtype=np.float64).reshape(-1, 3)[:, [self.right, self.up]]
