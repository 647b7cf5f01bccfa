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

"""Two panels side by side, position and orientation: how the figures that train are drawn."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from posenet_ros.explain.found import Errors
from posenet_ros.reporting.style import INK, new_figure


def new_panels(unit: str, across: str, places: Sequence[float] = ()) -> tuple[Figure, list[Axes]]:
    """
    Return two axes: median errors in a unit and in degrees, by what runs to the right.

    With `places` that is logarithmic, and they are named.
    """
    figure, axes = new_figure(2, width=10.0, height=4.4)
    for each, label in zip(axes, (f'position error [{unit}]', 'orientation error [deg]')):
        each.set_xlabel(across, color=INK)
        each.set_ylabel(f'median {label}', color=INK)
        if places:
            each.set_xscale('log')
            each.set_xticks(places, [_short(place) for place in places])
            each.minorticks_off()
    return figure, axes


def _short(number: float) -> str:
    return f'{number:.2g}' if number < 1 else f'{number:g}'


def plot_medians(
    axes: Sequence[Axes],
    across: Sequence[float],
    errors: Sequence[Errors | None],
    line: str,
    color: str,
    label: str,
) -> None:
    """Draw the medians of some errors into both panels; what is infinite or None is a gap."""
    medians = np.array(
        [each.medians if each else (None, None) for each in errors], dtype=np.float64
    )
    for each, values in zip(axes, medians.T):
        each.plot(across, values, line, color=color, label=label, markersize=5)


def plot_level(
    axes: Sequence[Axes], levels: Sequence[float | None], line: str, color: str, label: str
) -> None:
    """Draw a line straight across each panel, where there is a level for it."""
    for each, level in zip(axes, levels):
        if level is not None:
            each.axhline(level, linestyle=line, color=color, label=label, linewidth=1.6)


def finish_panels(figure: Figure, axes: Sequence[Axes]) -> Figure:
    """Start both panels at zero, and tell below what the lines are; return the figure."""
    for each in axes:
        each.set_ylim(bottom=0)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=4, frameon=False, fontsize=9)
    return figure
