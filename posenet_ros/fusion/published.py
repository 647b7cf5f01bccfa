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

"""The solver of Laskar et al. (2017), to compare with: it always answers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.fusion.neighbours import Neighbours, pose_at
from posenet_ros.fusion.rays import angles_off, cross
from posenet_ros.fusion.rotations import agreed_rotation
from posenet_ros.geometry import Pose

INLIER_RAD = math.radians(10)
ROTATION_INLIER_RAD = math.radians(20)


def fuse_as_published(neighbours: Neighbours) -> Pose | None:
    """
    Return the pose by their RANSAC over all pairs; None where no neighbour is usable.

    Each pair of rays gives a hypothesis, the middle of their common perpendicular; the one that
    most directions agree with to 10 degrees wins, blind to their sign, and those that tie are
    averaged. Where no rays cross, the position is that of the most similar camera. The rotation
    is the median of those that agree to 20 degrees with the one that most agree with.
    """
    usable = neighbours.usable_N
    turned = agreed_rotation(neighbours.rotations_N33[usable], ROTATION_INLIER_RAD)
    if turned is None:
        return None
    return pose_at(_position(neighbours), turned.rotation_33)


def _position(neighbours: Neighbours) -> NDArray[np.float64]:
    usable = neighbours.usable_N
    centres, directions = neighbours.centres_N3[usable], neighbours.directions_N3[usable]
    points_P3 = cross(centres, directions).points_P3
    points_P3 = points_P3[np.isfinite(points_P3).all(axis=1)]
    if not len(points_P3):
        return centres[0]
    off_PN = angles_off(points_P3, centres, directions)
    agree_P = (np.minimum(off_PN, math.pi - off_PN) <= INLIER_RAD).sum(axis=1)
    return points_P3[agree_P == agree_P.max()].mean(axis=0)
