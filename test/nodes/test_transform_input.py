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

"""/tf and /tf_static over real DDS."""

from __future__ import annotations

import importlib.util

import numpy as np
from posenet_ros.errors import TransformError
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.nodes.conversions import stamp_message, transform_stamped
from posenet_ros.nodes.transform_buffer import TransformBuffer
from posenet_ros.nodes.transform_input import TransformInput
from posenet_ros.nodes.transforms import static_tf_qos, tf_qos
import pytest
import rclpy
from scipy.spatial.transform import Rotation

HAS_TF = importlib.util.find_spec('tf2_msgs') is not None
needs_tf = pytest.mark.skipif(
    not HAS_TF, reason='tf2_msgs is missing: test/tools/build_tf2_msgs.py builds it'
)

START_NS = 1_700_000_000 * NS_PER_S
BASE_FROM_CAMERA = Pose(
    Rotation.from_euler('xyz', (10, 20, 30), degrees=True), [0.1, 0.2, 0.3], 'base', 'camera'
)


class Broadcaster:
    """A node that broadcasts."""

    def __init__(self, graph, name):
        from tf2_msgs.msg import TFMessage

        self.kind = TFMessage
        self.node = graph.add(rclpy.create_node(name))
        self.moving = self.node.create_publisher(TFMessage, '/tf', tf_qos())
        self.static = self.node.create_publisher(TFMessage, '/tf_static', static_tf_qos())

    def send(self, *poses, at_ns=START_NS, static=False):
        stamp = stamp_message(at_ns)
        message = self.kind(
            transforms=[
                transform_stamped(pose, stamp, parent=pose.target, child=pose.source)
                for pose in poses
            ]
        )
        (self.static if static else self.moving).publish(message)


@pytest.fixture
def heard(graph):
    heard = TransformInput(graph.node, TransformBuffer())
    yield heard
    heard.unsubscribe()


@pytest.fixture
def known(graph, heard):
    """Return a waiter for a transform to become known, and its pose."""

    def look(*asked):
        try:
            return heard.look_up(*asked)
        except TransformError:
            return None

    return lambda *asked: graph.until(lambda: look(*asked))


@needs_tf
def test_what_moves_and_what_was_said_before_are_both_heard(graph, heard, known):
    robot = Broadcaster(graph, 'robot')
    robot.send(BASE_FROM_CAMERA, static=True)
    heard.subscribe()
    heard.subscribe()
    graph.until(lambda: robot.moving.get_subscription_count() == 1)
    for second in range(2):
        odom_from_base = Pose(Rotation.identity(), [second, 0, 0], 'odom', 'base')
        robot.send(odom_from_base, at_ns=START_NS + second * NS_PER_S)
    known('odom', 'base', START_NS + NS_PER_S)
    found = known('odom', 'camera', START_NS + NS_PER_S // 4)
    expected = Pose(Rotation.identity(), [0.25, 0, 0], 'odom', 'base') @ BASE_FROM_CAMERA
    np.testing.assert_allclose(found.matrix(), expected.matrix(), atol=1e-9)


@needs_tf
def test_nothing_is_heard_before_and_after(graph, heard, known, refused):
    robot = Broadcaster(graph, 'robot')
    assert robot.moving.get_subscription_count() == 0
    heard.subscribe()
    graph.until(lambda: robot.moving.get_subscription_count() == 1)
    robot.send(Pose.identity('odom', 'base'))
    robot.send(BASE_FROM_CAMERA, static=True)
    known('odom', 'camera', START_NS)
    heard.unsubscribe()
    graph.until(lambda: robot.moving.get_subscription_count() == 0)
    with refused(TransformError, 'odom'):
        heard.look_up('odom', 'camera', START_NS)
    # A joint is where it was.
    heard.look_up('base', 'camera', START_NS)


@needs_tf
def test_two_that_broadcast_one_edge_are_told_by_name(graph, heard):
    amcl, ekf = Broadcaster(graph, 'amcl'), Broadcaster(graph, 'ekf')
    heard.subscribe()
    for each in (amcl, ekf):
        graph.until(lambda each=each: each.moving.get_subscription_count() == 1)

    def told():
        for index, each in enumerate((amcl, ekf)):
            offset = Pose(Rotation.identity(), [index, 0, 0], 'map', 'odom')
            # By one stamp, which without gids is what gives them away.
            each.send(offset, at_ns=START_NS)
        return heard.conflicts(['odom'])

    (text,) = graph.until(told)
    assert text.startswith('map -> odom')
    if 'seems' not in text:
        assert '/amcl' in text
        assert '/ekf' in text
    assert heard.conflicts(['map']) == []


@needs_tf
def test_one_that_broadcasts_is_no_conflict(graph, heard, known):
    robot = Broadcaster(graph, 'robot')
    heard.subscribe()
    graph.until(lambda: robot.moving.get_subscription_count() == 1)
    for index in range(20):
        robot.send(Pose.identity('odom', 'base'), at_ns=START_NS + index)
    known('odom', 'base', START_NS + 19)
    assert heard.conflicts(['base']) == []


@needs_tf
def test_what_is_no_transform_is_told_until_it_is_one(graph, heard, known):
    robot = Broadcaster(graph, 'robot')
    heard.subscribe()
    graph.until(lambda: robot.static.get_subscription_count() == 1)
    bad = transform_stamped(BASE_FROM_CAMERA, stamp_message(0), parent='base', child='camera')
    bad.transform.rotation.w = bad.transform.rotation.x = 0.0
    robot.static.publish(robot.kind(transforms=[bad]))
    graph.until(lambda: heard.conflicts(['camera']) == ['base -> camera is no rigid transform'])
    robot.send(BASE_FROM_CAMERA, static=True)
    known('base', 'camera')
    assert heard.conflicts(['camera']) == []


def test_where_tf2_msgs_is_missing_that_is_what_is_told(graph, heard, refused, monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    heard.subscribe()
    with refused(TransformError, 'base <- camera', 'tf2_msgs is not installed'):
        heard.look_up('base', 'camera')


@needs_tf
def test_humbles_rclpy_calls_back_with_the_message_alone(monkeypatch):
    from posenet_ros.nodes import transform_input
    from tf2_msgs.msg import TFMessage

    # Where a subscription knows no kinds of callbacks, none is told of the publisher.
    monkeypatch.setattr(transform_input, 'Subscription', object)
    callbacks = {}

    class Node:
        def create_subscription(self, kind, topic, callback, qos, **how):
            callbacks[topic] = callback

    heard = TransformInput(Node(), TransformBuffer())
    heard.subscribe()
    stamp = stamp_message(START_NS)
    transform = transform_stamped(BASE_FROM_CAMERA, stamp, parent='base', child='camera')
    callbacks['/tf_static'](TFMessage(transforms=[transform]))
    metres, radians = heard.look_up('base', 'camera').distance(BASE_FROM_CAMERA)
    assert (metres, radians) == (pytest.approx(0), pytest.approx(0))
