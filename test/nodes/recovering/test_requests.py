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

"""Who asks where the robot is gets an answer, whatever it is."""

from __future__ import annotations

import pytest
from std_srvs.srv import Empty, Trigger


@pytest.fixture
def ask(graph):
    """Return a function that asks, and one that drives a robot until there is the answer."""
    client = graph.node.create_client(Trigger, '/posenet/relocalize')

    def begin():
        graph.until(client.service_is_ready)
        return client.call_async(Trigger.Request())

    return begin


def test_the_answer_is_where_the_robot_is(make_robot, ask):
    robot = make_robot()
    robot.drive_until(lambda: robot.fixes)
    future = ask()
    robot.drive_until(future.done)
    answer = future.result()
    assert answer.success
    fixes = [each.pose.pose.position for each in robot.fixes]
    assert any(f'({fix.x:.2f}, {fix.y:.2f}' in answer.message for fix in fixes)
    assert all(word in answer.message for word in ('frames', 'spread', 'fix and localizer'))


def test_a_carried_robot_is_answered_when_its_localizer_is_there(make_robot, ask, place):
    robot = make_robot(recovery='act')
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))
    robot.step()
    future = ask()
    robot.drive_until(future.done)
    assert future.result().success, future.result()
    assert len(robot.sent) == 1
    metres, _ = robot.believed.distance(robot.map_from_odom)
    assert metres < 0.1


def test_it_tries_again_after_recovery_gave_up(make_robot, ask, place):
    robot = make_robot(recovery='act', reset_attempts=1)
    robot.obedient = False
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))
    robot.drive_until(lambda: 'gave up' in robot.bench.values()[1])
    robot.obedient = True
    future = ask()
    robot.drive_until(future.done)
    assert future.result().success
    assert len(robot.sent) == 2


@pytest.mark.parametrize(
    ('cause', 'words'), [('unmapped', 'out of map'), ('no images', 'no image came')]
)
def test_why_there_is_no_answer(make_robot, ask, cause, words):
    robot = make_robot(relocalize_timeout=0.5)
    robot.step()
    robot.mapped, robot.seeing = cause != 'unmapped', cause != 'no images'
    future = ask()
    robot.drive_until(future.done)
    assert not future.result().success
    assert words in future.result().message
    assert 'timeout' in future.result().message


def test_nobody_is_kept_waiting_by_a_node_that_pauses(make_robot, ask):
    robot = make_robot()
    robot.step()
    robot.moving = False
    future = ask()
    # Not before it was asked.
    robot.graph.until(lambda: robot.bench.node._recovering._requests._attempts)
    robot.bench.enable(False)
    robot.graph.until(future.done)
    assert (future.result().success, future.result().message) == (False, 'paused by ~/enable')
    future = ask()
    robot.graph.until(future.done)
    assert future.result().message == 'the node is not active'


def test_without_a_base_there_is_no_robot(make_bench, verifying, graph):
    make_bench(answered_by=verifying).until_active()
    answer = graph.call(Trigger, '/posenet/relocalize', Trigger.Request())
    assert not answer.success
    assert 'base_frame' in answer.message


def test_amcls_service_is_stood_in_for_unless_amcl_is_there(make_robot, graph):
    name = '/reinitialize_global_localization'
    robot = make_robot(offer_global_localization=True)
    node = robot.bench.node
    graph.until(lambda: node.count_services(name) == 1)
    theirs = graph.node.create_service(Empty, name, lambda request, response: response)
    robot.bench.until_problem('/tester offers')
    graph.until(lambda: node.count_services(name) == 1)
    graph.node.destroy_service(theirs)
    graph.until(lambda: '/tester' not in robot.bench.values()[1] and node.count_services(name))
    robot.drive_until(lambda: robot.fixes)
    graph.call(Empty, name, Empty.Request())


def test_what_stands_in_for_amcls_arms_a_recovery_again_that_gave_up(make_robot, graph, place):
    robot = make_robot(recovery='act', reset_attempts=1, offer_global_localization=True)
    robot.obedient = False
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))
    robot.drive_until(lambda: 'gave up' in robot.bench.values()[1])
    robot.obedient = True
    # Answered while nobody drives: it does not wait for the outcome.
    graph.call(Empty, '/reinitialize_global_localization', Empty.Request())
    assert len(robot.sent) == 1
    robot.drive_until(lambda: robot.state == 'tracking')
    assert len(robot.sent) == 2


def test_the_map_is_in_a_hurry_while_somebody_waits(make_robot, ask, place):
    robot = make_robot(recovery='act', relocalize_timeout=600.0)
    recovering = robot.bench.node._recovering
    # It is lost where it starts.
    robot.graph.until(lambda: recovering.urgent)
    robot.drive_until(lambda: robot.state == 'tracking')
    assert not recovering.urgent
    robot.carried_to(place(-4, 6, 170))
    robot.drive_until(lambda: recovering.urgent)
    assert robot.state in ('suspect', 'kidnapped', 'recovering')
    robot.drive_until(lambda: robot.state == 'tracking' and not recovering.urgent)
    robot.mapped = False
    robot.drive_until(lambda: robot.state != 'kidnapped')
    future = ask()
    robot.drive_until(lambda: recovering.urgent)
    robot.mapped = True
    robot.drive_until(future.done)
    assert not recovering.urgent
