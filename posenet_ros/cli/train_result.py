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

"""What a training leaves: the held-out figures, the report, and the model with its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from importlib.metadata import version
import math
from pathlib import Path
from typing import Any

import numpy as np
from posenet_ros import __version__
from posenet_ros.cli.train_landmarks import make_landmarks
from posenet_ros.cli.train_source import Labelled
from posenet_ros.data.depth import Depths
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.disturbed import disturbances
from posenet_ros.evaluation.held_out import describe, evaluate_held_out, HeldOut, with_frames
from posenet_ros.evaluation.report import write_report
from posenet_ros.evaluation.table import spread, text_table, usual_spread
from posenet_ros.evaluation.told import by_one_factor
from posenet_ros.localization.posenet import choose_device
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.models.card import ModelCard
from posenet_ros.models.checkpoint import load_model, save_model
from posenet_ros.models.map_card import MapCard
from posenet_ros.models.measured_layer import keep_measured_layer, restore_measured_layer
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.models.trust import Trust
from posenet_ros.sfm.report import PAGE
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.fit import Fitted
from posenet_ros.training.identity import frames_sha256, Identity, identity_of
from posenet_ros.training.refit import refit
from posenet_ros.training.splits import hold_out, Split

_POSENET = 'PoseNet'
_PACKAGES = ('torch', 'torchvision', 'lightning', 'numpy')


def conclude(
    output: Path,
    labelled: Labelled,
    split: Split,
    options: TrainOptions,
    fitted: Fitted,
    depths: Depths,
    map_bytes: int,
) -> None:
    """
    Measure on the held-out frames, write report and model, and tell the result.

    A head that is solved for then learns of the held-out frames too: where they were taken, the
    model would know less than it could. What was measured is of the model before. A map of
    landmarks goes beside the model, of at most `map_bytes`, none for 0.
    """
    held_out = _measured(labelled, split, fitted.model, fitted.preprocessing, depths)
    card = _card(labelled, split, options, fitted, held_out, len(depths))
    page = report(output, labelled, split, card, held_out, fitted.history)
    landmarks = make_landmarks(
        output,
        labelled,
        split,
        PoseRegressor(fitted.model, fitted.preprocessing, choose_device()),
        map_bytes,
    )
    features = held_out.features
    solved = fitted.model.architecture.solved
    if solved:
        keep_measured_layer(output, fitted.model)
        every = [*split.train, *split.held_out]
        refit(fitted.model, fitted.preprocessing, every, options, labelled.camera, depths)
        regressor = PoseRegressor(fitted.model, fitted.preprocessing, choose_device())
        features = with_frames(features, regressor, split.held_out)
    # Last, since a folder with a model is a finished run.
    save_model(output / 'model', fitted.model, card, features, landmarks.files)
    landmarks.tidy()
    tell(labelled, card, held_out)
    if solved:
        print('the last layer was then fitted to the held-out frames too')
    print(f'landmarks   {landmarks.told}')
    print(f'model   {output / "model"}\nreport  {page}')


def report_again(output: Path, labelled: Labelled, options: TrainOptions) -> None:
    """
    Make the report of a finished run that has lost it, but for the curves of its training.

    Raises ConfigError where the frames that the model was not trained on are no longer known.
    """
    loaded = load_model(output)
    split = hold_out(labelled.frames, options.held_out)
    if frames_sha256(split.train) != loaded.card.training.get('trained_on_sha256'):
        raise ConfigError(
            f'the report of {output} is gone and cannot be made again: this version holds out '
            'other frames than the model was trained without; remove its model to train again'
        )
    # The last layer of the model knows the held-out frames; the one that was measured did not.
    restore_measured_layer(output, loaded.model)
    held_out = _measured(labelled, split, loaded.model, loaded.card.preprocessing, {})
    report(output, labelled, split, loaded.card, held_out, [])


def _measured(
    labelled: Labelled,
    split: Split,
    model: PoseNet,
    preprocessing: Preprocessing,
    depths: Depths,
) -> HeldOut:
    # Views from elsewhere are drawn by depths that are roughly right. To what tells its own errors
    # by geometry that is an error of the image.
    disturb = disturbances(labelled.camera, {} if model.scene is not None else depths)
    regressor = PoseRegressor(model, preprocessing, choose_device())
    features = describe(regressor, split.train)
    held_out = evaluate_held_out(
        regressor, features, split.train, split.blocks, disturb, by_one_factor
    )
    evaluation = replace(held_out.evaluation, metric=labelled.metric)
    return replace(held_out, evaluation=evaluation)


def report(
    output: Path,
    labelled: Labelled,
    split: Split,
    card: MapCard,
    held_out: HeldOut,
    history: Sequence[Mapping[str, float]],
    method: str = _POSENET,
) -> Path:
    """Write the report of what was measured on held-out frames."""
    return write_report(
        output / 'report',
        held_out.evaluation,
        method=method,
        title=f'{method} of {labelled.source}',
        subtitle=_counted(labelled, held_out),
        training_poses=[frame.map_from_camera for frame in split.train],
        history=history,
        facts={
            **({'Labels': labelled.facts} if labelled.facts else {}),
            'Covariance': card.errors.get('covariance_told') or card.errors['covariance'],
            'Training': card.training,
        },
        links=[('How good the labels are', PAGE)] if (output / 'report' / PAGE).is_file() else [],
    )


def _counted(labelled: Labelled, held_out: HeldOut) -> str:
    return (
        f'{len(held_out.evaluation.truth)} held-out frames, none of them trained on; '
        f'{labelled.rejected} frames have no label and are in no figure'
    )


def tell(labelled: Labelled, card: MapCard, held_out: HeldOut, method: str = _POSENET) -> None:
    """Print the table, and what it does and does not say."""
    evaluation = held_out.evaluation
    print(f'\n{_counted(labelled, held_out)}:\n')
    print(text_table(evaluation, method), '', sep='\n')
    if not labelled.metric:
        print('the labels have no metres: lengths are in units of the map')
    print(f'covariance  {_how_sure(held_out, evaluation.unit)}')
    trust = held_out.trust
    if method == _POSENET:
        in_holes = held_out.told.trust if held_out.told else trust
        print(f'holes       {_of_holes(in_holes, evaluation.unit)}')
    print(
        f'refusal     above a novelty of {trust.limit:.2f}: {100 * trust.own_refused:.0f} % of '
        'the held-out frames that were answered rightly, also disturbed ones, and '
        f'{100 * (1 - trust.foreign_accepted):.0f} % of mirrored ones'
    )


def _how_sure(held_out: HeldOut, unit: str) -> str:
    """Say how large covariances are, and how that was checked."""
    support = held_out.told_support or held_out.support
    how = f'{spread(support.covariance, unit)} at usual novelty'
    if held_out.told_support:
        how = f'usually {usual_spread(held_out.evaluation.covariances, unit)}, told by each image'
    inside = support.inside_95_unscaled
    if inside is None:
        return how
    share = f'{100 * inside:.0f} % lay in the 95 % region of other blocks'
    if support.scale == 1:
        return f'{how}; {share}'
    return (
        f'{how}: {support.scale:.2f} times the variances of the held-out errors, since before '
        f'{share}'
    )


def _of_holes(trust: Trust, unit: str) -> str:
    """Say how wrong poses may be where nothing was held out."""
    if not any(trust.unseen):
        return 'how wrong poses are in one is not known: no stretch left out looks new enough'
    size, turned = max(trust.unseen[:3]), math.degrees(max(trust.unseen[3:]))
    return (
        f'well beyond a novelty of {trust.seen:.2f}, newer than what was held out, at least '
        f'{size:.2f} {unit}, {turned:.0f} deg a unit of novelty'
    )


def _card(
    labelled: Labelled,
    split: Split,
    options: TrainOptions,
    fitted: Fitted,
    held_out: HeldOut,
    with_depth: int,
) -> ModelCard:
    frames = {
        'with_depth': with_depth,
        'last_layer_fitted_to': 'all' if fitted.model.architecture.solved else 'trained_on',
    }
    identity = identity_of(split.train, split.held_out, options)
    return ModelCard(
        fitted.model.architecture,
        fitted.preprocessing,
        held_out.told,
        **known_of_map(labelled, split, held_out, identity, options.to_dict(), frames),
    )


def known_of_map(
    labelled: Labelled,
    split: Split,
    held_out: HeldOut,
    identity: Identity,
    options: Mapping[str, Any],
    frames: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the fields of a `MapCard`; `frames` are further facts about those."""
    positions = np.array([frame.map_from_camera.translation for frame in split.train])
    provenance = {
        'source': labelled.source,
        **({'recordings': labelled.recordings} if labelled.recordings else {}),
        **({'poses': labelled.origin} if labelled.origin else {}),
        **identity,
        'frames': {
            'trained_on': len(split.train),
            'held_out': len(split.held_out),
            'held_out_share': round(split.share, 4),
            'rejected': labelled.rejected,
            **frames,
        },
        'options': dict(options),
        **made_now(),
    }
    return {
        'camera': labelled.camera,
        'extent': np.stack([positions.min(axis=0), positions.max(axis=0)]),
        'map_frame': labelled.origin.get('frame') or 'map',
        'metric': labelled.metric,
        'training': provenance,
        'errors': held_out.card_errors(),
        'covariance': held_out.support.covariance,
        'trust': held_out.trust,
        'retrieval': held_out.retrieval,
    }


def made_now() -> dict[str, Any]:
    """Return date and versions, for a card."""
    return {
        'date': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'versions': {
            'posenet_ros': __version__,
            **{package: version(package) for package in _PACKAGES},
        },
    }
