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

"""The pictures of an evaluation: the map from above, error curves, training curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.evaluation.metrics import PoseErrors
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.reporting.maps import (
    draw_directions,
    finish_map,
    limits_around,
    new_map,
    TopView,
)
from posenet_ros.reporting.style import (
    BASELINES,
    ESTIMATE,
    INK,
    new_figure,
    save_figure,
    TRAIN,
    TRUTH,
)


class _Part(NamedTuple):
    """One of the two errors: how it is written, and the least that labels can resolve."""

    name: str
    title: str
    least: float

    def label(self, unit: str) -> str:
        return f'{self.title} [{unit if self.name == "position_m" else "deg"}]'

    def of(self, errors: PoseErrors) -> NDArray[np.float64]:
        return getattr(errors, self.name)


# A curve that falls by more than this shows nothing of its end on a linear scale.
_LONG_FALL = 100.0
_PARTS = (
    _Part('position_m', 'position error', 0.01),
    _Part('orientation_deg', 'orientation error', 0.1),
)


def map_figure(
    train: Sequence[Pose],
    truth: Sequence[Pose],
    estimates: Sequence[Pose | None],
    unit: str = 'm',
) -> Figure:
    """
    Draw the map from above: where training, test and estimated cameras are.

    A line joins each estimate to its truth. Both axes have the same scale; it is the scale of
    training and truth, so that one wild estimate does not shrink the picture to a dot, and
    estimates outside it are counted in the legend.
    """
    view = replace(TopView.of_cameras([*train, *truth]), unit=unit)
    true, found, answered = _positions(truth, estimates)
    points, true, found = view.page(_stacked(train)), view.page(true), view.page(found)
    limits = limits_around(np.concatenate([points, true]))
    figure, axes = new_map(limits)
    if train:
        axes.plot(*points.T, '.', color=TRAIN, markersize=5, alpha=0.6, label='training labels')
    errors = LineCollection(
        np.stack([true[answered], found], axis=1), colors=ESTIMATE, linewidths=0.7, alpha=0.5
    )
    axes.add_collection(errors, autolim=False)
    axes.plot(*true.T, 'o', color=TRUTH, markersize=3.5, label='truth')
    outside = int(((found < limits[0]) | (found > limits[1])).any(axis=1).sum())
    label = f'estimates ({outside} outside the picture)' if outside else 'estimates'
    axes.plot(
        *found.T, 'x', color=ESTIMATE, markersize=4.5, label=label, scalex=False, scaley=False
    )
    finish_map(figure, axes, view, limits)
    return figure


def cumulative_figure(errors: Mapping[str, PoseErrors], unit: str = 'm') -> Figure:
    """
    Draw the share of frames at or below each error, for a model and its baselines.

    The first entry is the model. An unanswered frame never arrives, so its curve ends below
    1. Axes are logarithmic: centimetres matter as much as metres.
    """
    figure, axes = new_figure(2, width=10.0, height=4.2)
    for each, part in zip(axes, _PARTS):
        for (name, of_one), colour in zip(errors.items(), (ESTIMATE, *BASELINES)):
            values = np.sort(np.maximum(part.of(of_one), part.least))
            share = np.arange(1, len(values) + 1) / len(values)
            known = np.isfinite(values)
            model = colour == ESTIMATE
            each.step(
                values[known],
                share[known],
                '-' if model else '--',
                where='post',
                color=colour,
                label=name,
                linewidth=2.2 if model else 1.6,
            )
        each.set_xscale('log')
        each.xaxis.set_major_formatter('{x:g}')
        each.set_xlim(left=part.least)
        each.set_ylim(0, 1.02)
        each.set_xlabel(part.label(unit), color=INK)
    axes[0].set_ylabel('share of all frames asked', color=INK)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=4, frameon=False, fontsize=9)
    return figure


def time_figure(stamps_ns: NDArray[np.int64], errors: PoseErrors, unit: str = 'm') -> Figure:
    """
    Draw both errors over time, with a mark at the bottom for each unanswered frame.

    Where stamps do not increase (several sequences) the frame number takes their place.
    """
    increasing = len(stamps_ns) < 2 or bool((np.diff(stamps_ns) > 0).all())
    time = (stamps_ns - stamps_ns[0]) / NS_PER_S if increasing else np.arange(len(stamps_ns))
    silent = ~np.isfinite(errors.position_m)
    figure, axes = new_figure(2, width=10.0, height=3.8)
    for each, part in zip(axes, _PARTS):
        values = np.maximum(part.of(errors), part.least)
        each.plot(time[~silent], values[~silent], '.', color=ESTIMATE, markersize=4)
        each.set_yscale('log')
        each.yaxis.set_major_formatter('{x:g}')
        each.set_ylim(bottom=part.least)
        # A tick on the axis itself, whatever the errors are.
        each.plot(
            time[silent],
            np.full(silent.sum(), 0.03),
            '|',
            color=INK,
            markersize=9,
            transform=each.get_xaxis_transform(),
        )
        each.set_xlabel('time [s]' if increasing else 'frame', color=INK)
        each.set_ylabel(part.label(unit), color=INK)
    if silent.any():
        axes[0].set_title(f'{silent.sum()} frames without an answer: |', loc='left', fontsize=9)
    return figure


def training_figure(history: Sequence[Mapping[str, float]], unit: str = 'm') -> Figure:
    """
    Draw how training went: one mapping per epoch, of `part/quantity` to a number.

    Each quantity has its axes, each part (`train`, `held_out`) its curve; others are left out,
    and so are epochs without a value.
    """
    names = [name for row in history for name in row if name.count('/') == 1]
    parts = {'train': TRAIN, 'held_out': TRUTH}
    quantities = list(dict.fromkeys(name.split('/')[1] for name in names))
    figure, axes = new_figure(max(len(quantities), 1), width=10.0, height=3.6)
    for each, quantity in zip(axes, quantities):
        for part, colour in parts.items():
            values = np.array([row.get(f'{part}/{quantity}', np.nan) for row in history])
            epochs = np.arange(1, len(values) + 1)[np.isfinite(values)]
            each.plot(epochs, values[np.isfinite(values)], color=colour)
        heights = np.concatenate([line.get_ydata() for line in each.lines])
        if len(heights) and 0 < _LONG_FALL * heights.min() < heights.max():
            each.set_yscale('log')
        each.set_xlabel('epoch', color=INK)
        each.set_ylabel(_plain(quantity, unit), color=INK)
    handles = [Line2D([], [], color=colour) for colour in parts.values()]
    figure.legend(
        handles,
        [_plain(part, unit) for part in parts],
        loc='outside lower center',
        ncols=2,
        frameon=False,
        fontsize=9,
    )
    return figure


def plot_training(path: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write the picture of how training went (see `training_figure`)."""
    save_figure(path, training_figure(history))


def _plain(name: str, unit: str) -> str:
    """Turn `position_m` into `position [m]`, or in another unit, `held_out` into `held out`."""
    words = name.split('_')
    units = {'m': unit, 'deg': 'deg'}
    told = f' [{units[words.pop()]}]' if words[-1] in units else ''
    return ' '.join(words) + told


def plot_trip(
    path: Path,
    evaluation: Evaluation,
    training_poses: Sequence[Pose] = (),
    *,
    title: str,
    text: str = '',
) -> None:
    """
    Write one picture of a trip: where the camera was, and where the model says it was.

    The training images are faint dots, the true path is a line, each estimate a dot with a line
    to its truth, and arrows show where the camera looked. `text` stands below the title.
    """
    truth = evaluation.truth
    view = replace(TopView.of_cameras([*training_poses, *truth]), unit=evaluation.unit)
    true, found, answered = _positions(truth, evaluation.estimates)
    training, true, found = view.page(_stacked(training_poses)), view.page(true), view.page(found)
    limits = limits_around(np.concatenate([training, true]))
    figure, axes = new_map(limits)
    if training_poses:
        label = 'training images'
        axes.plot(*training.T, '.', color=TRAIN, markersize=3.5, alpha=0.35, label=label)
    line = np.insert(true, _breaks(evaluation.stamps_ns), np.nan, axis=0)
    axes.plot(*line.T, '-', color=TRUTH, linewidth=2.2, label='true path')
    axes.add_collection(
        LineCollection(
            np.stack([true[answered], found], axis=1), colors=ESTIMATE, linewidths=0.6, alpha=0.45
        ),
        autolim=False,
    )
    axes.plot(
        *found.T,
        'o',
        color=ESTIMATE,
        markersize=4,
        markeredgecolor='white',
        markeredgewidth=0.4,
        label='estimated, image by image',
        scalex=False,
        scaley=False,
    )
    draw_directions(axes, view, truth[:: max(1, len(truth) // 12)], limits)
    finish_map(figure, axes, view, limits)
    axes.set_title(f'{title}\n{text}'.strip(), loc='left', fontsize=10, color=INK)
    save_figure(path, figure)


def _breaks(stamps_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the frames before which the camera was away: another sequence, or a long gap."""
    steps = np.diff(stamps_ns)
    usual = np.median(steps) if len(steps) else 0
    return np.flatnonzero((steps <= 0) | (steps > 5 * usual)) + 1


def _stacked(poses: Sequence[Pose]) -> NDArray[np.float64]:
    return np.array([pose.translation for pose in poses], dtype=np.float64).reshape(-1, 3)


def _positions(
    truth: Sequence[Pose], estimates: Sequence[Pose | None]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return true positions (N, 3), found ones (M, 3), and which (N,) were answered."""
    answered = np.array([estimate is not None for estimate in estimates], dtype=bool)
    found = _stacked([estimate for estimate in estimates if estimate is not None])
    return _stacked(truth), found, answered
