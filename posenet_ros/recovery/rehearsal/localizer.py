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

"""A stand-in for AMCL: follows odometry, takes initial poses, refines where its laser can."""

from __future__ import annotations

import numpy as np
from posenet_ros.recovery.amcl import acceptable_covariance, initial_pose, objections
from posenet_ros.recovery.belief import Belief
from posenet_ros.recovery.fix import Fix
from posenet_ros.recovery.rehearsal.drive import Drive
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.recovery.rehearsal.laser import Laser


class LocalizerStandIn:
    """The laser of a robot that is on a drive."""

    def __init__(self, drive: Drive, rng: np.random.Generator) -> None:
        """Start at the truth, or without a pose where the robot is lost from the start."""
        self._drive = drive
        self.laser = Laser(rng)
        if drive.set_down > 0:
            self.laser.place(drive.at(0), drive.odometry_at(0))

    def believed(self, sample: int) -> Spot | None:
        """Return where it has the robot."""
        return self.laser.believed(self._drive.odometry_at(sample))

    def belief(self, sample: int, stamp_ns: int) -> Belief | None:
        """Return the same as it is told."""
        spot = self.believed(sample)
        return None if spot is None else Belief(stamp_ns, spot.pose('map', 'base'))

    def update(self, sample: int) -> None:
        """Refine, where the laser sees what it should."""
        self.laser.update(self._drive.at(sample), self._drive.odometry_at(sample))

    def take(self, fix: Fix, sample: int) -> None:
        """Take an initial pose as AMCL does, or lose it; one that AMCL refuses is a defect."""
        _, _, _, quaternion = initial_pose(fix.map_from_base)
        said = objections(quaternion, acceptable_covariance(fix.covariance))
        if said:
            raise AssertionError(f'AMCL would refuse an initial pose: {said}')
        self.laser.take(Spot.of(fix.map_from_base), self._drive.odometry_at(sample))
