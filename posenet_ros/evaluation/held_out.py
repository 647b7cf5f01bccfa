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

"""What a freshly trained model is worth, measured on the frames it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.evaluation.baselines import Baselines
from posenet_ros.evaluation.covariance import ResidualCovariance
from posenet_ros.evaluation.disturbed import Disturb, disturbances
from posenet_ros.evaluation.evaluate import batched, evaluate_regressor, Evaluation
from posenet_ros.evaluation.queries import queries_of_frames
from posenet_ros.evaluation.stretches import left_out
from posenet_ros.evaluation.told import by_axes, Settle
from posenet_ros.evaluation.trusting import calibrate
from posenet_ros.localization.measured import grown
from posenet_ros.localization.regressor import PoseRegressor, Regressor
from posenet_ros.localization.retrieval import NearestImage
from posenet_ros.localization.thinning import thinned
from posenet_ros.models.checkpoint import TrainingFeatures
from posenet_ros.models.map_card import Measure
from posenet_ros.models.trust import Trust

_BATCH = 16


@dataclass(frozen=True, eq=False)
class HeldOut:
    """
    The answers on held-out frames, the covariance they support, and the training features.

    The covariance, `trust`, those of `retrieval` and `card_errors()` go into the model card,
    `features` into the model folder. Covariances of `evaluation` are those of poses that tell
    them, as large as was measured. `told` is there where poses come with covariances of their
    own: as the others, in units of those, and `told_support` what it was concluded from.
    """

    evaluation: Evaluation
    support: ResidualCovariance
    trust: Trust
    retrieval: Measure
    features: TrainingFeatures
    told: Measure | None = None
    told_support: ResidualCovariance | None = None

    def card_errors(self) -> dict[str, Any]:
        """Return the error table for `ModelCard.errors`, in plain values."""
        told = self.told_support
        return {
            **self.evaluation.to_dict(),
            'covariance': self.support.to_dict(),
            **({'covariance_told': told.to_dict()} if told else {}),
        }


def evaluate_held_out(
    regressor: Regressor,
    features: TrainingFeatures,
    train: Sequence[Frame],
    blocks: Sequence[Sequence[Frame]],
    disturb: Sequence[Disturb] | None = None,
    settle: Settle = by_axes,
) -> HeldOut:
    """
    Measure a model on held-out blocks of frames beside both baselines.

    `train` are the frames it was trained on, and `features` theirs (see `describe`), by which the
    baselines answer.
    `disturb` are what makes held-out frames hard, by default what needs no depth of them, and
    `settle` measures covariances that come with poses.
    Raises PosenetError when nothing is held out, or when the model answers nothing.
    """
    frames = [*chain(*blocks)]
    doing = 'evaluating held-out frames'
    evaluation = evaluate_regressor(regressor, frames, doing, Baselines(features))
    few = thinned(features)
    nearest = NearestImage(few)
    disturb = disturb or disturbances()
    own, retrieval, *others = calibrate(
        regressor, nearest, train, blocks, disturb, left_out(few), settle
    )
    if not others:
        return HeldOut(evaluation, own.support, own.trust, retrieval.measure, features)
    [told] = others
    covariances = tuple(
        None if own_66 is None else grown(own_66, told.support.covariance)
        for own_66 in evaluation.covariances
    )
    return HeldOut(
        replace(evaluation, covariances=covariances),
        own.support,
        own.trust,
        retrieval.measure,
        features,
        told.measure,
        told.support,
    )


def with_frames(
    features: TrainingFeatures, regressor: PoseRegressor, frames: Sequence[Frame]
) -> TrainingFeatures:
    """Return training features with those of more frames, as places are known already."""
    images = (query.rgb for query in queries_of_frames(frames, 'describing held-out frames'))
    found = [regressor.regress(batch).features for batch in batched(images, _BATCH)]
    more = _features(np.concatenate(found), frames)
    return TrainingFeatures(
        *(
            np.concatenate([getattr(each, field.name) for each in (features, more)])
            for field in fields(TrainingFeatures)
        )
    )


def describe(regressor: PoseRegressor, frames: Sequence[Frame]) -> TrainingFeatures:
    """Learn what the places of training frames look like, and return what a model folder keeps."""
    images = (query.rgb for query in queries_of_frames(frames, 'describing training frames'))
    return _features(regressor.learn_places(images), frames)


def _features(feature_NK: NDArray[np.float32], frames: Sequence[Frame]) -> TrainingFeatures:
    poses = [frame.map_from_camera for frame in frames]
    return TrainingFeatures(
        feature_NK.astype(np.float16),
        np.array([pose.translation for pose in poses], dtype=np.float32),
        np.array([pose.quaternion() for pose in poses], dtype=np.float32),
        np.array([frame.stamp_ns for frame in frames], dtype=np.int64),
    )
