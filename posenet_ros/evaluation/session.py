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

"""One evaluation from its request to its answers: load, ask, and compare."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.bags import Recording
from posenet_ros.data.capture import LABELS
from posenet_ros.data.run import describe_recording
from posenet_ros.data.scenes import read_scene
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.baselines import Baselines
from posenet_ros.evaluation.evaluate import evaluate, evaluate_recorded, Evaluation, recorded_at
from posenet_ros.evaluation.foreign import images_of_place, measure_foreign
from posenet_ros.evaluation.labels import read_labels
from posenet_ros.evaluation.made import how_many, made
from posenet_ros.evaluation.measured import Measured
from posenet_ros.evaluation.own_images import own_images
from posenet_ros.evaluation.queries import (
    images_of_recording,
    queries_of_frames,
    queries_of_recording,
)
from posenet_ros.evaluation.request import Request
from posenet_ros.evaluation.strangers import Strangers
from posenet_ros.evaluation.truth import fit_labels, LabelFit
from posenet_ros.geometry import read_tum, Trajectory
from posenet_ros.localization.estimate import Localizer
from posenet_ros.localization.load import load_localizer
from posenet_ros.models.checkpoint import find_model_folder
from posenet_ros.models.map_card import MapCard
from tqdm import tqdm


def measure(request: Request) -> Measured:
    """
    Do what a request asks for.

    Raises a PosenetError with one line for whatever is missing, damaged, or does not overlap.
    """
    localizer = None
    if request.model:
        localizer = load_localizer(
            request.model,
            request.device,
            unscaled=True,
            ensemble=request.ensemble,
            always=request.always,
            # Recorded poses are nobody's to verify: the model only feeds the baselines then.
            refine='off' if request.estimates else request.refine,
            method=request.method,
            neighbours=request.neighbours,
            solver=request.solver,
            engine=request.engine,
        )
    training = localizer and localizer.training
    baselines = Baselines(training) if training else None
    fit = _fitted_labels(request, localizer.card) if request.labels_truth else None
    if request.dataset:
        scene = read_scene(request.dataset, request.test_frames)
        queries = queries_of_frames(scene.test or scene.train, 'evaluating')
        evaluation = evaluate(localizer, queries, baselines)
    elif request.estimates:
        evaluation = _recorded(request, _truth(request, fit), localizer, baselines)
    else:
        truth = _truth(request, fit)
        with _opened(request) as (recording, topic):
            queries = queries_of_recording(recording, topic, truth, request.rate_hz)
            evaluation = evaluate(localizer, queries, baselines)
    if localizer:
        evaluation = replace(evaluation, metric=localizer.card.metric)
    same = bool(localizer and request.bag and _was_trained_on(localizer.card, request.bag))
    own_N = np.array(evaluation.novelties)
    own_N = own_N[~np.isnan(own_N)]
    foreign = tuple(
        measure_foreign(source, _shown(source, request, localizer), localizer, own_N)
        for source in request.foreign
    )
    return Measured(request, evaluation, localizer, fit, same, foreign)


def _shown(
    source: Path | Strangers, request: Request, localizer: Localizer
) -> Iterator[NDArray[np.uint8]]:
    """Return the images of a source of foreign ones, with a progress bar."""
    if isinstance(source, Path):
        return images_of_place(source, request.rate_hz)
    camera = localizer.card.camera
    own = own_images(request)
    images = made(source, own, camera and (camera.width, camera.height))
    return tqdm(images, desc=str(source), total=how_many(source, own), unit='image')


def _was_trained_on(card: MapCard, bag: Path) -> bool:
    """Tell whether a bag is a recording that a model was trained on, whatever its name."""
    known = [entry.get('sample_sha256') for entry in card.training.get('recordings', [])]
    return bool(known) and describe_recording(bag)['sample_sha256'] in known


def _fitted_labels(request: Request, card: MapCard) -> LabelFit:
    capture = find_model_folder(request.model).parent / 'capture'
    if not (capture / LABELS).is_file():
        raise ConfigError(
            '--labels-truth needs the labels the model was trained on, and there is no '
            f'{capture / LABELS}; give the whole folder that train left as --model'
        )
    return fit_labels(read_labels(capture, card), read_tum(request.labels_truth, target='truth'))


def _truth(request: Request, fit: LabelFit | None) -> Trajectory:
    """Return the truth in the map of the model."""
    if fit is None:
        return read_tum(request.truth)
    return read_tum(request.truth, target='truth').transformed(fit.map_from_truth)


def _recorded(
    request: Request,
    truth: Trajectory,
    localizer: Localizer | None,
    baselines: Baselines | None,
) -> Evaluation:
    """Compare recorded poses; a bag tells which images were shown, and feeds the baselines."""
    estimates = read_tum(request.estimates)
    if not request.bag:
        return evaluate_recorded(estimates, truth)
    with _opened(request) as (recording, topic):
        if not baselines:
            images = images_of_recording(recording, topic)
            return evaluate_recorded(estimates, truth, [image.stamp_ns for image in images])
        answered = evaluate(localizer, queries_of_recording(recording, topic, truth), baselines)
        return replace(answered, estimates=recorded_at(estimates, answered.stamps_ns))


@contextmanager
def _opened(request: Request) -> Iterator[tuple[Recording, str]]:
    with Recording(request.bag) as recording:
        yield recording, recording.image_topic(request.image_topic)
