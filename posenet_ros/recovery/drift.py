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

"""What odometry is off by between two instants, and a pose moved by it from one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import check_covariance, covariance_at_lever, NS_PER_S, Pose
from posenet_ros.recovery.checks import check_numbers


@dataclass(frozen=True, eq=False)
class Reading:
    """
    What odometry says at one instant.

    `way_m` and `turn_rad` were driven and turned, forth and back alike, since the buffer was last
    cleared; readings of another `epoch`, from before that, cannot be compared with this one.
    """

    stamp_ns: int
    odom_from_base: Pose
    way_m: float
    turn_rad: float
    epoch: int

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """The rotation (3, 3) of `odom_from_base`; it is asked for often."""
        return self.odom_from_base.rotation.as_matrix()

    def moves_to(self, other: Reading) -> Pose:
        """Return `base_from_base`, the move from here to another reading of the same epoch."""
        if other.epoch != self.epoch:
            raise GeometryError('odometry began anew between two readings: nothing joins them')
        return self.odom_from_base.inverse() @ other.odom_from_base


@dataclass(frozen=True)
class Drift:
    """
    How odometry errs: standard deviations that grow with the way, with turns and with time.

    Errors of scale and of heading are the same from one metre to the next, so the parts add up as
    they are and not as squares do: this errs on the large side where they are random. What is
    off in heading moves the robot aside by as much as it has driven.
    """

    m_per_m: float = 0.03
    m_per_s: float = 0.003
    rad_per_m: float = 0.02
    rad_per_rad: float = 0.03
    rad_per_s: float = 0.002

    def __post_init__(self) -> None:
        """Refuse an odometry that is better than exact."""
        check_numbers(self, at_least=0.0)

    def variances(
        self,
        way_m: NDArray[np.float64],
        turn_rad: NDArray[np.float64],
        seconds: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the variances along and about any axis after such ways, turns and times."""
        about = self.rad_per_m * way_m + self.rad_per_rad * turn_rad + self.rad_per_s * seconds
        along = self.m_per_m * way_m + self.m_per_s * seconds
        return along**2 + (about * way_m) ** 2, about**2

    def moved(
        self, map_from_base: Pose, covariance: NDArray[np.float64], start: Reading, end: Reading
    ) -> tuple[Pose, NDArray[np.float64]]:
        """
        Return where the base is at `end`, known with a covariance at `start`.

        The end may come before the start. The errors of the start swing with the way driven, and
        those of odometry come on top. Raises GeometryError for readings of two epochs.
        """
        moved = map_from_base @ start.moves_to(end)
        along, about = self.variances(
            np.array(abs(end.way_m - start.way_m)),
            np.array(abs(end.turn_rad - start.turn_rad)),
            np.array(abs(end.stamp_ns - start.stamp_ns) / NS_PER_S),
        )
        grown = covariance_at_lever(covariance, moved.translation - map_from_base.translation)
        grown = grown + np.diag([along] * 3 + [about] * 3)
        return moved, check_covariance(grown)


def angle_between(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64] | float:
    """Return the angle between rotation matrices (..., 3, 3), exact for small ones, too."""
    chord = np.linalg.norm(one - other, axis=(-2, -1)) / (2 * math.sqrt(2))
    return 2 * np.arcsin(np.minimum(chord, 1.0))
