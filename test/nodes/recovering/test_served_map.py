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

"""A localizer that was given another map since is in other coordinates under the same name."""

from __future__ import annotations

from nav_msgs.msg import OccupancyGrid
import numpy as np
from posenet_ros.data.grids import grid_from_message
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile


def grid(width=4, height=3, *, x=0.0):
    message = OccupancyGrid()
    message.header.frame_id = 'map'
    message.info.resolution = 0.05
    message.info.width, message.info.height = width, height
    message.info.origin.position.x = x
    message.info.origin.orientation.w = 1.0
    message.data = np.zeros(width * height, dtype=np.int8).tolist()
    return message


@pytest.fixture
def serve(graph):
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    return graph.node.create_publisher(OccupancyGrid, '/map', latched).publish


@pytest.fixture
def trained(verifying):
    """Have the model made in the map that `grid()` is."""
    identity = grid_from_message('/map', grid(), frame='map').identity
    verifying.card.training['poses'] = {'frame': 'map', 'localizer_map': identity}


def test_in_the_map_of_training_it_acts(make_robot, place, serve, trained):
    serve(grid())
    robot = make_robot(recovery='act', map_from_model='')
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))
    robot.drive_until(lambda: robot.sent)


@pytest.mark.parametrize('other', [grid(5, 3), grid(x=1.0), grid(0, 3)])
def test_in_another_it_only_advises(make_robot, place, serve, trained, other):
    if other.info.width == 0:
        # Cells that nobody delivered.
        other.info.width = 4
    serve(other)
    robot = make_robot(recovery='act', map_from_model='')
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.bench.until_problem('recovery does not act')
    assert robot.bench.values()[0] == b'\x02'
    robot.carried_to(place(-4, 6, 170))
    robot.drive_until(lambda: robot.state == 'kidnapped')
    for _ in range(15):
        robot.step()
    assert robot.sent == []
    # As soon as it is the right one again.
    serve(grid())
    robot.drive_until(lambda: robot.sent)
