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

"""
Figure 9: errors by the spacing of training frames.

Every second, fourth, eighth and sixteenth training frame of each sequence is kept, and the same
test frames are asked about. All take as many gradient steps: fewer epochs' worth of them would
show less training, not less data.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure
import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.table import metres
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.found import columns, Found
from posenet_ros.explain.panels import finish_panels, new_panels, plot_medians
from posenet_ros.explain.recipes import in_as_many_steps, recipe_of
from posenet_ros.explain.subject import Subject
from posenet_ros.explain.trial import train_all, Trial
from posenet_ros.reporting.style import BASELINES, ESTIMATE

TRAINS = True

KEPT = (1, 2, 4, 8, 16)
# Fewer are too few to fit a pose to.
_FEWEST = 10


class Thinned(NamedTuple):
    """Every so-manieth frame of each sequence, and the median step between them in the map."""

    every: int
    frames: tuple[Frame, ...]
    spacing: float


def draw(subject: Subject, *, output: Path, epochs: int | None) -> Exhibit:
    """
    Train on fewer and fewer of the training frames; show the test errors by their spacing.

    Raises ConfigError for a recording of too few frames, and what `train_all` raises.
    """
    sets = thinned(subject.train)
    options, all_frames = recipe_of(subject, epochs), len(subject.train)
    trials = [
        Trial(
            f'every {each.every} frames' if each.every > 1 else 'all frames',
            in_as_many_steps(options, all_frames, len(each.frames)),
            each.frames,
        )
        for each in sets
    ]
    found = train_all(subject, trials, output)
    return Exhibit(
        name='spacing',
        title='How far apart training frames may be',
        caption=_caption(sets, found, subject.unit),
        paper='Figure 9',
        picture=_picture(sets, found, subject.unit),
        headings=[
            '',
            'images',
            f'spacing [{subject.unit}]',
            *columns(subject.unit),
            'nearest image',
        ],
        rows=[
            [
                trial.label,
                str(len(each.frames)),
                metres(each.spacing),
                *result.errors.cells(),
                result.nearest.told(subject.unit) if result.nearest else '',
            ]
            for each, trial, result in zip(sets, trials, found)
        ],
        numbers={
            'unit': subject.unit,
            'steps': trials[0].options.iterations,
            'test_images': len(subject.test),
            'sets': [
                {
                    'every': each.every,
                    'images': len(each.frames),
                    'spacing': round(each.spacing, 6),
                    'posenet': result.errors.to_dict(),
                    'nearest_image': result.nearest and result.nearest.to_dict(),
                }
                for each, result in zip(sets, found)
            ],
        },
    )


def thinned(frames: Sequence[Frame]) -> list[Thinned]:
    """
    Return the frames, and those that are left where every second, fourth and so on is kept.

    Frames count in order of time in their own sequence. Sets of fewer than ten are left out.
    Raises ConfigError where no two sets are left.
    """
    names = sorted({frame.sequence for frame in frames})
    sequences = [
        sorted((f for f in frames if f.sequence == name), key=lambda frame: frame.stamp_ns)
        for name in names
    ]
    sets = []
    for every in KEPT:
        kept = [sequence[::every] for sequence in sequences]
        count = sum(map(len, kept))
        steps = [_steps(sequence) for sequence in kept]
        if count >= _FEWEST and any(map(len, steps)):
            together = tuple(frame for sequence in kept for frame in sequence)
            sets.append(Thinned(every, together, float(np.median(np.concatenate(steps)))))
    if len(sets) < 2:
        raise ConfigError(
            f'{len(frames)} training frames cannot be thinned out: at least {2 * _FEWEST} are '
            'needed, in sequences of several'
        )
    return sets


def _steps(frames: Sequence[Frame]) -> np.ndarray:
    """Return the distances between neighbours (N - 1,) in the map."""
    positions = np.array([frame.map_from_camera.translation for frame in frames])
    return np.linalg.norm(np.diff(positions, axis=0), axis=1)


def _caption(sets: Sequence[Thinned], found: Sequence[Found], unit: str) -> str:
    first, last = sets[0], sets[-1]
    return (
        f'With {len(first.frames)} training images, one every {metres(first.spacing)} {unit}, '
        f'errors are {found[0].errors.told(unit)}; with {len(last.frames)}, one every '
        f'{metres(last.spacing)} {unit}, {found[-1].errors.told(unit)}. {_nearest(found)} All '
        'took about as many gradient steps, on fewer images more often.'
    )


def _nearest(found: Sequence[Found]) -> str:
    """Tell where the nearest training image is the better position."""
    pairs = [(each.errors.position, each.nearest and each.nearest.position) for each in found]
    known = [(own, nearest) for own, nearest in pairs if None not in (own, nearest)]
    ahead = sum(own < nearest for own, nearest in known)
    return (
        f'In {ahead} of {len(known)} sets the network knows the position better than the nearest '
        'training image, which cannot fill in between images.'
    )


def _picture(sets: Sequence[Thinned], found: Sequence[Found], unit: str) -> Figure:
    spacing = [each.spacing for each in sets]
    across = f'median distance between neighbouring training images [{unit}]'
    figure, axes = new_panels(unit, across, spacing)
    plot_medians(axes, spacing, [each.errors for each in found], 'o-', ESTIMATE, 'PoseNet')
    nearest = [each.nearest for each in found]
    plot_medians(axes, spacing, nearest, 's--', BASELINES[0], 'nearest training image')
    return finish_panels(figure, axes)
