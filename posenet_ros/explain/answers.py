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

"""What a model answers to the test frames, asked once for all figures that need it."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.errors import ModelError
from posenet_ros.evaluation.baselines import Baselines
from posenet_ros.evaluation.evaluate import evaluate_regressor, Evaluation
from posenet_ros.explain.subject import Subject
from posenet_ros.models.checkpoint import TrainingFeatures

ASKING = 'asking about test frames'


@lru_cache(maxsize=1)
def answers(subject: Subject) -> Evaluation:
    """
    Ask about all test frames, in their order, with a progress bar; compare with both baselines.

    Every frame is answered: a regressor is measured here, and not what its card would refuse.
    Raises ModelError where the model has no features of its training frames.
    """
    baselines = Baselines(training_features(subject))
    evaluation = evaluate_regressor(subject.regressor, subject.test, ASKING, baselines)
    return replace(evaluation, metric=subject.loaded.card.metric)


def training_features(subject: Subject) -> TrainingFeatures:
    """
    Return the features of the training frames alone.

    A model that was fitted to the held-out frames in the end keeps their features too, and a
    nearest image that is the test image itself would be no baseline. A frame is known by its
    stamp and position. Raises ModelError where the model has no features of training frames.
    """
    kept = subject.loaded.features
    if kept is None:
        raise ModelError(
            f'the model of {subject.run} lacks the features of its training images, without which '
            'there is no nearest one; copy the whole folder'
        )
    test = {_key(frame) for frame in subject.test}
    train = {_key(frame) for frame in subject.train} - test
    rows = np.array(
        [
            (int(stamp_ns), position.tobytes()) in train
            for stamp_ns, position in zip(kept.stamps_ns_N, kept.positions_N3, strict=True)
        ],
        dtype=bool,
    )
    if not rows.any():
        raise ModelError(
            f'the features in the model of {subject.run} are of none of its training images; copy '
            'the whole folder, or train again'
        )
    return TrainingFeatures(*(getattr(kept, field.name)[rows] for field in fields(kept)))


def _key(frame: Frame) -> tuple[int, bytes]:
    return frame.stamp_ns, frame.map_from_camera.translation.astype(np.float32).tobytes()
