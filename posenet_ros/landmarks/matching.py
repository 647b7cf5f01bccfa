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

"""Which feature of an image is which point of the map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.landmarks.features import unit_rows
from posenet_ros.landmarks.landmark_map import LandmarkMap

# The nearest point is to be so much nearer than any other (Lowe, 2004, section 7.1).
_RATIO = 0.85
# Where the place in the image is known, the look has to tell less.
_LEAST_COSINE = 0.8


class Matches(NamedTuple):
    """M pairs of a feature of an image and a point of the map, by their numbers."""

    features: NDArray[np.int64]
    points: NDArray[np.int64]


def match_anywhere(
    unit_ND: NDArray[np.float32], landmarks: LandmarkMap, points: NDArray[np.int64]
) -> Matches:
    """
    Match features with some points by looks alone.

    A feature is matched where one point looks much more like it than all the other points do; a
    point that has several matches keeps the best.
    """
    nothing = np.zeros(0, dtype=np.int64)
    if len(points) < 2 or not len(unit_ND):
        return Matches(nothing, nothing)
    cosine_NP = _cosines(unit_ND, landmarks, points)
    every = np.arange(len(cosine_NP))
    best = cosine_NP.argmax(axis=1)
    nearest = cosine_NP[every, best].copy()
    cosine_NP[every, best] = -1.0
    second = cosine_NP.max(axis=1)
    chosen = np.flatnonzero(clearly_nearest(nearest, second, _RATIO))
    chosen = chosen[np.argsort(-nearest[chosen], kind='stable')]
    _, once = np.unique(best[chosen], return_index=True)
    kept = chosen[once]
    return Matches(kept, points[best[kept]])


def clearly_nearest(
    nearest: NDArray[np.float32], second: NDArray[np.float32], ratio: float
) -> NDArray[np.bool_]:
    """Tell, by cosines, where the nearest is nearer than `ratio` times the second."""
    # 1 - cosine is half of the squared distance between unit vectors. Rounding may have it below
    # zero for looks that are the same, and two of them would seem to be apart.
    return np.maximum(1 - nearest, 0) < ratio**2 * (1 - second)


class Guided(NamedTuple):
    """Matches near where points are expected, and how many of them chance would give."""

    matches: Matches
    by_chance: float


def match_nearby(
    unit_ND: NDArray[np.float32],
    places_N2: NDArray[np.float64],
    landmarks: LandmarkMap,
    points: NDArray[np.int64],
    expected_P2: NDArray[np.float64],
    radius: float,
    area: float,
) -> Guided:
    """
    Match features with points that are expected at known places.

    `places_N2` and `expected_P2` are in the same unit, as are the `radius` within which a
    feature is looked for, and the `area` of the image in the square of it. Each
    feature and each point is used once, the pairs that look most alike first. `by_chance` is how
    many pairs there would be if the features that look like points were anywhere in the image.
    """
    nothing = np.zeros(0, dtype=np.int64)
    if not len(points) or not len(unit_ND):
        return Guided(Matches(nothing, nothing), 0.0)
    cosine_NP = _cosines(unit_ND, landmarks, points)
    alike = cosine_NP > _LEAST_COSINE
    features, columns = np.nonzero(alike)
    # Where the image is smaller than what is looked at, all pairs are near each other by chance.
    by_chance = len(features) * min(1.0, np.pi * radius**2 / max(area, 1e-12))
    apart = places_N2[features] - expected_P2[columns]
    near = np.einsum('ij,ij->i', apart, apart) < radius**2
    features, columns = features[near], columns[near]
    order = np.argsort(-cosine_NP[features, columns], kind='stable')
    features, columns = _one_to_one(features[order], columns[order])
    return Guided(Matches(features, points[columns]), float(by_chance))


def _cosines(
    unit_ND: NDArray[np.float32], landmarks: LandmarkMap, points: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the cosine (N, P) of features with the most similar look of each point."""
    rows, begins = landmarks.rows_of(points)
    looks = unit_rows(landmarks.descriptors[rows])
    cosines = unit_ND @ looks.T
    if len(rows) == len(points):
        return cosines
    return np.maximum.reduceat(cosines, begins, axis=1)


def _one_to_one(
    first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of which neither part was in an earlier pair that was kept."""
    taken_first, taken_second, kept = set(), set(), []
    for number, (one, other) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        if one not in taken_first and other not in taken_second:
            taken_first.add(one)
            taken_second.add(other)
            kept.append(number)
    return first[kept], second[kept]
