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

"""One evaluation from its request to its figures: load, ask, compare, and say how to read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
import math
from typing import Any

from posenet_ros.data.bags import Recording
from posenet_ros.data.capture import LABELS
from posenet_ros.data.scenes import read_scene
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.baselines import Baselines, seen_in_training
from posenet_ros.evaluation.evaluate import evaluate, evaluate_recorded, Evaluation, recorded_at
from posenet_ros.evaluation.queries import (
    images_of_recording,
    queries_of_frames,
    queries_of_recording,
)
from posenet_ros.evaluation.request import Request
from posenet_ros.evaluation.truth import fit_labels, LabelFit
from posenet_ros.geometry import Pose, read_tum, Trajectory
from posenet_ros.localization.estimate import Localizer
from posenet_ros.localization.load import load_localizer
from posenet_ros.localization.retrieval import poses_of
from posenet_ros.models.checkpoint import find_model_folder


@dataclass(frozen=True, eq=False)
class Measured:
    """
    The answers of a request, in the map of the model, and what belongs to them.

    `localizer` is None where only recorded poses were compared; `fit` is the frame between the
    truth and the map where the training labels gave one.
    """

    request: Request
    evaluation: Evaluation
    localizer: Localizer | None = None
    fit: LabelFit | None = None

    def training_poses(self) -> tuple[Pose, ...]:
        """Return where the training images were taken, as far as the model folder tells."""
        training = self.localizer and self.localizer.training
        return poses_of(training) if training else ()

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values for JSON."""
        fit = {'label_fit': self.fit.to_dict()} if self.fit else {}
        return {**self.evaluation.to_dict(), **fit}

    def notes(self) -> Iterator[str]:
        """Yield the lines that one must know to read the table."""
        request, summary = self.request, self.evaluation.summary
        yield (
            f'{summary.frames} frames of {request.asked}: {summary.localized} answered '
            f'({100 * summary.localized_share:.1f} %)'
        )
        if self.fit:
            yield str(self.fit)
        if request.estimates and not request.bag:
            yield 'only recorded poses are counted; --bag BAG counts the images without one too'
        if self.localizer:
            yield from self._notes_on_model(self.localizer, summary.median_position_m)

    def _notes_on_model(self, localizer: Localizer, median_m: float) -> Iterator[str]:
        training = localizer.training
        if training is None:
            yield 'no baselines: the model folder holds no training features'
        elif self.request.dataset:
            seen = seen_in_training(self.evaluation.truth, training)
            if seen:
                yield f'{seen} of these frames were trained on; errors on new ones are larger'
        size = math.dist(*localizer.card.extent)
        if self.request.truth and not self.fit and median_m > size:
            yield (
                f'the median error is larger than the map ({size:.1f} m): if the truth is in a '
                'frame of its own, give --labels-truth too'
            )


def measure(request: Request) -> Measured:
    """
    Do what a request asks for.

    Raises a PosenetError with one line for whatever is missing, damaged, or does not overlap.
    """
    localizer = load_localizer(request.model, request.device) if request.model else None
    training = localizer and localizer.training
    baselines = Baselines(training) if training else None
    if request.dataset:
        scene = read_scene(request.dataset)
        queries = queries_of_frames(scene.test or scene.train, 'evaluating')
        return Measured(request, evaluate(localizer, queries, baselines), localizer)
    fit = _fitted_labels(request) if request.labels_truth else None
    truth = _truth(request, fit)
    if request.estimates:
        evaluation = _recorded(request, truth, localizer, baselines)
    else:
        with _opened(request) as (recording, topic):
            queries = queries_of_recording(recording, topic, truth, request.rate_hz)
            evaluation = evaluate(localizer, queries, baselines)
    return Measured(request, evaluation, localizer, fit)


def _fitted_labels(request: Request) -> LabelFit:
    labels = find_model_folder(request.model).parent / 'capture' / LABELS
    if not labels.is_file():
        raise ConfigError(
            f'--labels-truth needs the labels the model was trained on, and there is no {labels}; '
            'give the whole folder that train left as --model'
        )
    return fit_labels(read_tum(labels), read_tum(request.labels_truth, target='truth'))


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
