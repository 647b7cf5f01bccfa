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

"""What wheels and a gyroscope report of a drive: each step nearly right, the sum drifting."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Trajectory
from scipy.spatial.transform import Rotation

# At home all is known, but nobody believes a variance of zero.
VARIANCE_FLOOR = 1e-6


@dataclass(frozen=True)
class OdometryErrors:
    """
    How odometry errs.

    `scale` is the share by which distances come out too long, `heading_drift` radians of false
    turn a metre driven. Noise is given as a standard deviation after one metre driven (or, of
    turning, one radian turned), and grows with the square root of the way.
    """

    scale: float = 0.01
    heading_drift: float = math.radians(0.4)
    distance_noise: float = 0.005
    heading_noise: float = math.radians(0.15)
    turn_noise: float = math.radians(0.5)


@dataclass(frozen=True, eq=False)
class Odometry:
    """
    What odometry reports at each instant.

    `odom_from_base` starts at the identity; `velocity` (N, 3) is forward and sideways speed in
    m/s and turn rate in rad/s, in the frame of the base; `variance` (N, 3) is that of x, y and
    heading in the odom frame.
    """

    odom_from_base: Trajectory
    velocity: NDArray[np.float64]
    variance: NDArray[np.float64]


def drifting(
    map_from_base: Trajectory, errors: OdometryErrors, rng: np.random.Generator
) -> Odometry:
    """Return the odometry of a drive on the floor, its errors drawn from `rng`."""
    heading = np.unwrap(map_from_base.rotations.as_euler('xyz')[:, 2])
    travelled = np.diff(map_from_base.translations[:, :2], axis=0)
    facing = (heading[1:] + heading[:-1]) / 2
    ahead, across = _turned(travelled, -facing)
    turned = np.diff(heading)
    way = np.hypot(ahead, across)
    ahead = (1 + errors.scale) * ahead + errors.distance_noise * np.sqrt(way) * _normal(rng, way)
    across = across + 0.2 * errors.distance_noise * np.sqrt(way) * _normal(rng, way)
    false_turn = errors.heading_drift * way
    spread = errors.heading_noise**2 * way + errors.turn_noise**2 * np.abs(turned)
    turned = turned + false_turn + np.sqrt(spread) * _normal(rng, way)
    reported = np.concatenate([[0.0], turned.cumsum()])
    steps = _turned(np.stack([ahead, across], axis=1), (reported[1:] + reported[:-1]) / 2)
    xy = np.concatenate([np.zeros((1, 2)), np.stack(steps, axis=1).cumsum(axis=0)])
    seconds = np.diff(map_from_base.stamps_ns) / NS_PER_S
    velocity = np.stack([ahead, across, turned], axis=1) / seconds[:, None]
    odom_from_base = Trajectory(
        map_from_base.stamps_ns,
        Rotation.from_euler('z', reported[:, None]),
        np.column_stack([xy, np.zeros(len(xy))]),
        'odom',
        'base',
    )
    return Odometry(
        odom_from_base, np.vstack([velocity[:1], velocity]), _variance(xy, way, spread, errors)
    )


def _normal(rng: np.random.Generator, like: NDArray[np.float64]) -> NDArray[np.float64]:
    return rng.standard_normal(len(like))


def _turned(
    vectors: NDArray[np.float64], angles: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn vectors (N, 2) by angles (N,); return their two coordinates."""
    cosine, sine = np.cos(angles), np.sin(angles)
    x, y = vectors.T
    return cosine * x - sine * y, sine * x + cosine * y


def _variance(
    xy: NDArray[np.float64],
    way: NDArray[np.float64],
    spread: NDArray[np.float64],
    errors: OdometryErrors,
) -> NDArray[np.float64]:
    """Return a cautious variance of x, y and heading (N, 3) that grows along the way."""
    length = np.concatenate([[0.0], way.cumsum()])
    reach = np.maximum.accumulate(np.linalg.norm(xy, axis=1))
    heading = np.concatenate([[0.0], spread.cumsum()]) + (errors.heading_drift * length) ** 2
    # A false heading carries the robot off by that angle times how far it has come from home.
    position = errors.distance_noise**2 * length + (errors.scale**2 + heading) * reach**2
    return VARIANCE_FLOOR + np.stack([position, position, heading], axis=1)
