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

"""The pose of a robot on a floor: x, y and yaw of a fix, where it is upright and at its height."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Pose
from posenet_ros.recovery.checks import check_numbers
from posenet_ros.recovery.fix import Fix, Lack, NoFix
from scipy.spatial.transform import Rotation

# x, y and rotZ among x y z rotX rotY rotZ.
PLANE = (0, 1, 5)


@dataclass(frozen=True)
class PlanarLimits:
    """How far off the floor, and how tilted, a fix may have a robot that is on it upright."""

    tilt_rad: float = math.radians(10)
    height_m: float = 0.3

    def __post_init__(self) -> None:
        """Refuse limits that refuse everything, or a robot on its side."""
        check_numbers(self, at_least=1e-3, tilt_rad=(1e-3, math.radians(60)))


def flattened(fix: Fix, limits: PlanarLimits) -> Fix | NoFix:
    """
    Return a fix at height 0 and upright, or say with numbers why it is of no robot on a floor.

    The covariance of x, y and yaw is what they have on their own in the full one (the marginal,
    not what would be left if height and tilt were known). Height and tilt, which are set, keep
    their variances and what was taken off them, and go with nothing else.
    """
    pose = fix.map_from_base
    upward = pose.rotation.as_matrix()[2, 2]
    tilt = math.acos(float(np.clip(upward, -1, 1)))
    height = float(pose.translation[2])
    if tilt > limits.tilt_rad:
        return NoFix(
            Lack.TILTED,
            f'it is tilted by {math.degrees(tilt):.1f} deg; at most '
            f'{math.degrees(limits.tilt_rad):.1f} on a floor',
        )
    if abs(height) > limits.height_m:
        return NoFix(
            Lack.TILTED, f'it is at a height of {height:.2f} m; within {limits.height_m:.2f}'
        )
    x, y, yaw, planar = planar_part(pose, fix.covariance)
    covariance = np.diag(np.diag(fix.covariance))
    covariance[2, 2] += height**2
    covariance[[3, 4], [3, 4]] += tilt**2
    covariance[np.ix_(PLANE, PLANE)] = planar
    flat = Pose(Rotation.from_euler('z', yaw), np.array([x, y, 0.0]), 'map', 'base')
    return replace(fix, map_from_base=flat, covariance=covariance)


def planar_part(
    pose: Pose, covariance: NDArray[np.float64]
) -> tuple[float, float, float, NDArray[np.float64]]:
    """
    Return x, y, yaw and their covariance (3, 3).

    Yaw is the direction that the base's x axis has from above. For a tilted base it also changes
    with errors of tilt, by `-c_z (c_x rotX + c_y rotY) / (c_x^2 + c_y^2)` for that axis c.
    """
    ahead = pose.rotation.as_matrix()[:, 0]
    across = float(ahead[0] ** 2 + ahead[1] ** 2)
    jacobian = np.zeros((3, 6))
    jacobian[[0, 1, 2], PLANE] = 1.0
    jacobian[2, 3:5] = -ahead[2] * ahead[:2] / across
    x, y = pose.translation[:2]
    yaw = math.atan2(ahead[1], ahead[0])
    return float(x), float(y), yaw, jacobian @ covariance @ jacobian.T
