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

"""The training image that looks most like a given one, and its pose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ModelError
from posenet_ros.geometry import Pose
from posenet_ros.models.checkpoint import TrainingFeatures


class Match(NamedTuple):
    """The nearest training image: its number, and the cosine of the features, at most 1."""

    index: int
    similarity: float


class FeatureIndex:
    """
    Exact nearest neighbour by cosine among the features of the training images.

    A matrix product: a million multiplications for a thousand images, less than the network
    needs for one layer.
    """

    def __init__(self, training: TrainingFeatures) -> None:
        """Take the features that a model folder holds; raise ModelError when there are none."""
        if not len(training.features_NK):
            raise ModelError('the model folder holds no training images to compare with')
        features = training.features_NK.astype(np.float32)
        # Cosines with training images, which are whole in their own directions but for rounding.
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        self._features = features / np.maximum(lengths, 1e-6)

    def __len__(self) -> int:
        """Return the number of training images."""
        return len(self._features)

    @property
    def nbytes(self) -> int:
        """The memory that the features take, in bytes."""
        return self._features.nbytes

    def similarities(self) -> NDArray[np.float32]:
        """Return the cosines (N, N) of all training images with one another."""
        return self._features @ self._features.T

    def novelty(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """
        Return how unlike all training images those with features (M, K) are, from 0 to 2.

        One minus the cosine with the nearest; 2 for a feature that points nowhere.
        """
        matches = self.nearest(features)
        cosines = np.array([-1.0 if match is None else match.similarity for match in matches])
        # Rounding takes the cosine of an image with itself above one.
        return np.maximum(1 - cosines, 0)

    def nearest(self, features: NDArray[np.float32]) -> tuple[Match | None, ...]:
        """
        Return the nearest of each feature (M, K).

        None for a feature that is not finite, or all zero: it points nowhere.
        """
        if features.shape[1] != self._features.shape[1]:
            raise ModelError(
                f'features of {features.shape[1]} numbers cannot be compared with the '
                f"{self._features.shape[1]} of the model's training images"
            )
        cosines = features @ self._features.T
        points = np.isfinite(features).all(axis=1) & (features != 0).any(axis=1)
        best = np.argmax(cosines, axis=1)
        return tuple(
            Match(int(index), float(row[index])) if known else None
            for index, row, known in zip(best, cosines, points, strict=True)
        )

    def most_alike(
        self,
        feature_K: NDArray[np.float32],
        count: int,
        centres_N3: NDArray[np.float64],
        apart_m: float = 0.0,
    ) -> NDArray[np.int64]:
        """
        Return the numbers of the images nearest to one with a feature (K,), the nearest first.

        With `apart_m` none is so near to one before it, by their `centres_N3`: five frames of one
        second say one thing five times. None for a feature that points nowhere.
        """
        if not (np.isfinite(feature_K).all() and feature_K.any()):
            return np.zeros(0, dtype=np.int64)
        cosines = self._features @ feature_K
        # With `apart_m` some are passed over; so many more are looked at, and all if need be.
        considered = count if apart_m <= 0 else 8 * count
        while True:
            considered = min(considered, len(cosines))
            first = np.argpartition(-cosines, considered - 1)[:considered]
            first = first[np.argsort(-cosines[first], kind='stable')]
            chosen = first[:count] if apart_m <= 0 else _apart(first, centres_N3, apart_m, count)
            if len(chosen) == count or considered == len(cosines):
                return chosen
            considered *= 4


def _apart(
    first: NDArray[np.int64], centres_N3: NDArray[np.float64], apart_m: float, count: int
) -> NDArray[np.int64]:
    chosen: list[int] = []
    for number in first.tolist():
        away = np.linalg.norm(centres_N3[chosen] - centres_N3[number], axis=1)
        if (away >= apart_m).all():
            chosen.append(number)
        if len(chosen) == count:
            break
    return np.array(chosen, dtype=np.int64)


class NearestImage:
    """The pose of the training image that looks most like an image: what retrieval answers."""

    def __init__(self, training: TrainingFeatures) -> None:
        """Take what a model folder holds; raise ModelError when there are no training images."""
        self.index = FeatureIndex(training)
        self._poses = poses_of(training)

    def poses(self, features: NDArray[np.float32]) -> tuple[Pose | None, ...]:
        """Return `map_from_camera` for features (M, K), None for one that points nowhere."""
        matches = self.index.nearest(features)
        return tuple(match and self._poses[match.index] for match in matches)


def poses_of(training: TrainingFeatures) -> tuple[Pose, ...]:
    """Return `map_from_camera` of all training images, in the order of their numbers."""
    pairs = zip(training.quaternions_wxyz_N4, training.positions_N3, strict=True)
    return tuple(
        Pose.from_quaternion(
            w=w, x=x, y=y, z=z, translation=position, target='map', source='camera'
        )
        for (w, x, y, z), position in pairs
    )
