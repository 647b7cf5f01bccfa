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

"""Poses on a floor by three numbers, and a floor some of whose places look the same."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Pose
from scipy.spatial.transform import Rotation

WIDTH_M, HEIGHT_M = 24.0, 14.0
# What lies in the first box has its twin so far away.
_TWIN_LOW, _TWIN_HIGH = (1.0, 1.0), (6.0, 6.0)
_TO_TWIN = (16.0, 6.0)


class Spot(NamedTuple):
    """Where on the floor something is, and which way it faces: metres and radians."""

    x: float
    y: float
    yaw: float

    @classmethod
    def of(cls, pose: Pose) -> Spot:
        """Return what a pose has of it: without height and tilt."""
        x, y = pose.translation[:2]
        return cls(float(x), float(y), float(pose.rotation.as_euler('ZYX')[0]))

    def pose(self, target: str, source: str) -> Pose:
        """Return it as a pose `target_from_source` on the floor."""
        rotation = Rotation.from_euler('z', self.yaw)
        return Pose(rotation, np.array([self.x, self.y, 0.0]), target, source)

    def __matmul__(self, other: Spot) -> Spot:
        """Compose `a_from_b @ b_from_c`."""
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        return Spot(
            self.x + cosine * other.x - sine * other.y,
            self.y + sine * other.x + cosine * other.y,
            wrapped(self.yaw + other.yaw),
        )

    def inverse(self) -> Spot:
        """Return `b_from_a`."""
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        return Spot(-cosine * self.x - sine * self.y, sine * self.x - cosine * self.y, -self.yaw)

    def off(self, other: Spot) -> tuple[float, float]:
        """Return how far two are apart, in metres and radians."""
        return math.hypot(self.x - other.x, self.y - other.y), abs(wrapped(self.yaw - other.yaw))


def wrapped(angle: float) -> float:
    """Return an angle between -pi and pi."""
    return math.remainder(angle, 2 * math.pi)


def anywhere(rng: np.random.Generator) -> Spot:
    """Return a spot somewhere on the floor."""
    return Spot(
        float(rng.uniform(1, WIDTH_M - 1)),
        float(rng.uniform(1, HEIGHT_M - 1)),
        float(rng.uniform(-math.pi, math.pi)),
    )


def to_twin(spots_N3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what to add to x and y (N, 2) for the twin of each place; 0 where it has none."""
    low, high, way = np.array(_TWIN_LOW), np.array(_TWIN_HIGH), np.array(_TO_TWIN)
    one = ((spots_N3[:, :2] >= low) & (spots_N3[:, :2] <= high)).all(axis=1)
    moved = spots_N3[:, :2] - way
    other = ((moved >= low) & (moved <= high)).all(axis=1)
    return one[:, None] * way - other[:, None] * way
