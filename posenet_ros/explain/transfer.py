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
Figure 10: pre-trained weights against none, epoch by epoch.

Both trainings are the model's recipe with the paper's head, which learns by gradients alone: one
that is solved for in closed form is near its end before the first epoch. What is drawn after each
epoch is measured on test frames, which are not learned from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.evaluate import evaluate_regressor
from posenet_ros.explain.answers import ASKING
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.found import columns, Errors, Found
from posenet_ros.explain.panels import finish_panels, new_panels, plot_level
from posenet_ros.explain.recipes import recipe_of, with_paper_head
from posenet_ros.explain.subject import some, Subject
from posenet_ros.explain.trial import train_all, Trial, WATCHED
from posenet_ros.reporting.style import BASELINES, ESTIMATE, TRUTH

TRAINS = True

_CURVES = ('held_out/position_m', 'held_out/orientation_deg')
_PRETRAINED, _RANDOM = 'pre-trained weights', 'random weights'


def draw(subject: Subject, *, output: Path, epochs: int | None) -> Exhibit:
    """
    Train from the model's pre-trained weights and from random ones; show test errors by epoch.

    Raises ConfigError for a model that began without weights, and what `train_all` raises.
    """
    options = with_paper_head(recipe_of(subject, epochs))
    if options.weights == 'none':
        raise ConfigError(
            f'{subject.run} was trained without pre-trained weights, so there is nothing to '
            'compare: give a --model that was trained with --weights'
        )
    starts = {_PRETRAINED: options, _RANDOM: replace(options, weights='none')}
    trials = [Trial(name, chosen, subject.train, curve=True) for name, chosen in starts.items()]
    found = dict(zip(starts, train_all(subject, trials, output)))
    watched = some(subject.test, WATCHED)
    own = Errors.of(evaluate_regressor(subject.regressor, watched, ASKING).to_dict())
    return Exhibit(
        name='transfer',
        title='What pre-trained weights are worth',
        caption=_caption(found, own, len(watched), subject.unit),
        paper='Figure 10',
        picture=_picture(found, own, subject.unit),
        headings=[f'{len(subject.test)} test images, at the end', *columns(subject.unit)],
        rows=[[name, *each.errors.cells()] for name, each in found.items()],
        numbers={
            'unit': subject.unit,
            'training_images': len(subject.train),
            'watched_images': len(watched),
            'test_images': len(subject.test),
            'model_itself_on_watched': own.to_dict(),
            **{
                name.replace(' ', '_').replace('-', ''): {
                    'watched_medians': _curves(each),
                    'at_the_end': each.errors.to_dict(),
                }
                for name, each in found.items()
            },
        },
    )


def _curves(found: Found) -> dict[str, list[float | None]]:
    position, orientation = (found.curve(name) for name in _CURVES)
    return {'position': position, 'orientation_deg': orientation}


def _caption(found: Mapping[str, Found], own: Errors, watched: int, unit: str) -> str:
    ends = [found[name].errors.told(unit) for name in (_PRETRAINED, _RANDOM)]
    return (
        f"Median errors of {watched} test images after each epoch, with the paper's head, which "
        'learns by gradients alone; the line is the model itself by its own recipe, '
        f'{own.told(unit)}. At the end all test images have {ends[0]} from pre-trained weights, '
        f'and {ends[1]} from random ones. {_ahead(found)}'
    )


def _ahead(found: Mapping[str, Found]) -> str:
    """Tell when the pre-trained network was where the random one ended, by position."""
    reached = _CURVES[0]
    end = found[_RANDOM].curve(reached)[-1]
    if end is None:
        return 'The network from random weights gave no poses in the end.'
    for epoch, value in enumerate(found[_PRETRAINED].curve(reached), 1):
        if value is not None and value <= end:
            return (
                f'The position of the pre-trained network was as good after epoch {epoch} as that '
                f'of the other after {len(found[_RANDOM].history)}.'
            )
    return 'The position of the pre-trained network was never as good as that of the other.'


def _picture(found: Mapping[str, Found], own: Errors, unit: str) -> Figure:
    figure, axes = new_panels(unit, 'epoch')
    for (name, each), line, colour in zip(found.items(), ('o-', 's--'), (ESTIMATE, BASELINES[0])):
        for one, values in zip(axes, _curves(each).values()):
            heights = np.array(values, dtype=np.float64)
            epochs = np.arange(1, len(heights) + 1)
            one.plot(epochs, heights, line, color=colour, label=name, markersize=4)
    plot_level(axes, own.medians, ':', TRUTH, 'the model itself, by its own recipe')
    for each in axes:
        each.set_xlim(0, max(len(one.history) for one in found.values()) + 0.5)
        each.xaxis.set_major_locator(MaxNLocator(integer=True))
    return finish_panels(figure, axes)
