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

import math

import numpy as np
from posenet_ros.geometry import Pose
from posenet_ros.recovery.amcl import acceptable_covariance, initial_pose, objections
from posenet_ros.recovery.belief import Belief
from posenet_ros.recovery.fix import Fix
from posenet_ros.recovery.rehearsal.drive import Drive
from posenet_ros.recovery.rehearsal.floor import Spot
from scipy.spatial.transform import Rotation

# A laser finds its way back from so far.
_REACH_M, _REACH_RAD = 0.7, math.radians(25)
# What is left of an error after an update, and what is off at best.
_KEPT, _NOISE_M, _NOISE_RAD = 0.5, 0.02, math.radians(0.5)
# Messages that never arrive, and those after which it settles elsewhere.
_LOST, _DIVERGED, _DIVERGED_M = 0.08, 0.03, 0.9


class LocalizerStandIn:
    """Keeps map_from_odom as three numbers, None before it has a pose."""

    def __init__(self, drive: Drive, rng: np.random.Generator) -> None:
        """Start at the truth, or without a pose where the robot is lost from the start."""
        self._drive, self._rng = drive, rng
        self._map_from_odom: Spot | None = None
        if drive.set_down > 0:
            self._map_from_odom = drive.at(0) @ drive.odometry_at(0).inverse()

    def believed(self, sample: int) -> Spot | None:
        """Return where it has the robot."""
        if self._map_from_odom is None:
            return None
        return self._map_from_odom @ self._drive.odometry_at(sample)

    def belief(self, sample: int, stamp_ns: int) -> Belief | None:
        """Return the same as it is told."""
        spot = self.believed(sample)
        if spot is None:
            return None
        rotation = Rotation.from_euler('z', spot.yaw)
        return Belief(stamp_ns, Pose(rotation, np.array([spot.x, spot.y, 0.0]), 'map', 'base'))

    def update(self, sample: int) -> None:
        """Refine, where the laser sees what it should."""
        spot, truth = self.believed(sample), self._drive.at(sample)
        if spot is None:
            return
        metres, radians = spot.off(truth)
        if metres > _REACH_M or radians > _REACH_RAD:
            return
        noise = self._rng.standard_normal(3) * (_NOISE_M, _NOISE_M, _NOISE_RAD)
        error = truth.inverse() @ spot
        refined = truth @ Spot(*(_KEPT * np.array(error) + noise))
        self._map_from_odom = refined @ self._drive.odometry_at(sample).inverse()

    def take(self, fix: Fix, sample: int) -> None:
        """Take an initial pose as AMCL does, or lose it; one that AMCL refuses is a defect."""
        x, y, _, quaternion = initial_pose(fix.map_from_base)
        said = objections('map', quaternion, acceptable_covariance(fix.covariance))
        if said:
            raise AssertionError(f'AMCL would refuse an initial pose: {said}')
        lost, diverged, towards = self._rng.random(3)
        if lost < _LOST:
            return
        yaw = 2 * math.atan2(quaternion.z, quaternion.w)
        spot = Spot(x, y, yaw)
        if diverged < _DIVERGED:
            angle = 2 * math.pi * towards
            spot = Spot(x + _DIVERGED_M * math.cos(angle), y + _DIVERGED_M * math.sin(angle), yaw)
        self._map_from_odom = spot @ self._drive.odometry_at(sample).inverse()
