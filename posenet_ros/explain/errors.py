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
Figures 6 and 7: the results as a table, and cumulative histograms of both errors.

Beside the model stand the baselines that it has to beat, on the same frames. Orientation errors
are the angle between two rotations, twice what the tables of 2015 say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from posenet_ros.data.images import read_image
from posenet_ros.evaluation.baselines import NEAREST_IMAGE
from posenet_ros.evaluation.evaluate import evaluate_regressor, Evaluation
from posenet_ros.evaluation.metrics import ErrorSummary, PoseErrors
from posenet_ros.evaluation.plots import cumulative_figure
from posenet_ros.evaluation.scene_table import extent_text
from posenet_ros.evaluation.table import degrees, headings, metres, named_errors, table_rows
from posenet_ros.explain.answers import answers
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.subject import some, Subject
from posenet_ros.localization.ensemble import Ensemble
from posenet_ros.localization.regressor import PoseRegressor

_CENTRE = 'PoseNet, centre crop'
# Each crop costs what an image costs; so many frames tell whether they are worth it.
_MOST_DENSE = 40


def draw(subject: Subject, crops: int) -> Exhibit:
    """
    Show the share of the test frames within each error, for the model and its baselines.

    Where `crops` is above 1, the table adds the mean of so many crops an image, which the paper
    calls dense (section 3.2; it has 128), on some test frames, beside the centre crop on the
    same ones. Raises ConfigError for a number of crops that cannot be meant.
    """
    ensemble = Ensemble(crops)
    centre = answers(subject)
    asked = [(_CENTRE, centre), *_dense(subject, centre, ensemble)]
    rows = [
        (name, str(len(evaluation.truth)), *cells)
        for title, evaluation in asked
        for name, cells in table_rows(evaluation, title)
    ]
    unit = subject.unit
    sides = np.ptp(subject.loaded.card.extent, axis=0)
    return Exhibit(
        name='errors',
        title='How wrong the model is, and how wrong simpler answers are',
        caption=_caption(subject, centre, extent_text(sides, unit)),
        paper='Figures 6 and 7',
        picture=cumulative_figure(named_errors(centre, _CENTRE), unit),
        headings=_columns(unit),
        rows=rows,
        numbers={
            'unit': unit,
            'training_frames': len(subject.train),
            'extent': plain(sides),
            'asked': [
                {'answers_of': title, **evaluation.to_dict()} for title, evaluation in asked
            ],
            'errors': {
                name: _sorted(errors) for name, errors in named_errors(centre, _CENTRE).items()
            },
        },
    )


def _dense(
    subject: Subject, centre: Evaluation, ensemble: Ensemble
) -> Iterator[tuple[str, Evaluation]]:
    """
    Yield the answers of many crops to some frames, before them the centre crop's to the same.

    Nothing where an image has one crop only: fewer are made than asked for where some would be
    the same.
    """
    frames = some(subject.test, _MOST_DENSE)
    preprocessing = subject.loaded.card.preprocessing
    crops = len(preprocessing.prepare_crops(read_image(frames[0].image), ensemble.crops))
    if crops == 1:
        return
    regressor = PoseRegressor(subject.loaded.model, preprocessing, subject.loaded.device, ensemble)
    dense = evaluate_regressor(regressor, frames, f'{crops} crops of each image')
    dense = replace(dense, metric=centre.metric)
    if len(frames) < len(subject.test):
        known = dict(zip(subject.test, centre.estimates, strict=True))
        yield _CENTRE, replace(dense, estimates=tuple(known[frame] for frame in frames))
    yield f'PoseNet, mean of {crops} crops', dense


def _columns(unit: str) -> list[str]:
    """Return the headings of the table, each for itself."""
    medians, percentiles, shares = (columns for _, columns in headings(unit))
    return [
        'answers of',
        'test frames',
        *(f'median [{each}]' for each in medians),
        *(f'95 % [{each}]' for each in percentiles),
        *(f'within {each}' for each in shares),
    ]


def _sorted(errors: PoseErrors) -> dict[str, list[float | None]]:
    """Return both errors in rising order, as the curves show them."""
    return {
        'position': plain(np.sort(errors.position_m)),
        'orientation_deg': plain(np.sort(errors.orientation_deg)),
    }


def _caption(subject: Subject, centre: Evaluation, extent: str) -> str:
    model = centre.summary
    nearest = ErrorSummary.of(centre.baseline_errors[NEAREST_IMAGE])
    unit = subject.unit
    return (
        'The share of test frames within each error: the further left a curve, the better. '
        f'Trained on {len(subject.train)} frames over {extent} and asked about '
        f'{len(subject.test)} others, the model has median errors of '
        f'{metres(model.median_position_m)} {unit} and {degrees(model.median_orientation_deg)} '
        'deg; the pose of the training image that looks most alike has '
        f'{metres(nearest.median_position_m)} {unit} and '
        f'{degrees(nearest.median_orientation_deg)} deg.'
    )
