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
Figure 10: a new scene from a few dozen frames, with a trunk of another scene.

The paper starts from weights that learned to tell places apart, and then from those of another
landmark. Here training begins with the trunk of another model, with the classifier's weights, or
with nothing, on few frames that are spread over all. The recipe is the model's own, and all take
as many gradient steps as it does on all frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure
from posenet_ros.errors import ConfigError
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.found import columns, Errors
from posenet_ros.explain.other import open_other
from posenet_ros.explain.panels import finish_panels, new_panels, plot_medians
from posenet_ros.explain.recipes import in_as_many_steps, recipe_of
from posenet_ros.explain.subject import some, Subject
from posenet_ros.explain.trial import train_all, Trial
from posenet_ros.reporting.style import BASELINES, ESTIMATE, TRAIN, TRUTH
from posenet_ros.training.config import TrainOptions

TRAINS = True

COUNTS = (12, 24, 48, 96)
_OTHER, _CLASSIFIER, _NOTHING = "another scene's weights", "classifier's weights", 'random weights'
_LINES = {_OTHER: ('D-', TRAIN), _CLASSIFIER: ('o-', ESTIMATE), _NOTHING: ('^-', TRUTH)}
_NEAREST = 'nearest training image'


def draw(
    subject: Subject, *, output: Path, epochs: int | None, trunk: Path | None = None
) -> Exhibit:
    """
    Train on few frames from each start that there is; show the test errors by how many.

    `trunk` is the model folder of another scene. Raises ConfigError for too few training frames,
    and what `train_all` and `open_other` raise.
    """
    counts = [count for count in COUNTS if count <= len(subject.train)]
    if not counts:
        raise ConfigError(
            f'{len(subject.train)} training frames are too few: at least {COUNTS[0]} are needed'
        )
    starts = _starts(subject, epochs, trunk)
    trials = [
        _trial(subject, name, *start, count) for name, start in starts.items() for count in counts
    ]
    found = iter(train_all(subject, trials, output))
    results = {name: [next(found) for _ in counts] for name in starts}
    lines = {name: [each.errors for each in of_one] for name, of_one in results.items()}
    lines[_NEAREST] = [each.nearest for each in results.get(_CLASSIFIER, results[_NOTHING])]
    return Exhibit(
        name='new-scene',
        title='A new scene from a few dozen images',
        caption=_caption(counts, lines, subject.unit),
        paper='Figure 10',
        picture=_picture(counts, lines, subject.unit),
        headings=['start', 'images', *columns(subject.unit)],
        rows=[
            [name, str(count), *each.cells()]
            for name, errors in lines.items()
            for count, each in zip(counts, errors)
            if each
        ],
        numbers={
            'unit': subject.unit,
            'steps': trials[0].options.iterations,
            'training_images': counts,
            'test_images': len(subject.test),
            'errors': {
                name: [each and each.to_dict() for each in errors]
                for name, errors in lines.items()
            },
        },
    )


def _starts(
    subject: Subject, epochs: int | None, trunk: Path | None
) -> dict[str, tuple[TrainOptions, Path | None]]:
    """Return the recipe and trunk of every start that there is."""
    options = recipe_of(subject, epochs)
    if options.head == 'scene':
        # Its trunk does not learn, and what there is to compare is what trunks learn.
        options = replace(options, head='linear')
    starts = {}
    if trunk is not None:
        open_other(subject, trunk)
        starts[_OTHER] = options, trunk
    if options.weights != 'none':
        starts[_CLASSIFIER] = options, None
    starts[_NOTHING] = replace(options, weights='none'), None
    return starts


def _trial(
    subject: Subject, name: str, options: TrainOptions, trunk: Path | None, count: int
) -> Trial:
    in_order = sorted(subject.train, key=lambda frame: (frame.sequence, frame.stamp_ns))
    steps = in_as_many_steps(options, len(in_order), count)
    return Trial(f'{count} images, {name}', steps, some(in_order, count), trunk)


def _caption(
    counts: Sequence[int], lines: Mapping[str, Sequence[Errors | None]], unit: str
) -> str:
    ends = ' '.join(_told(counts, lines, unit, at) for at in dict.fromkeys([0, len(counts) - 1]))
    missing = '' if _OTHER in lines else '; no trunk of another scene was given (--trunk)'
    return (
        f"{ends} All starts have the model's own recipe, and about as many gradient steps as it "
        f'takes on all images{missing}.'
    )


def _told(
    counts: Sequence[int], lines: Mapping[str, Sequence[Errors | None]], unit: str, at: int
) -> str:
    """Tell which start led to the best position from so many images, and the nearest of them."""
    known = {name: errors[at] for name, errors in lines.items() if errors[at]}
    nearest = known.pop(_NEAREST, None)
    ranked = {name: each.position for name, each in known.items() if each.position is not None}
    if not ranked:
        return f'With {counts[at]} images no start gave poses for most test images.'
    best = min(ranked, key=ranked.__getitem__)
    beside = f' (nearest training image: {nearest.told(unit)})' if nearest else ''
    return f'With {counts[at]} images, {best} do best: {known[best].told(unit)}{beside}.'


def _picture(
    counts: Sequence[int], lines: Mapping[str, Sequence[Errors | None]], unit: str
) -> Figure:
    figure, axes = new_panels(unit, 'training images', counts)
    for name, errors in lines.items():
        plot_medians(axes, counts, errors, *_LINES.get(name, ('x--', BASELINES[0])), name)
    return finish_panels(figure, axes)
