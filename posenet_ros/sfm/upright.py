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

"""Which way is up in the reconstruction, and where the map begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Sim3, Trajectory
from scipy.spatial.transform import Rotation

_UP = np.array([0.0, 0.0, 1.0])
# The map agrees with odometry where it begins, before that drifts.
_BEGINNING_S = 5.0
_BEGINNING_FRAMES = 5
_ROUNDS = 50


def up_directions(sfm: Trajectory, odom: Trajectory) -> NDArray[np.float64]:
    """
    Return the upright direction in the sfm frame as every frame (N, 3) tells it.

    Only roll and pitch of the odometry matter: its heading may drift as it likes.
    """
    return (sfm.rotations * odom.rotations.inv()).apply(_UP)


def camera_up(sfm: Trajectory) -> NDArray[np.float64]:
    """Return the upright direction (N, 3) by each camera itself: against its y axis."""
    return sfm.rotations.apply([0.0, -1.0, 0.0])


def average_direction(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit vector of least mean distance to unit vectors (N, 3) (Weiszfeld)."""
    mean = directions.mean(axis=0)
    for _ in range(_ROUNDS):
        distance = np.linalg.norm(directions - mean, axis=1)
        weights = 1.0 / np.maximum(distance, 1e-6)
        mean = (weights[:, None] * directions).sum(axis=0) / weights.sum()
    return mean / np.linalg.norm(mean)


def spread(directions: NDArray[np.float64], mean: NDArray[np.float64]) -> float:
    """Return the angle to their mean that 90 % of directions (N, 3) stay within, in radians."""
    return float(np.percentile(np.arccos(np.clip(directions @ mean, -1.0, 1.0)), 90))


def map_from_sfm(
    sfm: Trajectory, odom: Trajectory, *, scale: float, up: NDArray[np.float64]
) -> Sim3:
    """
    Return the similarity to a map that is upright and coincides with `odom` at the beginning.

    Both trajectories are of the camera, at the same stamps; `up` is a unit vector in sfm.
    """
    level = _turn_up(up)
    begin = sfm.stamps_ns <= sfm.stamps_ns[0] + _BEGINNING_S * NS_PER_S
    begin[:_BEGINNING_FRAMES] = True
    # What is left between two upright frames is a turn about the vertical.
    left = odom.rotations[begin] * (level * sfm.rotations[begin]).inv()
    matrices = left.as_matrix()
    headings = np.arctan2(
        matrices[:, 1, 0] - matrices[:, 0, 1], matrices[:, 0, 0] + matrices[:, 1, 1]
    )
    direction = average_direction(
        np.stack([np.cos(headings), np.sin(headings), np.zeros(len(headings))], axis=1)
    )
    heading = Rotation.from_rotvec(_UP * np.arctan2(direction[1], direction[0]))
    rotation = heading * level
    moved = scale * rotation.apply(sfm.translations[begin])
    offset = np.median(odom.translations[begin] - moved, axis=0)
    return Sim3(scale, rotation, offset, 'map', 'sfm')


def unscaled_map(sfm: Trajectory) -> Sim3:
    """
    Return the map of a recording without a reference: upright as the cameras are on average.

    It begins at the first camera, x where that looks; its unit is the reconstruction's.
    """
    level = _turn_up(average_direction(camera_up(sfm)))
    forward = level.apply(sfm.rotations[0].apply([0.0, 0.0, 1.0]))
    heading = Rotation.from_rotvec(-_UP * np.arctan2(forward[1], forward[0]))
    rotation = heading * level
    return Sim3(1.0, rotation, -rotation.apply(sfm.translations[0]), 'map', 'sfm')


def _turn_up(up: NDArray[np.float64]) -> Rotation:
    """Return the shortest rotation that takes a unit vector to the z axis."""
    axis = np.cross(up, _UP)
    sine, cosine = float(np.linalg.norm(axis)), float(up @ _UP)
    if sine < 1e-12:
        return Rotation.identity() if cosine > 0 else Rotation.from_rotvec([np.pi, 0.0, 0.0])
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine))
