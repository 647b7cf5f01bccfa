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

"""Where the running localizer has the robot, and how far that is from a fix."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import check_covariance, NS_PER_S, Pose, pose_error
from posenet_ros.recovery.drift import Drift
from posenet_ros.recovery.fix import Fix
from posenet_ros.recovery.odometry import Missing, OdometryBuffer
from posenet_ros.recovery.planar import PLANE
from scipy.special import chdtrc

# Of a localizer that does not say how sure it is.
_USUAL_M = 0.2
_USUAL_RAD = math.radians(6)
USUAL_COVARIANCE = np.diag([_USUAL_M**2] * 3 + [_USUAL_RAD**2] * 3)
# It is not taken to be surer than this.
_LEAST = np.diag([0.05**2] * 3 + [math.radians(2) ** 2] * 3)


@dataclass(frozen=True, eq=False)
class Belief:
    """
    What the running localizer believes at an instant: TF's map <- base there.

    `covariance` (6, 6) in axes of the map is None where it tells none; what a localizer on a
    floor tells of height and tilt need not be sound. `told_ns` is when it said so, which may be
    long before the instant, to which odometry has moved it since; None for at that instant.
    """

    stamp_ns: int
    map_from_base: Pose
    covariance: NDArray[np.float64] | None = None
    told_ns: int | None = None

    def __post_init__(self) -> None:
        """Refuse a pose of something else, and a covariance that is none."""
        pose = self.map_from_base
        if (pose.target, pose.source) != ('map', 'base'):
            raise GeometryError(f'a belief is map_from_base, not {pose}')
        if self.covariance is not None:
            # Localizers on a floor leave zeros for height and tilt.
            sound = np.array(self.covariance, dtype=np.float64)
            if sound.shape == (6, 6) and np.isfinite(sound).all():
                sound = (sound + sound.T) / 2
                if not np.linalg.eigvalsh(sound - _LEAST)[0] >= 0:
                    sound = sound + _LEAST
            object.__setattr__(self, 'covariance', check_covariance(sound))

    @property
    def said_ns(self) -> int:
        """When it was said."""
        return self.stamp_ns if self.told_ns is None else self.told_ns

    @property
    def told_or_usual(self) -> NDArray[np.float64]:
        """The covariance, or a usual one."""
        return USUAL_COVARIANCE if self.covariance is None else self.covariance

    def moved(self, stamp_ns: int, odometry: OdometryBuffer, drift: Drift) -> Belief | Missing:
        """Return it moved by odometry to another instant."""
        if stamp_ns == self.stamp_ns:
            return self
        start, end = odometry.at(self.stamp_ns), odometry.at(stamp_ns)
        if isinstance(start, Missing):
            return start
        if isinstance(end, Missing):
            return end
        moved = drift.moved(self.map_from_base, self.told_or_usual, start, end)
        return Belief(stamp_ns, *moved, self.said_ns)


class Difference(NamedTuple):
    """
    How far a belief is from a fix.

    `metres` and `radians` are apart, `deviations` is the Mahalanobis distance by the joint
    covariance, and `chance` how likely one as large would be, were both right.
    """

    metres: float
    radians: float
    deviations: float
    chance: float

    def text(self) -> str:
        """Say it on a line."""
        return (
            f'{self.metres:.2f} m and {math.degrees(self.radians):.0f} deg apart, '
            f'{self.deviations:.1f} deviations'
        )


def difference(fix: Fix, belief: Belief, *, planar: bool) -> Difference:
    """
    Compare a fix with a belief at the same instant; on a floor by x, y and yaw alone.

    Raises GeometryError for two instants: move one of them first.
    """
    if fix.stamp_ns != belief.stamp_ns:
        off_s = (belief.stamp_ns - fix.stamp_ns) / NS_PER_S
        raise GeometryError(f'a fix and a belief that is {off_s:.3f} s later cannot be compared')
    return compare(
        belief.map_from_base, belief.told_or_usual, fix.map_from_base, fix.covariance, planar
    )


def compare(
    one: Pose,
    one_covariance: NDArray[np.float64],
    other: Pose,
    other_covariance: NDArray[np.float64],
    planar: bool,
) -> Difference:
    """Compare two uncertain poses of one instant."""
    axes = list(PLANE) if planar else list(range(6))
    error = pose_error(one, other)
    joint = (one_covariance + other_covariance)[np.ix_(axes, axes)]
    squared = float(error[axes] @ np.linalg.solve(joint, error[axes]))
    positions, angles = [axis for axis in axes if axis < 3], [axis for axis in axes if axis >= 3]
    return Difference(
        float(np.linalg.norm(error[positions])),
        float(np.linalg.norm(error[angles])),
        math.sqrt(squared),
        # Of chi squared; scipy.stats has it too, and takes a second or two to import.
        float(chdtrc(len(axes), squared)),
    )
