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
What a localizer has to beat: the mean training pose, and the nearest training image.

A regressor that loses to the second has learned less than retrieval knows (Sattler et al.,
CVPR 2019), so both stand beside it in every table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import PosenetError
from posenet_ros.geometry import Pose
from posenet_ros.localization.retrieval import NearestImage, poses_of
from posenet_ros.models.checkpoint import TrainingFeatures
from scipy.spatial.transform import Rotation

MEAN_POSE = 'mean_pose'
NEAREST_IMAGE = 'nearest_image'


def mean_pose(poses: Sequence[Pose]) -> Pose:
    """
    Return the mean of training poses: what one answers who knows the place but not the image.

    The rotation is the eigenvector mean (Markley et al., 2007), for which q and -q are one.
    """
    if not poses:
        raise PosenetError('there is no mean of no training poses')
    rotations = Rotation.concatenate([pose.rotation for pose in poses])
    position = np.mean([pose.translation for pose in poses], axis=0)
    return Pose(rotations.mean(), position, poses[0].target, poses[0].source)


class Baselines:
    """Both baselines of a model, from the features of its training images."""

    def __init__(self, training: TrainingFeatures) -> None:
        """Take what the model folder holds about the training images."""
        self._nearest = NearestImage(training)
        self._mean = mean_pose(poses_of(training))

    def answer(self, features: NDArray[np.float32]) -> dict[str, tuple[Pose | None, ...]]:
        """Return the poses of both baselines for images with features (M, D)."""
        return {
            MEAN_POSE: (self._mean,) * len(features),
            NEAREST_IMAGE: self._nearest.poses(features),
        }

    def answer_blind(self, count: int) -> dict[str, tuple[Pose | None, ...]]:
        """Return the poses of both baselines for so many images that cannot be read."""
        return {MEAN_POSE: (self._mean,) * count, NEAREST_IMAGE: (None,) * count}


def seen_in_training(truth: Sequence[Pose], training: TrainingFeatures) -> int:
    """
    Return how many true poses are exactly at a training image: frames that were trained on.

    Where a data set has no test split, an evaluation asks about those too.
    """
    seen = {position.tobytes() for position in training.positions_N3}
    return sum(pose.translation.astype(np.float32).tobytes() in seen for pose in truth)
