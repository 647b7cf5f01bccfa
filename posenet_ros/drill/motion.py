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

"""Where the robot is, and what its wheels say: it drives along a leg, stands, or is carried."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from posenet_ros.drill.leg import Leg
from posenet_ros.recovery.rehearsal.floor import Spot, wrapped


@dataclass(frozen=True)
class Flight:
    """A way through the air, in so many seconds."""

    start: Spot
    goal: Spot
    seconds: float

    def at(self, seconds: float) -> Spot:
        """Return where the robot is so long after it was lifted."""
        share = min(max(seconds / self.seconds, 0.0), 1.0) if self.seconds > 0 else 1.0
        turn = wrapped(self.goal.yaw - self.start.yaw)
        way = np.array([self.goal.x - self.start.x, self.goal.y - self.start.y, turn])
        x, y, yaw = (np.array(self.start) + share * way).tolist()
        return Spot(x, y, wrapped(yaw))


class Motion:
    """
    Stands at the origin at first, until it is put somewhere.

    `changes` counts how often it was decided anew how the robot moves: what was foreseen before
    does not come.
    """

    def __init__(self) -> None:
        """Begin with odometry at nothing."""
        self._leg, self._leg_s = Leg.standing(Spot(0, 0, 0)), 0.0
        self._odometry = Spot(0, 0, 0)
        self._flight: Flight | None = None
        self._air_s = 0.0
        self._driving = False
        self.changes = 0

    @property
    def driving(self) -> bool:
        """Whether the robot drives on along its leg."""
        return self._driving

    @driving.setter
    def driving(self, driving: bool) -> None:
        self._driving = driving
        self.changes += 1

    @property
    def in_the_air(self) -> bool:
        """Whether the robot is carried."""
        return self._flight is not None

    @property
    def odometry(self) -> Spot:
        """Where odometry has the robot, from where it was switched on."""
        return self._odometry @ self._leg.odometry(self._leg_s)

    def spot(self, ahead_s: float = 0.0) -> Spot:
        """Return where the robot is, or will be unless it is decided anew."""
        if self._flight is not None:
            return self._flight.at(self._air_s + ahead_s)
        return self._leg.truth(self._leg_s + (ahead_s if self._driving else 0.0))

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if self._flight is not None:
            self._air_s += seconds
        elif self._driving:
            self._leg_s += seconds

    def lift(self, goal: Spot, seconds: float) -> None:
        """Take the robot away: its wheels stand still until it is put down."""
        self._flight, self._air_s = Flight(self.spot(), goal, seconds), 0.0
        self.driving = False

    def put(self, leg: Leg) -> None:
        """Set the robot down at the beginning of a leg, and let it drive."""
        self._odometry = self.odometry
        self._leg, self._leg_s, self._flight = leg, 0.0, None
        self.driving = True
