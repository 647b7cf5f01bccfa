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

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera, Pose
from posenet_ros.simulation.options import SimulationOptions
from posenet_ros.simulation.path import Robot
from posenet_ros.simulation.simulate import simulate, Simulation
from posenet_ros.simulation.world import make_world, World
import pytest
from scipy.spatial.transform import Rotation

SMALL = SimulationOptions(
    laps=2, rate_hz=2.0, odometry_rate_hz=20.0, width=160, height=120, robot=Robot(speed=1.2)
)


@pytest.fixture
def camera() -> Camera:
    return Camera(320, 240, 210.0, 205.0, 162.0, 117.0)


@pytest.fixture
def pose() -> Pose:
    """Give a pose in the middle of things, turned about all three axes, facing mostly +x."""
    ahead = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    turned = Rotation.from_euler('xyz', [10, -20, 30], degrees=True) * ahead
    return Pose(turned, np.array([3.0, 2.0, 0.9]), 'map', 'camera')


@pytest.fixture(scope='session')
def world() -> World:
    return make_world(0)


def floor_clearance(world: World, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far floor points (N, 2) are from the nearest wall or furniture, in metres."""
    nearest = np.minimum(points, np.array(world.size[:2]) - points).min(axis=1)
    for box in world.boxes:
        # What hangs overhead is in nobody's way.
        if box.base[2] < 1.5:
            own = (points - box.base[:2]) @ box.axes[:2, :2].T
            outside = np.maximum(np.abs(own) - np.array(box.size[:2]) / 2, 0.0)
            nearest = np.minimum(nearest, np.linalg.norm(outside, axis=1))
    return nearest


@pytest.fixture(scope='session')
def clearance() -> Callable[[World, NDArray[np.float64]], NDArray[np.float64]]:
    return floor_clearance


@pytest.fixture(scope='session')
def small() -> SimulationOptions:
    """Give the options of `simulation`."""
    return SMALL


@pytest.fixture(scope='session')
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    folder: Path = tmp_path_factory.mktemp('simulation') / 'world'
    return simulate(folder, SMALL, jobs=2)
