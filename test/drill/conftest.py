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

"""A place to drill in that is small and quick, and a part of the ROS graph of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import importlib.util
import os
from pathlib import Path
import time
from typing import Any

import numpy as np
from posenet_ros.children import in_environment, own_domain
from posenet_ros.drill.past import Moment, Past
from posenet_ros.drill.plan import Look, Plan
from posenet_ros.files import write_yaml
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.simulation.options import SimulationOptions
import pytest

HAS_ROS = importlib.util.find_spec('rclpy') is not None
OVER_DDS = ['test_amcl.py', 'test_robot.py', 'test_drill.py', 'test_mailbox.py']
collect_ignore = [] if HAS_ROS else OVER_DDS

# Long, since machines that run tests are busy; nothing waits that long when all is well.
PATIENCE_S = 60.0
SMALL = SimulationOptions(width=96, height=72, laps=2, test_laps=0)


@pytest.fixture
def small() -> SimulationOptions:
    return SMALL


@pytest.fixture
def simulation(tmp_path: Path) -> Path:
    """Return a folder that says of itself what a simulation says; there are no recordings."""
    folder = tmp_path / 'world'
    folder.mkdir()
    write_yaml(folder / 'simulation.yaml', {'options': SMALL.to_dict()})
    return folder


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """Return a maker of plans of a usual trip, but for what is said."""

    def make(**chosen: Any) -> Plan:
        usual = {
            'number': 0,
            'lost': False,
            'lead_s': 1.0,
            'carried_s': 2.0,
            'look': Look.COVERED,
            'veer': 0.1,
            'standing_s': 0.0,
        }
        return Plan(**{**usual, **chosen})

    return make


@pytest.fixture
def past() -> Past:
    """Return two seconds along x at 1 m/s; odometry began 5 m behind and knows it all."""
    past = Past()
    for tick in range(101):
        along = tick / 50
        past.add(Moment(tick * 20_000_000, Spot(along, 2.0, 0.0), Spot(along + 5.0, 0.0, 0.0)))
    return past


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def ros() -> Iterator[None]:
    """Start rclpy in a domain of its own, unless it runs."""
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    if rclpy.ok():
        yield
        return
    environment = own_domain()
    with in_environment({**environment, 'PYTHONPATH': os.environ.get('PYTHONPATH', '')}):
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        yield
        rclpy.try_shutdown()


@pytest.fixture
def until() -> Callable[..., Any]:
    """Return what repeats something until it gives something true, and returns that."""

    def wait(happened: Callable[[], Any], again: Callable[[], object] = lambda: None) -> Any:
        end = time.monotonic() + PATIENCE_S
        while not (result := happened()):
            assert time.monotonic() < end, 'waited in vain'
            again()
            time.sleep(0.02)
        return result

    return wait
