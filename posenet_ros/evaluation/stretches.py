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
of a regressor grow in a real hole much as these do (measured: docs/recipe.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.covariance import moving, PARTS, Seen
from posenet_ros.localization.retrieval import FeatureIndex, poses_of
from posenet_ros.models.checkpoint import TrainingFeatures
from scipy.spatial.transform import Rotation

# Stretches in a row are a quarter of all images long, an eighth, and so on down to so many; ends
# in space are of such shares.
_SHORTEST = 8
_ENDS = (0.05, 0.1, 0.2)
_DIRECTIONS_D3 = np.array([each for each in product((-1.0, 0.0, 1.0), repeat=3) if any(each)])
# An axis along which the place is less long than so much of the longest has no ends.
_FLAT = 0.05
# A stretch is a hole when so many of its images look newer than is usual, and so many at least.
_NEW, _FEWEST_NEW = 0.5, 3
# What images of one stretch are wrong by is alike. Of so many of ten it is less than is taken.
_OF_STRETCHES = 0.9
# Of the images of a held-out block, as they are, so many look no newer than what counts as seen.
_OF_SEEN = 0.95


class Unseen(NamedTuple):
    """
    How poses may be wrong of images newer than any that was held out.

    Well beyond a novelty of `seen` standard deviations are at least `sizes` a unit of novelty:
    x y z in metres, about x y z in radians, zero for axes along which cameras do not move.
    """

    seen: float
    sizes: tuple[float, ...]


def left_out(training: TrainingFeatures) -> tuple[Seen, ...]:
    """
    Return, for stretches that are left out, novelties and errors of the most similar image's pose.

    Stretches follow one another as images were taken, sequence by sequence, or are the outermost
    in one of 26 directions.
    """
    similar_NN = FeatureIndex(training).similarities()
    poses = poses_of(training)
    positions_N3 = np.array([pose.translation for pose in poses])
    rotations = Rotation.concatenate([pose.rotation for pose in poses])
    found = []
    for out in (*_in_a_row(len(poses)), *_at_ends(positions_N3)):
        remain = np.setdiff1d(np.arange(len(poses)), out)
        similar = _as_without(similar_NN, out, remain)
        nearest = remain[similar.argmax(axis=1)]
        moved_n3 = positions_N3[nearest] - positions_N3[out]
        turned_n3 = (rotations[nearest] * rotations[out].inv()).as_rotvec()
        novelty_n = np.maximum(1 - similar.max(axis=1), 0).astype(np.float64)
        found.append(Seen(novelty_n, np.hstack([moved_n3, turned_n3]), np.ones(len(out))))
    return tuple(found)


def _as_without(
    similar_NN: NDArray[np.float32], out: NDArray[np.int64], remain: NDArray[np.int64]
) -> NDArray[np.float32]:
    """
    Return the cosines of what is left out with what remains, as if features had been of that only.

    Features are centred on the mean of all images. Without some it is another one, and these are
    less unlike the rest: of a quarter of a drive that is left out by a fifth.
    """
    to_mean_N = similar_NN[:, remain].mean(axis=1)
    mean_squared = to_mean_N[remain].mean()
    lengths_N = np.sqrt(np.maximum(similar_NN.diagonal() - 2 * to_mean_N + mean_squared, 1e-6))
    products = similar_NN[np.ix_(out, remain)] - to_mean_N[out, None] - to_mean_N[remain]
    return (products + mean_squared) / (lengths_N[out, None] * lengths_N[remain])


def _in_a_row(count: int) -> Iterator[NDArray[np.int64]]:
    length = count // 4
    while length >= _SHORTEST:
        for start in range(0, count - length + 1, length // 2):
            yield np.arange(start, start + length)
        length //= 2


def _at_ends(positions_N3: NDArray[np.float64]) -> Iterator[NDArray[np.int64]]:
    lengths_3 = np.ptp(positions_N3, axis=0)
    long_3 = lengths_3 > _FLAT * lengths_3.max()
    known = set()
    for direction_3 in _DIRECTIONS_D3 * long_3:
        if not direction_3.any():
            continue
        outermost = np.argsort(-(positions_N3 @ direction_3), kind='stable')
        for share in _ENDS:
            end = np.sort(outermost[: int(share * len(outermost))])
            if len(end) and end.tobytes() not in known:
                known.add(end.tobytes())
                yield end


def unseen(blocks: Sequence[Seen], stretches: Sequence[Seen]) -> Unseen:
    """
    Conclude from held-out blocks as they are, and from what `left_out` returned.

    Nothing is said (zeros) where no stretch looks newer than held-out images usually do.
    """
    answered = [block.novelty_N for block in blocks if len(block.novelty_N)]
    if not answered:
        return Unseen(0.0, (0.0,) * 6)
    typical = float(np.median(np.concatenate(answered)))
    # Of the usual block: in one of them somebody may have stood in front of the camera.
    seen = float(np.median([np.quantile(novelty_n, _OF_SEEN) for novelty_n in answered]))
    seen = max(seen, typical)
    new = [_new(stretch, typical) for stretch in stretches]
    holes = [stretch for stretch in new if stretch is not None]
    if not holes:
        return Unseen(seen, (0.0,) * 6)
    squares_6 = (Seen.joined(holes).residuals_N6 ** 2).mean(axis=0)
    by_novelty_H6 = [
        np.sqrt(np.mean((hole.residuals_N6 / hole.novelty_N[:, None]) ** 2, axis=0))
        for hole in holes
    ]
    usual_6 = np.quantile(by_novelty_H6, _OF_STRETCHES, axis=0)
    sizes_6 = np.zeros(6)
    for part in PARTS:
        # Which way a hole lies nobody knows.
        axes = moving(squares_6[part])
        sizes_6[part] = np.where(axes, usual_6[part][axes].max(), 0.0)
    return Unseen(seen, tuple(sizes_6.tolist()))


def _new(stretch: Seen, typical: float) -> Seen | None:
    """Return the images of a stretch that look newer than is usual, None of too few."""
    new_N = stretch.novelty_N > typical
    if new_N.sum() < max(_FEWEST_NEW, _NEW * len(new_N)):
        return None
    return stretch.where(new_N)
