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

"""What a stand-in for AMCL does: takes initial poses, or not, and refines where its laser can."""

from __future__ import annotations

from enum import Enum
import math

import numpy as np
from posenet_ros.recovery.rehearsal.floor import Spot

# A laser finds its way back from so far.
_REACH_M, _REACH_RAD = 0.7, math.radians(25)
# What is left of an error after an update, and what is off at best.
_KEPT, _NOISE_M, _NOISE_RAD = 0.5, 0.02, math.radians(0.5)
# Messages that never arrive, and those after which it settles elsewhere.
_LOST, _DIVERGED, _DIVERGED_M = 0.08, 0.03, 0.9


class Taken(str, Enum):
    """What became of an initial pose."""

    TAKEN = 'taken'
    LOST = 'lost'
    BESIDE = 'settled beside'


class Laser:
    """
    Keeps map_from_odom as three numbers, None before it has a pose.

    What it is told of the truth is what its laser sees.
    """

    def __init__(self, rng: np.random.Generator, map_from_odom: Spot | None = None) -> None:
        """Take where errors are drawn from, and where it starts."""
        self._rng = rng
        self.map_from_odom = map_from_odom

    def believed(self, odom_from_base: Spot) -> Spot | None:
        """Return where it has the robot."""
        return None if self.map_from_odom is None else self.map_from_odom @ odom_from_base

    def place(self, map_from_base: Spot, odom_from_base: Spot) -> None:
        """Have it where it is told, exactly."""
        self.map_from_odom = map_from_base @ odom_from_base.inverse()

    def update(self, truth: Spot, odom_from_base: Spot) -> None:
        """Refine, where the laser sees what it should."""
        spot = self.believed(odom_from_base)
        if spot is None:
            return
        metres, radians = spot.off(truth)
        if metres > _REACH_M or radians > _REACH_RAD:
            return
        noise = self._rng.standard_normal(3) * (_NOISE_M, _NOISE_M, _NOISE_RAD)
        error = truth.inverse() @ spot
        self.place(truth @ Spot(*(_KEPT * np.array(error) + noise)), odom_from_base)

    def take(self, map_from_base: Spot, odom_from_base: Spot) -> Taken:
        """Take an initial pose, with odometry at its stamp; some are lost, some lead astray."""
        x, y, yaw = map_from_base
        lost, diverged, towards = self._rng.random(3)
        if lost < _LOST:
            return Taken.LOST
        if diverged >= _DIVERGED:
            self.place(map_from_base, odom_from_base)
            return Taken.TAKEN
        angle = 2 * math.pi * towards
        beside = Spot(x + _DIVERGED_M * math.cos(angle), y + _DIVERGED_M * math.sin(angle), yaw)
        self.place(beside, odom_from_base)
        return Taken.BESIDE
