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

"""A way that the robot drives without being carried: the truth, and what odometry says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Trajectory
from posenet_ros.recovery.rehearsal.floor import Spot, wrapped
from posenet_ros.simulation.odometry import drifting, OdometryErrors
from posenet_ros.simulation.path import drive, paced, Robot, STEP_M
from posenet_ros.simulation.world import Lane

RATE_HZ = 50.0
# Standing still: once in so many metres, and for how long at most.
STOP_EACH_M, STOP_S = 8.0, 3.0


@dataclass(frozen=True, eq=False)
class Leg:
    """Truth and odometry (N, 3), x y yaw at 50 Hz, yaws unwrapped; odometry starts at zeros."""

    truth_N3: NDArray[np.float64]
    odometry_N3: NDArray[np.float64]

    @classmethod
    def standing(cls, spot: Spot) -> Leg:
        """Return a robot that stands."""
        return cls(np.array([spot]), np.zeros((1, 3)))

    @property
    def seconds(self) -> float:
        """How long it takes; after that the robot stands."""
        return (len(self.truth_N3) - 1) / RATE_HZ

    def truth(self, seconds: float) -> Spot:
        """Return where the robot is so long after its start."""
        return _between(self.truth_N3, seconds)

    def odometry(self, seconds: float) -> Spot:
        """Return where odometry has it, from the start."""
        return _between(self.odometry_N3, seconds)


def _between(spots_N3: NDArray[np.float64], seconds: float) -> Spot:
    place = float(np.clip(seconds * RATE_HZ, 0, len(spots_N3) - 1))
    before = int(place)
    after = min(before + 1, len(spots_N3) - 1)
    x, y, yaw = spots_N3[before] + (place - before) * (spots_N3[after] - spots_N3[before])
    return Spot(float(x), float(y), wrapped(float(yaw)))


def times_worse(errors: OdometryErrors, times: float) -> OdometryErrors:
    """Return errors of odometry that are so many times as large."""
    return OdometryErrors(
        **{field.name: times * getattr(errors, field.name) for field in fields(errors)}
    )


def draw_leg(
    lane: Lane,
    robot: Robot,
    errors: OdometryErrors,
    rng: np.random.Generator,
    *,
    seconds: float,
    standing_s: float = 0.0,
    veer: float = 0.0,
) -> Leg:
    """
    Draw a drive of at least so many seconds from somewhere in a lane.

    The robot stands for `standing_s` first, heads `veer` radians to the left of the lane, and
    stands still now and then.
    """
    phase = float(rng.random())
    lap_m = STEP_M * len(paced(lane, phase)[0])
    way_m = seconds * robot.speed
    laps = int(np.ceil(way_m / lap_m)) + 1
    aside = lane.half_width - robot.half_width
    driven = drive(
        lane,
        rng.uniform(-aside, aside, laps),
        robot=robot,
        rng=rng,
        phase=phase,
        rate_hz=RATE_HZ,
        stops=_stops(way_m, standing_s, rng),
        veer=veer,
    )
    told = drifting(driven, errors, rng).odom_from_base
    return Leg(_spots(driven), _spots(told))


def _stops(way_m: float, standing_s: float, rng: np.random.Generator) -> Mapping[float, float]:
    stops = {0.0: standing_s} if standing_s else {}
    at = float(rng.exponential(STOP_EACH_M))
    while at < way_m:
        stops[at] = float(rng.uniform(0, STOP_S))
        # Some room to get under way.
        at += 1.0 + float(rng.exponential(STOP_EACH_M))
    return stops


def _spots(trajectory: Trajectory) -> NDArray[np.float64]:
    yaws = np.unwrap(trajectory.rotations.as_euler('ZYX')[:, 0])
    return np.column_stack([trajectory.translations[:, :2], yaws])
