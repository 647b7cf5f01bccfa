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

"""How our pictures look: one palette, one figure, no state shared between them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from posenet_ros.files import written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Training green, truth blue, estimate red as in the paper's maps, in the hues of Okabe and Ito,
# which stay apart for colour-blind eyes and in grey.
TRAIN = '#009E73'
TRUTH = '#0072B2'
ESTIMATE = '#D55E00'
BASELINES = ('#7F7F7F', '#CC79A7', '#E69F00')
INK = '#222222'

_FIGURE_DPI = 110


def new_figure(
    columns: int = 1, *, rows: int = 1, width: float = 8.0, height: float = 5.0
) -> tuple[Figure, list[Axes]]:
    """
    Return a figure (inches) with that many axes, without pyplot's state.

    Axes above each other share what runs to the right.
    """
    figure = blank_figure(width, height)
    axes = list(np.atleast_1d(figure.subplots(rows, columns, sharex='col')).ravel())
    for each in axes:
        dress(each)
    return figure, axes


def blank_figure(width: float, height: float) -> Figure:
    """Return a figure (inches) without axes, which lays out what it is given by itself."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_FIGURE_DPI, layout='constrained')
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    return figure


def dress(axes: Axes) -> None:
    """Give axes the look that all of ours have: a faint grid, and no frame above and right."""
    axes.spines[['top', 'right']].set_visible(False)
    axes.grid(True, color='#DDDDDD', linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=9)


def save_figure(path: Path, figure: Figure) -> None:
    """Write a picture, whole or not at all; the suffix names the format."""
    with written_whole(path) as partial:
        figure.savefig(partial)
