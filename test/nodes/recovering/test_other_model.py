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

"""The model is exchanged while a robot is watched over."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from rclpy.parameter import Parameter


@pytest.fixture
def exchange(verifying):
    """Return a function that gives the node a model whose labels have this origin."""

    def to(robot, name, **poses):
        def load():
            card = SimpleNamespace(**{**vars(verifying.card), 'training': {'poses': poses}})
            other = type(verifying)()
            other.card = other.network.card = card
            robot.eyes = other
            return other

        robot.bench.others[name] = load
        (result,) = robot.bench.node.set_parameters([Parameter('model', value=name)])
        assert result.successful
        robot.bench.until_diagnosed(**{'model': name, 'model that is loading': ''})

    return to


def test_by_a_model_of_a_map_of_its_own_nobody_is_reset(make_robot, place, exchange, verifying):
    verifying.card.training['poses'] = {'frame': 'map'}
    robot = make_robot(recovery='act', map_from_model='')
    robot.drive_until(lambda: robot.state == 'tracking')
    exchange(robot, 'own', frame=None)
    robot.bench.until_problem('nobody watches over the robot', 'map_from_model')
    robot.graph.until(lambda: robot.state == 'unknown')
    robot.carried_to(place(-4, 6, 170))
    for _ in range(30):
        robot.step()
    assert robot.sent == []
    # Poses go out all the same.
    robot.drive_until(lambda: robot.bench.stamps(robot.bench.poses)[-1:] == [robot.now_ns])
    exchange(robot, 'good', frame='map')
    robot.drive_until(lambda: robot.sent)


def test_what_the_former_saw_is_forgotten(make_robot, exchange, verifying):
    verifying.card.training['poses'] = {'frame': 'map'}
    robot = make_robot(recovery='act', map_from_model='')
    robot.drive_until(lambda: robot.state == 'tracking')
    exchange(robot, 'good', frame='map')
    robot.graph.until(lambda: robot.state == 'unknown')
    robot.drive_until(lambda: robot.state == 'tracking')
