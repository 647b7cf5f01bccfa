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
How wrong poses may be in a hole of the map: of stretches of it that are left out.

Held-out blocks of a second have images of a second before and after beside them, and tell nothing
of a place that nobody drove to. What the place itself tells is how far poses are apart by how
unlike images look: a stretch of the recording, or an end of the place, is left out, and each of
its images has the pose of the most similar one that remains. That takes no training, and errors
of a regressor grow in a real hole as these do (measured: docs/recipe.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.covariance import moving, Seen
from posenet_ros.localization.retrieval import FeatureIndex, poses_of
from posenet_ros.models.checkpoint import TrainingFeatures
from scipy.spatial.transform import Rotation

# Stretches in time are a quarter of all images long, an eighth, and so on down to so many; ends
# in space are of such shares.
_SHORTEST = 8
_ENDS = (0.05, 0.1, 0.2)
_DIRECTIONS_D3 = np.array([each for each in product((-1.0, 0.0, 1.0), repeat=3) if any(each)])
# A stretch tells something when so many of its images look newer than held-out ones.
_FEWEST_NEW = 3
# What images of one stretch are wrong by is alike. Of so many of ten it is less than is taken.
_OF_STRETCHES = 0.9
# Of held-out images, as they are, so many look no newer than what counts as seen.
_OF_SEEN = 0.95


class Unseen(NamedTuple):
    """
    How poses may be wrong of images newer than any that was held out.

    Above a novelty of `seen` the standard deviation along each axis in which cameras move is at
    least `position` metres and `rotation` radians a unit of novelty.
    """

    seen: float
    position: float
    rotation: float


def left_out(training: TrainingFeatures) -> tuple[Seen, ...]:
    """
    Return, for stretches that are left out, novelties and errors of the most similar image's pose.

    Stretches follow one another in time, or are the outermost in one of 26 directions.
    """
    similar_NN = FeatureIndex(training).similarities()
    poses = poses_of(training)
    positions_N3 = np.array([pose.translation for pose in poses])
    rotations = Rotation.concatenate([pose.rotation for pose in poses])
    stretches = [*_in_time(training.stamps_ns_N), *_at_ends(positions_N3)]
    found = []
    for out in stretches:
        remain = np.setdiff1d(np.arange(len(poses)), out)
        if not (len(out) and len(remain)):
            continue
        similar = similar_NN[np.ix_(out, remain)]
        nearest = remain[similar.argmax(axis=1)]
        moved_n3 = positions_N3[nearest] - positions_N3[out]
        turned_n3 = (rotations[nearest] * rotations[out].inv()).as_rotvec()
        novelty_n = np.maximum(1 - similar.max(axis=1), 0).astype(np.float64)
        found.append(Seen(novelty_n, np.hstack([moved_n3, turned_n3]), np.ones(len(out))))
    return tuple(found)


def _in_time(stamps_N: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    order = np.argsort(stamps_N, kind='stable')
    length = len(order) // 4
    while length >= _SHORTEST:
        for start in range(0, len(order) - length + 1, length // 2):
            yield order[start : start + length]
        length //= 2


def _at_ends(positions_N3: NDArray[np.float64]) -> Iterator[NDArray[np.int64]]:
    for direction_3 in _DIRECTIONS_D3:
        outermost = np.argsort(-(positions_N3 @ direction_3), kind='stable')
        for share in _ENDS:
            yield outermost[: int(share * len(outermost))]


def unseen(own: Seen, stretches: Sequence[Seen]) -> Unseen:
    """
    Conclude from held-out frames as they are, and from what `left_out` returned.

    Nothing is said (zero) where no stretch has images that look newer than held-out ones.
    """
    if not len(own.novelty_N):
        return Unseen(0.0, 0.0, 0.0)
    seen = float(np.quantile(own.novelty_N, _OF_SEEN))
    new = [stretch.where(stretch.novelty_N > seen) for stretch in stretches]
    new = [stretch for stretch in new if len(stretch.novelty_N) >= _FEWEST_NEW]
    if not new:
        return Unseen(seen, 0.0, 0.0)
    everywhere = Seen.joined(new)
    sizes = []
    for part in (slice(0, 3), slice(3, 6)):
        axes = moving((everywhere.residuals_N6[:, part] ** 2).mean(axis=0))
        of_stretch = [
            np.mean((stretch.residuals_N6[:, part][:, axes] / stretch.novelty_N[:, None]) ** 2)
            for stretch in new
        ]
        sizes.append(float(np.sqrt(np.quantile(of_stretch, _OF_STRETCHES))))
    return Unseen(seen, *sizes)
