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

"""A robot that drives about, is carried elsewhere and drives on, and what its odometry says."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.recovery.rehearsal.floor import anywhere, HEIGHT_M, Spot, WIDTH_M, wrapped
from posenet_ros.recovery.rehearsal.scenario import Scenario

RATE_HZ = 10
# How long is watched after the robot was set down.
PATIENCE_S = 21.0
_DRIVING_S = 60.0
_LEAST_CARRIED_M = 2.0
# Usual errors of odometry: shares of distance, radians a metre, and noise after one metre.
_SCALE, _HEADING = 0.01, math.radians(0.4)
_DISTANCE_NOISE, _HEADING_NOISE, _TURN_NOISE = 0.005, math.radians(0.15), math.radians(0.5)
_SLIP_M, _SLIP_RAD = 0.4, math.radians(15)


@dataclass(frozen=True, eq=False)
class Drive:
    """
    The truth (N, 3) and odometry's (N, 3), x y yaw at 10 Hz; what was driven and turned (N, 2).

    Lifted at the sample `lifted` and set down at `set_down`; both are N where nobody does, and 0
    for a robot that has no localizer from the start.
    """

    truth_N3: NDArray[np.float64]
    odometry_N3: NDArray[np.float64]
    way_N2: NDArray[np.float64]
    lifted: int
    set_down: int

    def __len__(self) -> int:
        """Return N."""
        return len(self.truth_N3)

    def at(self, sample: int) -> Spot:
        """Return where the robot is."""
        return Spot(*self.truth_N3[sample])

    def odometry_at(self, sample: int) -> Spot:
        """Return where odometry has it."""
        return Spot(*self.odometry_N3[sample])


def draw_drive(scenario: Scenario, rng: np.random.Generator) -> Drive:
    """Draw a drive of a scenario."""
    lost = rng.random() < scenario.lost
    before = 0 if lost else round(float(rng.uniform(4, 10)) * RATE_HZ)
    if not scenario.kidnapped:
        before = round(_DRIVING_S * RATE_HZ)
        return _joined([_driven(anywhere(rng), before, rng, True)], before, before, scenario, rng)
    after = round(PATIENCE_S * RATE_HZ)
    start = anywhere(rng)
    if lost:
        # Many wait for a pose before they drive.
        moving = rng.random() < 0.4
        return _joined([_driven(start, after, rng, moving)], 0, 0, scenario, rng)
    first = _driven(start, before, rng, True)
    left = Spot(*first[-1])
    goal = anywhere(rng)
    while goal.off(left)[0] < _LEAST_CARRIED_M:
        goal = anywhere(rng)
    carried = round(float(rng.uniform(0.5, 4)) * RATE_HZ)
    share = np.linspace(0, 1, carried)[:, None]
    turn = wrapped(goal.yaw - left.yaw)
    flown = np.array(left) + share * np.array([goal.x - left.x, goal.y - left.y, turn])
    second = _driven(goal, after, rng, True)
    return _joined([first, flown, second], before, before + carried, scenario, rng)


def _driven(start: Spot, samples: int, rng: np.random.Generator, moving: bool) -> NDArray:
    """Return a drive (N, 3) with stops and turns on the spot, that keeps off the walls."""
    spots = np.empty((samples, 3))
    x, y, yaw = start
    speed = rate = 0.0
    left = 0
    for sample in range(samples):
        if left == 0:
            speed, rate, left = _manoeuvre(rng) if moving else (0.0, 0.0, samples)
        left -= 1
        turning = rate
        if speed and not (1 < x < WIDTH_M - 1 and 1 < y < HEIGHT_M - 1):
            home = math.atan2(HEIGHT_M / 2 - y, WIDTH_M / 2 - x)
            turning = max(-1.0, min(1.0, 2 * wrapped(home - yaw)))
        yaw = wrapped(yaw + turning / RATE_HZ)
        x += speed * math.cos(yaw) / RATE_HZ
        y += speed * math.sin(yaw) / RATE_HZ
        spots[sample] = x, y, yaw
    return spots


def _manoeuvre(rng: np.random.Generator) -> tuple[float, float, int]:
    """Return speed, rate of turn, and for how many samples."""
    kind, lasts, part = rng.random(3)
    if kind < 0.15:
        return 0.0, 0.0, round((1 + 4 * lasts) * RATE_HZ)
    if kind < 0.3:
        return (
            0.0,
            math.copysign(0.4 + 0.4 * abs(part - 0.5), part - 0.5),
            round((1 + 3 * lasts) * RATE_HZ),
        )
    return 0.2 + 0.4 * float(rng.random()), 0.8 * (part - 0.5), round((2 + 4 * lasts) * RATE_HZ)


def _joined(
    parts: list[NDArray], lifted: int, set_down: int, scenario: Scenario, rng: np.random.Generator
) -> Drive:
    truth_N3 = np.concatenate(parts)
    steps = np.diff(truth_N3, axis=0, prepend=truth_N3[:1])
    # Wheels do not turn while the robot is in the air, nor when it is set down elsewhere.
    if lifted < set_down:
        steps[lifted : set_down + 1] = 0
    turn_N = np.remainder(steps[:, 2] + math.pi, 2 * math.pi) - math.pi
    way_N = np.hypot(steps[:, 0], steps[:, 1])
    told_way_N, told_turn_N = _mistaken(way_N, turn_N, scenario, rng)
    yaw_N = np.cumsum(told_turn_N)
    x_N = np.cumsum(told_way_N * np.cos(yaw_N))
    y_N = np.cumsum(told_way_N * np.sin(yaw_N))
    odometry_N3 = np.stack([x_N, y_N, yaw_N], axis=1)
    return Drive(
        truth_N3, odometry_N3, np.stack([way_N, np.abs(turn_N)], axis=1), lifted, set_down
    )


def _mistaken(
    way_N: NDArray, turn_N: NDArray, scenario: Scenario, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Return what odometry tells of ways and turns: scale, drift of heading, noise, and slips."""
    worse = scenario.odometry
    scale, heading = worse * rng.standard_normal(2) * (_SCALE, _HEADING)
    noise_2N = worse * rng.standard_normal((2, len(way_N)))
    root_N = np.sqrt(way_N)
    told_way_N = (1 + scale) * way_N + _DISTANCE_NOISE * root_N * noise_2N[0]
    spread_N = np.hypot(_HEADING_NOISE * root_N, _TURN_NOISE * np.sqrt(np.abs(turn_N)))
    told_turn_N = turn_N + heading * way_N + spread_N * noise_2N[1]
    for _ in range(rng.poisson(scenario.slips * len(way_N) / RATE_HZ / 60)):
        begins = int(rng.integers(len(way_N)))
        during = slice(begins, begins + RATE_HZ)
        told_way_N[during] += _SLIP_M * rng.standard_normal() / RATE_HZ
        told_turn_N[during] += _SLIP_RAD * rng.standard_normal() / RATE_HZ
    return told_way_N, told_turn_N
