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
How a robot drives through a world: laps side by side in its lane, at speeds that it can hold.

The lane's middle is followed at a sideways offset that wanders, so that no two laps see the
same; speed gives way to the limits on turning and on acceleration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Pose, Trajectory
from posenet_ros.simulation.world import Lane
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

STEP_M = 0.01
# Offsets are drawn anew after about this distance.
WANDER_M = 2.2
WANDER_SPREAD_M = 0.08
# Corners are rounded off over this length, so that steering changes gradually.
SMOOTHING_M = 0.18
# A heading off the lane's fades over this length.
VEER_M = 0.6
# The speed at both ends: a drive is recorded from when it is under way.
CRAWL_M_PER_S = 0.1
# The speed from which it comes to rest.
HALTING_M_PER_S = 0.02
NONE: Mapping[float, float] = {}


@dataclass(frozen=True)
class Robot:
    """
    What the robot can do, and where its camera sits.

    Speeds in m/s, rad/s and m/s^2. The camera is `camera_forward` ahead of base_link,
    `camera_left` beside and `camera_up` above it, looking ahead, `camera_pitch` radians upward.
    """

    speed: float = 0.6
    turn_rate: float = 0.7
    acceleration: float = 0.4
    half_width: float = 0.22
    camera_forward: float = 0.16
    camera_left: float = 0.03
    camera_up: float = 0.78
    camera_pitch: float = 0.06

    @property
    def base_from_camera(self) -> Pose:
        """The optical frame (x right, y down, z forward) in base_link (x forward, z up)."""
        level = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
        raised = level * Rotation.from_euler('x', self.camera_pitch)
        lever = [self.camera_forward, self.camera_left, self.camera_up]
        return Pose(raised, np.array(lever), 'base', 'camera')


def training_offsets(laps: int, half_width: float) -> NDArray[np.float64]:
    """Return the mean sideways offset (laps,) of each lap, spread evenly over the lane."""
    return (np.arange(laps) + 0.5) / laps * 2 * half_width - half_width


def unseen_offsets(laps: int, half_width: float) -> NDArray[np.float64]:
    """Return offsets that lie half way between those of the training laps."""
    taught = training_offsets(laps, half_width)
    if laps == 1:
        return np.array([-half_width / 2, half_width / 2])
    return (taught[1:] + taught[:-1]) / 2


def drive(
    lane: Lane,
    offsets: Sequence[float],
    *,
    robot: Robot,
    rng: np.random.Generator,
    phase: float = 0.0,
    rate_hz: float = 50.0,
    stops: Mapping[float, float] = NONE,
    veer: float = 0.0,
) -> Trajectory:
    """
    Return `map_from_base` of a drive with one lap for each offset, sampled at `rate_hz`.

    Offsets are metres to the left of the lane's middle as driven; the robot wanders a little
    around them and changes from one to the next within the lap. `phase` is the share of the
    lane at which it starts, heading `veer` radians to the left of it; it steers back within a
    metre or two. It stands still at `stops`, as `follow` has them. Stamps count from zero.
    """
    line = _line(lane, np.asarray(offsets), rng, phase, veer)
    return follow(line, robot, rate_hz, stops)


def follow(
    line: NDArray[np.float64], robot: Robot, rate_hz: float, stops: Mapping[float, float] = NONE
) -> Trajectory:
    """
    Return `map_from_base` of a drive along a line (N, 2) in steps of about a centimetre.

    The robot stands still at `stops`: metres along the line, and for how many seconds there.
    """
    step = np.linalg.norm(np.diff(line, axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(step)])
    even = np.arange(0.0, way[-1], STEP_M)
    points = CubicSpline(way, line)(even)
    change = np.gradient(points, STEP_M, axis=0)
    heading = np.unwrap(np.arctan2(change[:, 1], change[:, 0]))
    halts = {int(metres / STEP_M): seconds for metres, seconds in stops.items()}
    reached = _arrival(np.abs(np.gradient(heading, STEP_M)), robot, list(halts))
    at = even
    for index, seconds in sorted(halts.items(), reverse=True):
        # The same place twice: when the robot comes to it, and when it leaves.
        late = np.concatenate([[0.0], reached[index:] - reached[index] + seconds])
        reached = np.concatenate([reached[:index], reached[index] + late])
        at = np.insert(at, index, at[index])
    times = np.arange(0.0, reached[-1], 1 / rate_hz)
    place = PchipInterpolator(reached, at)(times)
    xy = CubicSpline(even, points)(place)
    yaw = CubicSpline(even, heading)(place)
    return Trajectory(
        np.rint(times * NS_PER_S).astype(np.int64),
        Rotation.from_euler('z', yaw[:, None]),
        np.column_stack([xy, np.zeros(len(xy))]),
        'map',
        'base',
    )


def _line(
    lane: Lane,
    offsets: NDArray[np.float64],
    rng: np.random.Generator,
    phase: float,
    veer: float,
) -> NDArray[np.float64]:
    """Return the line (N, 2) that is driven, in steps of about a centimetre."""
    middle, left = paced(lane, phase)
    knots = max(round(len(middle) * STEP_M / WANDER_M), 2)
    marks = np.repeat(offsets, knots) + WANDER_SPREAD_M * rng.uniform(-1, 1, knots * len(offsets))
    places = np.linspace(0, len(offsets) * len(middle) - 1, len(marks))
    sideways = PchipInterpolator(places, marks)(np.arange(len(offsets) * len(middle)))
    sideways = gaussian_filter1d(sideways, 0.4 / STEP_M, mode='nearest')
    way = STEP_M * np.arange(len(sideways))
    sideways += math.tan(veer) * way * np.exp(-way / VEER_M)
    laps = len(offsets)
    return np.tile(middle, (laps, 1)) + sideways[:, None] * np.tile(left, (laps, 1))


def paced(lane: Lane, phase: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return points (N, 2) once around a lane in even steps of about a centimetre, bends rounded.

    The first is at the share `phase` of the lane. With them come the directions (N, 2) to their
    left.
    """
    middle = _smooth_loop(lane.middle)
    share = int(phase % 1.0 * len(middle))
    middle = np.roll(middle, -share, axis=0)
    tangent = np.roll(middle, -1, axis=0) - np.roll(middle, 1, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    return middle, np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)


def _smooth_loop(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Resample a closed polygon (N, 2) evenly and round its bends."""
    closed = np.vstack([points, points[:1]])
    way = np.concatenate([[0.0], np.linalg.norm(np.diff(closed, axis=0), axis=1).cumsum()])
    even = np.linspace(0, way[-1], round(way[-1] / STEP_M), endpoint=False)
    dense = np.stack([np.interp(even, way, closed[:, axis]) for axis in range(2)], axis=1)
    return gaussian_filter1d(dense, SMOOTHING_M / STEP_M, axis=0, mode='wrap')


def _arrival(
    curvature: NDArray[np.float64], robot: Robot, halts: Sequence[int]
) -> NDArray[np.float64]:
    """
    Return when the robot is at each step, within its limits.

    It starts and ends slowly, and comes almost to rest at the steps `halts`.
    """
    limit = np.minimum(robot.speed, robot.turn_rate / np.maximum(curvature, 1e-6))
    limit = np.minimum(limit, gaussian_filter1d(limit, 0.1 / STEP_M, mode='nearest'))
    limit[0] = limit[-1] = CRAWL_M_PER_S
    limit[list(halts)] = HALTING_M_PER_S
    speeding = _reachable(limit, robot.acceleration)
    speed = _reachable(speeding[::-1], robot.acceleration)[::-1]
    pace = STEP_M * 2 / (speed[1:] + speed[:-1])
    return np.concatenate([[0.0], pace.cumsum()])


def _reachable(limit: NDArray[np.float64], acceleration: float) -> NDArray[np.float64]:
    """Lower speeds so that none needs more acceleration from the one a step before it."""
    speed = limit.copy()
    for index in range(1, len(speed)):
        reach = (speed[index - 1] ** 2 + 2 * acceleration * STEP_M) ** 0.5
        speed[index] = min(speed[index], reach)
    return speed
