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

"""map -> odom that is ours, heard by another process, and beside somebody else's."""

from __future__ import annotations

import json
from pathlib import Path
import time

import numpy as np
from posenet_ros.geometry import Pose
from posenet_ros.nodes.conversions import stamp_message, transform_stamped
from posenet_ros.nodes.transforms import static_tf_qos
import pytest
from tf2_msgs.msg import TFMessage

LISTENER = Path(__file__).parent / 'tf_listener.py'


@pytest.fixture
def make_own(make_robot):
    """Return a maker of robots without another localizer."""

    def make(**parameters):
        robot = make_robot(publish_tf='odom', map_from_model='', **parameters)
        robot.believed = None
        return robot

    return make


def edges(messages):
    """Return the transforms map -> odom among what was heard on /tf."""
    return [
        transform
        for message in messages
        for transform in message.transforms
        if transform.child_frame_id == 'odom'
    ]


def test_heard_elsewhere_it_has_the_robot_where_the_fix_is(make_own, graph, command, tmp_path):
    heard = tmp_path / 'heard.json'
    listener = command(str(LISTENER), str(heard))
    listener.until_says('listening')
    robot = make_own(smoothing=False)
    graph.until(lambda: robot.bench.node.count_subscribers('/posenet/fix') == 2)
    robot.drive_until(lambda: robot.state == 'tracking')
    # The other process hears of it when it gets to it.
    robot.drive_until(lambda: 'enough' in listener.output, steps=2000)
    assert listener.stop(patience_s=60.0) == 0, listener.output
    told = json.loads(heard.read_text())
    # There were fixes before there was a transform.
    last_fixes = told['compared'][-5:]
    assert len(last_fixes) == 5
    assert max(max(each) for each in last_fixes) < 1e-6
    last = Pose.from_matrix(told['map_from_odom'], target='map', source='odom')
    metres, radians = last.distance(robot.map_from_odom)
    assert metres < 0.02
    assert radians < 0.01


def test_it_is_dated_ahead_and_follows_by_small_steps(make_own, graph, place):
    robot = make_own(transform_tolerance=0.5, smoothing_speed=0.2)
    messages = graph.listen(TFMessage, '/tf')
    robot.drive_until(lambda: robot.state == 'tracking')
    # The floor slipped away below the wheels: too little for a kidnapping.
    before = robot.map_from_odom
    robot.map_from_odom = place(0.25, 0.0, 0.0, 'map', 'map') @ before
    messages.clear()
    robot.moving = False
    for _ in range(25):
        robot.step()
    sent = edges(messages)
    stamps = [each.header.stamp.sec * 10**9 + each.header.stamp.nanosec for each in sent]
    assert stamps == sorted(set(stamps))
    assert stamps[-1] == robot.now_ns + 500_000_000
    base = np.array([robot.odom_from_base.translation])
    places = np.array([_base_of(each) @ base[0] for each in sent])
    seconds = np.diff(stamps) / 1e9
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert (steps <= 0.2 * seconds + 1e-6).all()
    way = np.linalg.norm(places[-1] - places[0])
    assert way == pytest.approx(0.25, abs=0.03)
    assert robot.state == 'tracking'


def _base_of(transform):
    moved, turned = transform.transform.translation, transform.transform.rotation
    return Pose.from_quaternion(
        w=turned.w,
        x=turned.x,
        y=turned.y,
        z=turned.z,
        translation=[moved.x, moved.y, moved.z],
        target='map',
        source='odom',
    )


def test_a_recovery_jumps_and_nothing_goes_out_as_an_initial_pose(make_own, graph, place):
    robot = make_own()
    messages = graph.listen(TFMessage, '/tf')
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.carried_to(place(-4, 6, 170))

    def there():
        sent = edges(messages)
        metres, _ = _base_of(sent[-1]).distance(robot.map_from_odom)
        return metres < 0.05

    robot.drive_until(there)
    robot.drive_until(lambda: robot.state == 'tracking')
    assert robot.sent == []
    jumps = [
        _base_of(one).distance(_base_of(other))[0]
        for one, other in zip(edges(messages), edges(messages)[1:], strict=False)
    ]
    assert max(jumps) > 2


def test_odometry_that_begins_anew_leaves_no_transform(make_own, graph):
    robot = make_own()
    messages = graph.listen(TFMessage, '/tf')
    robot.drive_until(lambda: robot.state == 'tracking')
    for _ in range(10):
        robot.step()
    there = robot.map_from_base
    robot.odom_from_base = Pose.identity('odom', 'base')
    robot.map_from_odom = there @ robot.odom_from_base.inverse()
    robot.step()
    messages.clear()
    robot.step()
    assert edges(messages) == []
    robot.drive_until(lambda: edges(messages))


def test_beside_another_authority_ours_is_not_sent(make_own, graph):
    robot = make_own()
    robot.drive_until(lambda: robot.state == 'tracking')
    robot.bench.until_diagnosed(robot='tracking')
    publisher = graph.node.create_publisher(TFMessage, '/tf', 10)

    def tell():
        stamp = stamp_message(robot.now_ns + 7)
        other = transform_stamped(Pose.identity('map', 'odom'), stamp, parent='map', child='odom')
        publisher.publish(TFMessage(transforms=[other]))
        robot.step()
        return 'is broadcast by somebody else too' in robot.bench.values()[1]

    robot.drive_until(tell)
    assert robot.bench.values()[0] == b'\x02'
    messages = graph.listen(TFMessage, '/tf')
    tell()
    assert {each.header.stamp.nanosec % 10 for each in edges(messages)} <= {7}
    # And again when the other is gone.
    end = time.monotonic() + 20
    while not any(each.header.stamp.nanosec % 10 == 0 for each in edges(messages)):
        assert time.monotonic() < end
        robot.step()


def test_beside_a_static_one_ours_is_never_sent_and_nothing_is_told_to_be_well(make_own, graph):
    robot = make_own()
    publisher = graph.node.create_publisher(TFMessage, '/tf_static', static_tf_qos())
    stamp = stamp_message(robot.now_ns)
    left = transform_stamped(Pose.identity('map', 'odom'), stamp, parent='map', child='odom')
    publisher.publish(TFMessage(transforms=[left]))
    messages = graph.listen(TFMessage, '/tf')
    robot.drive_until(lambda: robot.state == 'kidnapped')
    for _ in range(15):
        robot.step()
    assert robot.state == 'kidnapped'
    assert edges(messages) == []
    assert 'is broadcast by somebody else too' in robot.bench.values()[1]


def test_the_network_alone_does_not_lead_it(make_own, graph, place, verifying):
    robot = make_own()
    robot.drive_until(lambda: robot.state == 'tracking')
    before = robot.map_from_odom
    messages = graph.listen(TFMessage, '/tf')
    # The map confirms nothing any more, and the network has the robot a little beside.
    robot.confirmed = False
    robot.map_from_odom = place(0.25, 0.0, 0.0, 'map', 'map') @ before
    for _ in range(30):
        robot.step()
    metres, _ = _base_of(edges(messages)[-1]).distance(before)
    assert metres < 0.05
