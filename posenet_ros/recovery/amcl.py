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

"""What localizers accept as an initial pose, AMCL the pickiest of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import check_covariance, Pose, Quaternion

# AMCL's own tolerance is 1e-4; a pose that came by way of single floats is within this.
_UNIT = 1e-4


def acceptable_covariance(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return a covariance (6, 6) without a negative entry, and nowhere surer than the given one.

    Newer AMCLs refuse negative entries, correlations included. One that is dropped leaves a pose
    that seems surer than it is in some direction, so for each both variances grow: by
    `|c| s_i / s_j` and `|c| s_j / s_i`. What was added is a sum of `|c| (s, 1; 1, 1/s)`, none of
    which has a negative eigenvalue. Raises GeometryError for what is no covariance.
    """
    covariance = np.array(check_covariance(covariance))
    covariance = (covariance + covariance.T) / 2
    dropped = np.maximum(-covariance, 0.0)
    deviations = np.sqrt(np.diag(covariance))
    grown = (dropped * deviations[:, None] / deviations[None, :]).sum(axis=1)
    return covariance + dropped + np.diag(grown)


def objections(quaternion: Quaternion, covariance: NDArray[np.float64]) -> tuple[str, ...]:
    """
    Return why AMCL would refuse an initial pose; nothing where it takes it.

    It asks for the frame of its map as well, which who sends it must know.
    """
    said = []
    squared = sum(part * part for part in quaternion)
    if not abs(squared - 1) < _UNIT:
        said.append(f'the quaternion has the squared length {squared:.6g}')
    if np.shape(covariance) != (6, 6) or not np.isfinite(covariance).all():
        said.append('the covariance is not 6x6 and finite')
    elif np.min(covariance) < 0:
        said.append(f'the covariance has a negative entry, {np.min(covariance):.3g}')
    return tuple(said)


def initial_pose(pose: Pose) -> tuple[float, float, float, Quaternion]:
    """Return position and a quaternion of length 1 to the last digit, as far as there is one."""
    x, y, z = (float(value) for value in pose.translation)
    quaternion = pose.quaternion()
    length = math.sqrt(sum(part * part for part in quaternion))
    return x, y, z, Quaternion(*(part / length for part in quaternion))
