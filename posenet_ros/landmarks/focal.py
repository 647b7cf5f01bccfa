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

"""The focal length that points of the map speak for, where the one told is doubted, or none is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from posenet_ros.landmarks.finder import Held
from posenet_ros.landmarks.landmark_map import LandmarkMap
from posenet_ros.landmarks.matching import match_anywhere, Matches
from posenet_ros.landmarks.resection import FEWEST_MATCHES, free_focal, Zoom, zoom_of
from posenet_ros.landmarks.sighting import Sighting

# What agrees with another focal length is so near to where the one told has it, and that one is
# doubted where it is off by so many standard deviations.
_ZOOMED_PX, _DOUBT = 40.0, 2.0
# A focal length that nobody told is looked for up to so many times longer, and shorter.
_MOST_ZOOM = 2.2


def spoken_for(landmarks: LandmarkMap, asked: Sighting, held: Held) -> Zoom | None:
    """
    Return what focal length the points speak for.

    Those that were looked for around where the lens that was told puts them speak for that
    lens: where they do so with doubts, matches by looks alone may tell that it is farther off.
    """
    guided = _zoom_by(landmarks, asked, held, held.matches)
    if guided is None or abs(guided.factor - 1) < _DOUBT * guided.deviation:
        return guided
    free = _zoom_by(landmarks, asked, held, held.anywhere)
    farther = free is not None and abs(free.factor - 1) > abs(guided.factor - 1)
    if not farther or (free.factor > 1) != (guided.factor > 1):
        return guided
    return guided._replace(factor=free.factor, deviation=free.deviation)


def _zoom_by(landmarks: LandmarkMap, asked: Sighting, held: Held, matches: Matches) -> Zoom | None:
    points = landmarks.points_P3[matches.points]
    rays, attitude = asked.rays_N2[matches.features], held.refined.attitude
    seen = attitude.into_image(points)
    ahead = seen[:, 2] > 0
    plane = seen[:, :2] / np.where(ahead, seen[:, 2], 1)[:, None]
    off_px = np.linalg.norm(plane - rays, axis=1) * asked.focal
    near = ahead & (off_px < _ZOOMED_PX)
    if near.sum() <= FEWEST_MATCHES:
        return None
    return zoom_of(points[near], rays[near], attitude, asked.focal)


def refocused(landmarks: LandmarkMap, asked: Sighting, frames: Sequence[int]) -> Sighting | None:
    """Return a sighting with the focal length that its matches with some frames tell."""
    matches = match_anywhere(asked.unit_ND, landmarks, landmarks.seen_by(frames))
    points = landmarks.points_P3[matches.points]
    factor = free_focal(points, asked.rays_N2[matches.features], asked.focal)
    if factor is None or not 1 / _MOST_ZOOM < factor < _MOST_ZOOM:
        return None
    return asked.zoomed(factor)
