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

"""A robot's drive with known truth, odometry of it that errs on purpose, and a rendered scene."""

from dataclasses import dataclass

import numpy as np
import pytest
from rosbags.typesys import get_typestore, Stores
from scipy.spatial.transform import Rotation

from posenet_ros.geometry import NS_PER_S, Pose, Sim3, Trajectory

START_NS = 1_700_000_000_000_000_000
TYPES = get_typestore(Stores.ROS2_JAZZY)

# Optical frame (z forward, y down) on a base (x forward, z up), ahead of its centre and up.
BASE_FROM_CAMERA = Pose(
    Rotation.from_euler('xyz', [-np.pi / 2, 0, -np.pi / 2]),
    np.array([0.2, 0.05, 0.4]),
    'base',
    'camera',
)


@dataclass
class Drive:
    """True poses `map_from_base` at a high rate, and what sensors make of them."""

    truth: Trajectory

    def camera(self, rate_hz=5.0):
        """True `map_from_camera` at the camera's rate."""
        every = round(20 / rate_hz)
        return self.truth.of_body(BASE_FROM_CAMERA).select(slice(None, None, every))

    def sfm(self, rate_hz=5.0, *, metres_per_unit=2.5, noise=0.0, seed=1):
        """`sfm_from_camera`: another origin, turned, scaled, with noise in metres."""
        poses = self.camera(rate_hz)
        noisy = poses.translations + noise * np.random.default_rng(seed).normal(
            size=(len(poses), 3)
        )
        poses = Trajectory(poses.stamps_ns, poses.rotations, noisy, 'map', 'camera')
        turn = Rotation.from_euler('xyz', [20, -35, 50], degrees=True)
        away = Sim3(1 / metres_per_unit, turn, np.array([3.0, -1.0, 2.0]), 'sfm', 'map')
        return away.apply_to(poses)

    def odom(self, *, bias=0.0, noise=0.0, yaw_per_m=0.0, slip_m=0.0, late_s=0.0, seed=0):
        """`odom_from_camera` as wheels integrate it; `yaw_per_m` in degrees."""
        rng = np.random.default_rng(seed)
        poses = [self.truth[0].renamed(target='odom')]
        for index in range(1, len(self.truth)):
            step = self.truth[index - 1].inverse() @ self.truth[index]
            length = np.linalg.norm(step.translation)
            moved = step.translation * (1 + bias + noise * rng.normal())
            if index == len(self.truth) // 2:
                moved = moved + [slip_m, 0, 0]
            yaw = Rotation.from_rotvec([0, 0, np.radians(yaw_per_m) * length])
            poses.append(poses[-1] @ Pose(step.rotation * yaw, moved, 'base', 'base'))
        stamps_ns = self.truth.stamps_ns + round(late_s * NS_PER_S)
        return Trajectory.from_poses(list(stamps_ns), poses).of_body(BASE_FROM_CAMERA)


def drive(seconds=40.0, *, tilt_deg=0.0, straight=False):
    """Drive a winding loop on a floor (or tilted by a ramp), about 0.5 m/s."""
    times = np.arange(0, seconds, 0.05)
    x = 0.5 * times if straight else 3 * np.sin(0.17 * times)
    y = 0 * times if straight else 2 * np.sin(0.34 * times) + 0.3 * np.sin(0.9 * times)
    heading = np.unwrap(np.arctan2(np.gradient(y), np.gradient(x)))
    roll = 0 * times if straight else np.radians(2) * np.sin(1.3 * times)
    rotations = Rotation.from_euler('ZYX', np.stack([heading, 0 * times, roll], axis=1))
    positions = np.stack([x, y, 0 * times], axis=1)
    ramp = Rotation.from_euler('x', tilt_deg, degrees=True)
    stamps_ns = START_NS + np.round(times * NS_PER_S).astype(np.int64)
    return Drive(Trajectory(stamps_ns, ramp * rotations, ramp.apply(positions), 'map', 'base'))


@pytest.fixture(scope='session')
def make_drive():
    return drive


@pytest.fixture(scope='session')
def loop():
    return drive()


@pytest.fixture(scope='session')
def mount():
    return BASE_FROM_CAMERA
