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

"""Rays from known cameras: where two of them meet, and how far a point is off one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Crossings(NamedTuple):
    """
    Where the rays of P pairs are nearest to each other.

    Pairs are in the order of `numpy.triu_indices`; `points_P3` are the middles of the common
    perpendiculars. `ahead_P` says that both ends of it are ahead of their cameras, and
    `angles_P` how far the lines are from parallel, radians, at most pi / 2; lines that are
    parallel to the last digit have no point, NaN.
    """

    points_P3: NDArray[np.float64]
    ahead_P: NDArray[np.bool_]
    angles_P: NDArray[np.float64]


def cross(centres_N3: NDArray[np.float64], directions_N3: NDArray[np.float64]) -> Crossings:
    """Return where each pair of rays meets, directions of length one."""
    first, second = np.triu_indices(len(centres_N3), k=1)
    u, v = directions_N3[first], directions_N3[second]
    between = centres_N3[second] - centres_N3[first]
    # Of one angle the sine is exact where the cosine is not, and the other way round.
    sine = np.linalg.norm(np.cross(u, v), axis=1)
    cosine = np.sum(u * v, axis=1)
    along_u, along_v = np.sum(between * u, axis=1), np.sum(between * v, axis=1)
    with np.errstate(divide='ignore', invalid='ignore'):
        s = (along_u - cosine * along_v) / sine**2
        t = (cosine * along_u - along_v) / sine**2
        points = centres_N3[first] + s[:, None] * u + centres_N3[second] + t[:, None] * v
    ahead = (s > 0) & (t > 0)
    angles = np.arctan2(sine, np.abs(cosine))
    points[~np.isfinite(points).all(axis=1)] = np.nan
    return Crossings(points / 2, ahead, angles)


def angles_off(
    points_H3: NDArray[np.float64],
    centres_N3: NDArray[np.float64],
    directions_N3: NDArray[np.float64],
) -> NDArray[np.float64]:
    """
    Return by which angles (H, N) points are off rays, 0 to pi: behind a camera is pi.

    NaN for a point that is none, and 0 for one that lies in the camera, where every direction
    leads.
    """
    to_HN3 = points_H3[:, None] - centres_N3[None]
    along = np.einsum('hni,ni->hn', to_HN3, directions_N3)
    beside = np.linalg.norm(np.cross(to_HN3, directions_N3[None]), axis=2)
    return np.arctan2(beside, along)


def widest_angle(directions_N3: NDArray[np.float64]) -> float:
    """Return how far any two lines are from parallel, radians; 0 for fewer than two."""
    first, second = np.triu_indices(len(directions_N3), k=1)
    u, v = directions_N3[first], directions_N3[second]
    sine = np.linalg.norm(np.cross(u, v), axis=1)
    return float(np.arctan2(sine, np.abs(np.sum(u * v, axis=1))).max(initial=0.0))
