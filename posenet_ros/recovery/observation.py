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

"""What one image says of where the robot is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import (
    check_covariance,
    covariance_at_lever,
    Pose,
)


class Kind(Enum):
    """Where a pose comes from: points of the map confirmed it, or the network guessed it."""

    VERIFIED = 'verified'
    REGRESSED = 'regressed'


@dataclass(frozen=True, eq=False)
class Observation:
    """
    The pose of the robot at the stamp of an image, or the reasons why there is none.

    `covariance` (6, 6) is in axes of the map (see `geometry.uncertainty`).
    """

    stamp_ns: int
    map_from_base: Pose | None
    covariance: NDArray[np.float64] | None
    kind: Kind
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse half an answer, a pose of something else, and what is no number."""
        if (self.map_from_base is None) != (self.covariance is None):
            raise GeometryError('an observation has both a pose and a covariance, or neither')
        if self.map_from_base is None:
            return
        pose = self.map_from_base
        if (pose.target, pose.source) != ('map', 'base'):
            raise GeometryError(f'an observation is map_from_base, not {pose}')
        if not np.isfinite(pose.rotation.as_matrix()).all():
            raise GeometryError('an observation has a rotation that is not finite')
        object.__setattr__(self, 'covariance', check_covariance(self.covariance))

    @classmethod
    def refused(cls, stamp_ns: int, *reasons: str, kind: Kind = Kind.REGRESSED) -> Observation:
        """Return that an image gave no pose, and why."""
        return cls(stamp_ns, None, None, kind, reasons)

    @classmethod
    def of_camera(
        cls,
        stamp_ns: int,
        map_from_camera: Pose,
        covariance: NDArray[np.float64],
        kind: Kind,
        camera_from_base: Pose,
    ) -> Observation:
        """Carry the pose of a camera, with its covariance, to the base that it is mounted on."""
        map_from_base = map_from_camera @ camera_from_base
        lever = map_from_base.translation - map_from_camera.translation
        moved = covariance_at_lever(check_covariance(covariance), lever)
        return cls(stamp_ns, map_from_base, moved, kind)
