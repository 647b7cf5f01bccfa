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

"""The pose of an image that points of some frames hold, refined on all points in sight of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.landmarks.landmark_map import LandmarkMap
from posenet_ros.landmarks.matching import match_anywhere, match_nearby, Matches
from posenet_ros.landmarks.resection import Attitude, FEWEST_MATCHES, refine, resect, Resected
from posenet_ros.landmarks.sighting import Sighting, USUAL_WIDTH
from scipy.spatial.transform import Rotation

# What is in sight of a pose is what so many frames around it saw.
_AROUND = 20
# How much a move as long as things are far away counts beside a turn.
_MOVE_WEIGHT = 4.0
# Points are looked for ever nearer to where they are expected, in pixels at 640 of width.
_RADII_PX = (8.0, 5.0)
# Poses less apart are one: a share of how far things are away, and radians.
SAME_PLACE = 0.15
SAME_TURN = math.radians(8)


@dataclass(eq=False)
class Held:
    """
    A pose with the points that hold it, and where on the plane ahead all in sight should be.

    `anywhere` are the matches by looks alone that it was found by, right ones and wrong ones.
    """

    refined: Resected
    anywhere: Matches
    matches: Matches
    agreed: int
    plane_P2: NDArray[np.float64]
    by_chance: float


class Finder:
    """Finds poses in a map; `depth_m` is how far from a frame things usually are."""

    def __init__(self, landmarks: LandmarkMap) -> None:
        """Take the map."""
        self.landmarks = landmarks
        self.depth_m = _usual_depth(landmarks)
        self._centres = landmarks.centres_F3.astype(np.float64)
        self._rotations = landmarks.rotations_F33.astype(np.float64)

    def hold(
        self, asked: Sighting, frames: Sequence[int], fewest: int = FEWEST_MATCHES
    ) -> Held | None:
        """
        Return the pose that points of some frames hold, refined on all that are in sight.

        None where fewer features than `fewest` agree with it.
        """
        matches = match_anywhere(asked.unit_ND, self.landmarks, self.landmarks.seen_by(frames))
        if len(matches.points) < fewest:
            return None
        points = self.landmarks.points_P3[matches.points]
        rays = asked.rays_N2[matches.features]
        found = resect(points, rays, asked.focal)
        if found is None or len(found[1]) < fewest:
            return None
        attitude, agree = found
        refined = refine(points[agree], rays[agree], attitude, asked.focal)
        held = None
        for radius in _RADII_PX:
            if refined is None:
                return None
            held = self._look_around(asked, refined, radius, matches, len(agree))
            if len(held.matches.points) < FEWEST_MATCHES:
                return None
            refined = held.refined = refine(
                self.landmarks.points_P3[held.matches.points],
                asked.rays_N2[held.matches.features],
                refined.attitude,
                asked.focal,
            )
        return held if refined is not None else None

    def _look_around(
        self,
        asked: Sighting,
        refined: Resected,
        radius_px: float,
        anywhere: Matches,
        agreed: int,
    ) -> Held:
        """Look for all points in sight of a pose, with which so many of some matches agree."""
        landmarks, attitude = self.landmarks, refined.attitude
        points = landmarks.seen_by(self.around(attitude, _AROUND))
        seen = attitude.into_image(landmarks.points_P3[points])
        ahead = seen[:, 2] > 0
        points, plane = points[ahead], seen[ahead, :2] / seen[ahead, 2:]
        low, high = asked.corners
        inside = ((plane >= low) & (plane <= high)).all(axis=1)
        points, plane = points[inside], plane[inside]
        radius = radius_px / asked.camera_focal * asked.camera.width / USUAL_WIDTH
        guided = match_nearby(
            asked.unit_ND,
            asked.rays_N2,
            landmarks,
            points,
            plane,
            radius,
            float(np.prod(high - low)),
        )
        return Held(refined, anywhere, guided.matches, agreed, plane, guided.by_chance)

    def around(self, attitude: Attitude, number: int) -> NDArray[np.int64]:
        """Return the frames that are nearest to a pose and look the same way."""
        apart = np.square(self._centres - attitude.centre).sum(axis=1) / self.depth_m**2
        views = self._rotations[:, :, 2] @ attitude.map_from_image[:, 2]
        cost = np.where(views > 0, _MOVE_WEIGHT * apart - views, np.inf)
        nearest = np.argsort(cost, kind='stable')[:number]
        # What others saw from the other side is not in sight: a wall is not seen through.
        return nearest[np.isfinite(cost[nearest])]

    def afar(self, attitude: Attitude) -> float:
        """Return how far a pose is from the nearest frame (see `Evidence`)."""
        apart = np.linalg.norm(self._centres - attitude.centre, axis=1) / self.depth_m
        views = self._rotations[:, :, 2] @ attitude.map_from_image[:, 2]
        return float((apart + 1 - views).min())

    def same(self, one: Attitude, other: Attitude) -> bool:
        """Tell whether two poses are one: then both sets of points speak for it."""
        apart = float(np.linalg.norm(one.centre - other.centre))
        between = Rotation.from_matrix(one.map_from_image.T @ other.map_from_image)
        return apart < SAME_PLACE * self.depth_m and between.magnitude() < SAME_TURN


def _usual_depth(landmarks: LandmarkMap) -> float:
    """Return how far from a frame the points are that it saw, median."""
    frames = np.repeat(np.arange(landmarks.frames), np.diff(landmarks.first_seen))
    apart = landmarks.points_P3[landmarks.seen] - landmarks.centres_F3[frames]
    return max(float(np.median(np.linalg.norm(apart, axis=1))), 1e-9) if len(frames) else 1.0
