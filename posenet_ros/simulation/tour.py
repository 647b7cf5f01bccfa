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

"""
How a robot drives through a corridor: on either side of it, and some laps the other way round.

Where the direction changes the robot turns around in a half circle. Once in a drive it stands
still for some seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Trajectory
from posenet_ros.simulation.path import (
    follow,
    paced,
    Robot,
    STEP_M,
    WANDER_M,
    WANDER_SPREAD_M,
)
from posenet_ros.simulation.world import Lane
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

# So many laps one way round, then so many the other way.
LAPS_ONE_WAY = 2
TURNING_RADIUS_M = 0.48
# Standing still: at which share of the first lap, and for how long.
STOP_SHARE = 0.63
STOP_S = 6.0


def tour(
    lane: Lane,
    offsets: Sequence[float],
    *,
    robot: Robot,
    rng: np.random.Generator,
    phase: float = 0.0,
    rate_hz: float = 50.0,
) -> Trajectory:
    """
    Return `map_from_base` of a drive with one lap for each offset, sampled at `rate_hz`.

    Offsets are metres to the left of the lane's middle as the first lap is driven, whichever
    way a lap goes; they are taken from one half and from the other of their range in turn.
    `phase` is the share of the lane at which the drive starts, and where it turns around: the
    lane must be straight there.
    """
    ring, left = paced(lane, phase)
    order = alternating(np.asarray(offsets, dtype=np.float64))
    runs = [
        (way, np.array([order[lap] for lap in laps]))
        for way, laps in groupby(range(len(order)), heading_of)
    ]
    pieces: list[NDArray[np.float64]] = []
    for index, (way, run) in enumerate(runs):
        first = index == 0
        last = index == len(runs) - 1
        begin = None if first else -_aside(runs[index - 1][1][-1])
        end = None if last else _aside(run[-1])
        sideways = _sideways(run, len(ring), rng, begin, end)
        at = way * np.arange(len(sideways)) % len(ring)
        pieces.append(ring[at] + sideways[:, None] * left[at])
        if end is not None:
            pieces.append(_half_circle(ring[at[-1]], left[at[-1]], end, way))
    line = gaussian_filter1d(np.concatenate(pieces), 0.1 / STEP_M, axis=0, mode='nearest')
    return follow(line, robot, rate_hz, {STOP_SHARE * len(ring) * STEP_M: STOP_S})


def alternating(offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return offsets in an order in which neighbours are far apart."""
    rising = np.sort(offsets)
    half = (len(rising) + 1) // 2
    order = [lap // 2 + (lap % 2) * half for lap in range(len(rising))]
    return rising[order]


def heading_of(lap: int) -> int:
    """Return 1 for a lap that goes as the first one does, -1 for one the other way round."""
    return -1 if lap // LAPS_ONE_WAY % 2 else 1


def _aside(offset: float) -> float:
    """Return where to turn around from, on the side of the lane on which the robot is."""
    return float(np.copysign(TURNING_RADIUS_M, offset))


def _sideways(
    offsets: NDArray[np.float64],
    steps: int,
    rng: np.random.Generator,
    begin: float | None,
    end: float | None,
) -> NDArray[np.float64]:
    """Return the offset at each of `steps` a lap, from `begin` and to `end` where given."""
    knots = max(round(steps * STEP_M / WANDER_M), 4)
    marks = np.repeat(offsets, knots)
    marks += WANDER_SPREAD_M * rng.uniform(-1, 1, len(marks))
    # Two marks each, so that the robot goes straight where it turns around.
    if begin is not None:
        marks[:2] = begin
    if end is not None:
        marks[-2:] = end
    places = np.linspace(0, len(offsets) * steps - 1, len(marks))
    sideways = PchipInterpolator(places, marks)(np.arange(len(offsets) * steps))
    return gaussian_filter1d(sideways, 0.4 / STEP_M, mode='nearest')


def _half_circle(
    middle: NDArray[np.float64], left: NDArray[np.float64], start: float, way: int
) -> NDArray[np.float64]:
    """Return points (N, 2) from `start` metres left of a point of the lane to as many right."""
    ahead = way * np.array([left[1], -left[0]])
    angle = np.linspace(0, np.pi, round(abs(start) * np.pi / STEP_M) + 1)[1:-1, None]
    return middle + start * np.cos(angle) * left + abs(start) * np.sin(angle) * ahead
