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

"""What will be done to the robot in one trip, drawn by the seed and the number of the trip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
import math

import numpy as np
from posenet_ros.drill.leg import draw_leg, Leg
from posenet_ros.drill.options import DrillOptions, KIDNAPPED
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.simulation.odometry import OdometryErrors
from posenet_ros.simulation.path import Robot
from posenet_ros.simulation.world import Lane

# One in so many has no localizer from the start.
LOST = 0.1
CARRIED_S = (0.5, 4.0)
STANDING_S = 3.0
VEER_RAD = math.radians(20)
LEAST_CARRIED_M = 1.5
# Drives after a trip is decided, until localizer and node agree and the next begins.
LEAD_S = (1.0, 5.0)
# Long enough for the end of one trip and the beginning of the next.
LEG_S = 180.0


class Look(str, Enum):
    """What the camera shows."""

    CLEAR = 'clear'
    BLURRED = 'blurred'
    COVERED = 'covered'
    NOTHING = 'nothing'


@dataclass(frozen=True)
class Plan:
    """
    One trip.

    After `lead_s` of driving in which all agree, the robot is carried for `carried_s` while its
    camera shows `look`; it is set down `veer` radians off the lane's heading, and stands for
    `standing_s`. One that is `lost` is not carried but switched on, without a localizer.
    """

    number: int
    lost: bool
    lead_s: float
    carried_s: float
    look: Look
    veer: float
    standing_s: float


def rng_of(options: DrillOptions, number: int, what: str) -> np.random.Generator:
    """Return a source of chance of its own for a part of a trip."""
    name = int.from_bytes(what.encode(), 'little')
    return np.random.default_rng(np.random.SeedSequence([options.seed, number, name]))


def draw_plan(options: DrillOptions, number: int) -> Plan:
    """Draw a trip; the same for the same seed and number."""
    rng = rng_of(options, number, 'plan')
    lost, standing = rng.random(2) < (LOST, 0.5)
    looks = (Look.BLURRED, Look.COVERED, Look.NOTHING)
    return Plan(
        number,
        bool(lost) and options.scenario == KIDNAPPED,
        float(rng.uniform(*LEAD_S)),
        float(rng.uniform(*CARRIED_S)),
        looks[int(rng.integers(len(looks)))],
        float(rng.uniform(-VEER_RAD, VEER_RAD)),
        float(rng.uniform(0, STANDING_S)) if standing else 0.0,
    )


def leg_from_elsewhere(
    lane: Lane,
    robot: Robot,
    errors: OdometryErrors,
    rng: np.random.Generator,
    plan: Plan,
    left: Spot | None = None,
) -> Leg:
    """Draw the drive after a robot was set down, at least 1.5 m from where it was taken."""
    while True:
        leg = draw_leg(
            lane,
            robot,
            errors,
            rng,
            seconds=LEG_S,
            standing_s=plan.standing_s,
            veer=plan.veer,
        )
        if left is None or leg.truth(0).off(left)[0] >= LEAST_CARRIED_M:
            return leg
