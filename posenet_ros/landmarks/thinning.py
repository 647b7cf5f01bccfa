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
Making a map of landmarks smaller: fewer looks of each point, then fewer points.

Points are kept by coverage: those that every part of every frame needs most come first, and only
then others. A map thinned at random loses the corners that few points are in.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from posenet_ros.landmarks.features import unit_rows
from posenet_ros.landmarks.landmark_map import LandmarkMap
from posenet_ros.landmarks.resection import Attitude

_MOST_LOOKS = 3
# Looks whose cosine is more are the same.
_SAME_LOOK = 0.95
# Frames that saw a place, or a tenth of all.
_PLACE = 20
# Parts of a frame, across and down.
_CELLS = 8, 6


def thinned(landmarks: LandmarkMap, budget_bytes: int) -> LandmarkMap:
    """
    Return a map with at most three looks of each point, and so many points as fit in a budget.

    The frames stay; what they alone weigh is kept whatever the budget.
    """
    few = _with_few_looks(landmarks)
    spare = few.nbytes - budget_bytes
    if spare <= 0:
        return few
    order = np.argsort(_needed(few), kind='stable')
    looks, views = np.diff(few.first_row), np.bincount(few.seen, minlength=len(few.points_P3))
    weights = 12 + 4 + looks * few.descriptors.shape[1] + 4 * views
    room = weights.sum() - spare
    kept = order[np.cumsum(weights[order]) <= room]
    return _only(few, np.sort(kept))


def without_place(landmarks: LandmarkMap, centres_N3: NDArray[np.float64]) -> LandmarkMap:
    """Return a map without the points that the frames nearest to some places (metres) saw."""
    apart = np.linalg.norm(landmarks.centres_F3[:, None] - centres_N3[None], axis=2)
    nearest = np.argsort(apart.min(axis=1))[: max(_PLACE, landmarks.frames // 10)]
    kept = np.ones(len(landmarks.points_P3), dtype=bool)
    kept[landmarks.seen_by(nearest)] = False
    return _only(landmarks, np.flatnonzero(kept))


def _with_few_looks(landmarks: LandmarkMap) -> LandmarkMap:
    """Keep the most usual look of each point, then those that differ most."""
    unit = unit_rows(landmarks.descriptors)
    kept, counts = [], []
    for start, end in zip(landmarks.first_row[:-1], landmarks.first_row[1:]):
        looks = unit[start:end]
        chosen = [int(np.argmax(looks @ looks.mean(axis=0)))]
        nearest = looks @ looks[chosen[0]]
        while len(chosen) < min(_MOST_LOOKS, len(looks)):
            other = int(np.argmin(nearest))
            if nearest[other] > _SAME_LOOK:
                break
            chosen.append(other)
            nearest = np.maximum(nearest, looks @ looks[other])
        kept += [start + number for number in chosen]
        counts.append(len(chosen))
    first_row = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return replace(
        landmarks, descriptors=landmarks.descriptors[np.array(kept, int)], first_row=first_row
    )


def _needed(landmarks: LandmarkMap) -> NDArray[np.float64]:
    """
    Return how early each point is to be kept: its best rank in any part of any frame.

    Within a part of a frame the points that most frames saw come first.
    """
    views = np.bincount(landmarks.seen, minlength=len(landmarks.points_P3))
    best = np.full(len(landmarks.points_P3), np.inf)
    camera = landmarks.camera
    for frame in range(landmarks.frames):
        points = landmarks.seen_by([frame])
        if not len(points):
            continue
        attitude = Attitude(
            landmarks.rotations_F33[frame].astype(np.float64), landmarks.centres_F3[frame]
        )
        # Without its distortion, which moves points by less than a cell.
        pixels = camera.project(attitude.into_image(landmarks.points_P3[points]))
        share = np.clip(np.nan_to_num(pixels) / [camera.width, camera.height], 0, 0.999)
        column, row = (share * _CELLS).astype(int).T
        cell = row * _CELLS[0] + column
        order = np.lexsort((-views[points], cell))
        starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
        rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
        best[points[order]] = np.minimum(best[points[order]], rank)
    # Among equals, those that most frames saw.
    return best - views / (views.max() + 1)


def _only(landmarks: LandmarkMap, points: NDArray[np.int64]) -> LandmarkMap:
    """Return a map of some of the points, by rising numbers."""
    number = np.full(len(landmarks.points_P3), -1, dtype=np.int64)
    number[points] = np.arange(len(points))
    rows, _ = landmarks.rows_of(points)
    seen = number[landmarks.seen]
    frame_of = np.repeat(np.arange(landmarks.frames), np.diff(landmarks.first_seen))
    counts = np.bincount(frame_of[seen >= 0], minlength=landmarks.frames)
    return replace(
        landmarks,
        points_P3=landmarks.points_P3[points],
        first_row=np.concatenate([[0], np.cumsum(np.diff(landmarks.first_row)[points])]).astype(
            np.int32
        ),
        descriptors=landmarks.descriptors[rows],
        first_seen=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        seen=seen[seen >= 0].astype(np.int32),
    )
