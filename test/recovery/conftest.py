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

"""A robot that drives straight ahead, for what can be checked by hand."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.recovery.observation import Kind, Observation
import pytest
from scipy.spatial.transform import Rotation


def make_pose(
    x: float = 0.0,
    y: float = 0.0,
    yaw_deg: float = 0.0,
    *,
    z: float = 0.0,
    target: str = 'map',
    source: str = 'base',
) -> Pose:
    """Return a pose on the floor."""
    return Pose(
        Rotation.from_euler('z', yaw_deg, degrees=True), np.array([x, y, z]), target, source
    )


def make_covariance(metres: float = 0.02, degrees: float = 1.0) -> NDArray[np.float64]:
    """Return the covariance of errors that are alike along and about every axis."""
    return np.diag([metres**2] * 3 + [math.radians(degrees) ** 2] * 3)


def nanoseconds(seconds: float) -> int:
    """Return a stamp."""
    return round(seconds * NS_PER_S)


@dataclass
class Robot:
    """Drives along x of the map and of odom; what it sees is off by what is told."""

    speed: float = 0.4

    def at(self, seconds: float) -> Pose:
        """Return where it is."""
        return make_pose(self.speed * seconds)

    def odometry(self, seconds: float) -> Pose:
        """Return what odometry says, rightly."""
        return make_pose(self.speed * seconds, target='odom')

    def sees(
        self,
        seconds: float,
        kind: Kind = Kind.VERIFIED,
        *,
        x: float = 0.0,
        y: float = 0.0,
        yaw_deg: float = 0.0,
        metres: float = 0.02,
        degrees: float = 1.0,
    ) -> Observation:
        """Return an observation that is off by so much."""
        pose = make_pose(self.speed * seconds + x, y, yaw_deg)
        return Observation(nanoseconds(seconds), pose, make_covariance(metres, degrees), kind)


@pytest.fixture
def robot() -> Robot:
    """Return a robot at 0.4 m/s."""
    return Robot()


@pytest.fixture
def standing() -> Robot:
    """Return one that stands."""
    return Robot(0.0)


@pytest.fixture
def pose():
    """Return a function that makes a pose."""
    return make_pose


@pytest.fixture
def covariance():
    """Return a function that makes a covariance."""
    return make_covariance


@pytest.fixture
def ns():
    """Return a function that makes stamps of seconds."""
    return nanoseconds
