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
from scipy.spatial import cKDTree

# The nearest point is to be so much nearer than any other (Lowe, 2004, section 7.1).
_RATIO = 0.85
# Where the place in the image is known, the look has to tell less.
_LEAST_COSINE = 0.8
# One of so many features tells how many look like points by chance.
_SAMPLE_STEP = 8


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
    rows, begins = landmarks.rows_of(points)
    counts = _counts(begins, rows)
    point_of = np.repeat(np.arange(len(points)), counts)
    cosines_NR = unit_ND @ unit_rows(landmarks.descriptors[rows]).T
    every = np.arange(len(cosines_NR))
    row = cosines_NR.argmax(axis=1)
    best, nearest = point_of[row], cosines_NR[every, row]
    # The next point is not another look of the same.
    for number in range(int(counts.max())):
        has = counts[best] > number
        cosines_NR[every[has], begins[best[has]] + number] = -1.0
    second = cosines_NR.max(axis=1)
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
    rows, begins = landmarks.rows_of(points)
    looks = unit_rows(landmarks.descriptors[rows])
    near = cKDTree(places_N2).sparse_distance_matrix(
        cKDTree(expected_P2), radius, output_type='coo_matrix'
    )
    features, columns = near.row.astype(np.int64), near.col.astype(np.int64)
    cosines = _cosines_of_pairs(
        unit_ND, looks, features, begins[columns], _counts(begins, rows)[columns]
    )
    alike = cosines > _LEAST_COSINE
    features, columns, cosines = features[alike], columns[alike], cosines[alike]
    order = np.argsort(-cosines, kind='stable')
    features, columns = _one_to_one(features[order], columns[order])
    # Where the image is smaller than what is looked at, all pairs are near each other by chance.
    share = min(1.0, np.pi * radius**2 / max(area, 1e-12))
    by_chance = _alike_anywhere(unit_ND, looks, begins) * share
    return Guided(Matches(features, points[columns]), float(by_chance))


def _alike_anywhere(
    unit_ND: NDArray[np.float32], looks: NDArray[np.float32], begins: NDArray[np.int64]
) -> float:
    """Return how many pairs of a feature and a point look alike, from some of the features."""
    some = unit_ND[::_SAMPLE_STEP]
    alike = np.logical_or.reduceat(some @ looks.T > _LEAST_COSINE, begins, axis=1)
    return float(alike.sum()) * len(unit_ND) / len(some)


def _counts(begins: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.diff(begins, append=len(rows))


def _cosines_of_pairs(
    unit_ND: NDArray[np.float32],
    looks: NDArray[np.float32],
    features: NDArray[np.int64],
    begins: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return the cosine of each feature with the most similar of its point's looks."""
    best = np.full(len(features), -1.0, dtype=np.float32)
    for number in range(int(counts.max(initial=0))):
        has = np.flatnonzero(counts > number)
        pairs = np.einsum('ij,ij->i', unit_ND[features[has]], looks[begins[has] + number])
        best[has] = np.maximum(best[has], pairs)
    return best


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
