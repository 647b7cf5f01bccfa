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

"""Readings and beliefs out of transforms, as a table has them."""

from __future__ import annotations

from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.nodes.conversions import stamp_message, transform_stamped
from posenet_ros.nodes.odometry_input import OdometryInput
from posenet_ros.nodes.transform_buffer import TransformBuffer
from posenet_ros.recovery import OdometryBuffer
import pytest
from scipy.spatial.transform import Rotation

START_NS = 1_700_000_000 * NS_PER_S


def shift(x, parent='odom', child='base'):
    return Pose(Rotation.identity(), [x, 0, 0], parent, child)


class Robot:
    """What is broadcast goes to a buffer, and from there to the input."""

    def __init__(self):
        self.buffer = TransformBuffer()
        self.input = OdometryInput(self.buffer)
        self.input.follow(odom='odom', base='base_link', map_frame='map')
        self.odometry = OdometryBuffer()

    def tell(self, seconds, x, parent='odom', child='base_link', *, static=False, came=None):
        stamp = stamp_message(START_NS + round(seconds * NS_PER_S))
        message = transform_stamped(shift(x), stamp, parent=parent, child=child)
        sample = self.buffer.put(message, static=static)
        came_ns = START_NS + round((seconds if came is None else came) * NS_PER_S)
        self.input.heard(sample, static=static, now_ns=came_ns)

    def drain(self):
        found = self.input.drain()
        for stamp_ns, pose in found:
            self.odometry.add(stamp_ns, pose)
        return [((at - START_NS) / NS_PER_S, float(pose.translation[0])) for at, pose in found]

    def belief(self, seconds):
        told = self.input.belief(self.odometry, START_NS + round(seconds * NS_PER_S))
        return None if told is None else float(told.map_from_base.translation[0])


@pytest.fixture
def robot():
    return Robot()


def test_each_reading_comes_once_and_at_its_own_stamp(robot):
    robot.tell(0.1, 1.0)
    robot.tell(0.2, 2.0)
    assert robot.drain() == [(0.1, 1.0), (0.2, 2.0)]
    assert robot.drain() == []
    robot.tell(0.3, 3.0)
    robot.tell(0.3, 9.0, 'base_link', 'wheel')
    assert robot.drain() == [(0.3, 3.0)]


def test_a_way_of_several_parts_is_read_where_all_are_known(robot):
    robot.tell(0.0, 0.5, 'footprint', 'base_link', static=True)
    robot.tell(0.1, 1.0, 'odom', 'footprint')
    assert robot.drain() == [(0.1, 1.5)]


def test_a_part_that_comes_late_is_waited_for(robot):
    robot.tell(0.1, 1.0, 'odom', 'footprint')
    robot.tell(0.1, 0.5, 'footprint', 'base_link')
    assert robot.drain() == [(0.1, 1.5)]
    robot.tell(0.2, 2.0, 'odom', 'footprint')
    assert robot.drain() == []
    robot.tell(0.2, 0.5, 'footprint', 'base_link')
    assert robot.drain() == [(0.2, 2.5)]


def test_why_there_is_no_odometry(robot):
    assert robot.input.missing() == 'no odometry of base_link: nobody broadcasts it'
    robot.tell(0.1, 1.0, 'world', 'base_link')
    assert robot.input.missing() == 'no odometry of base_link: it is not below odom'
    assert robot.drain() == []
    robot.tell(0.2, 1.0)
    assert robot.input.missing() == ''


def test_parts_that_are_never_known_at_one_stamp_are_told(robot):
    robot.tell(50.0, 0.5, 'footprint', 'base_link')
    for tenth in range(1, 30):
        robot.tell(tenth / 10, 1.0, 'odom', 'footprint')
    assert robot.drain() == []
    assert 'no odometry of base_link: ' in robot.input.missing()
    robot.tell(50.0, 1.0, 'odom', 'footprint')
    assert robot.drain() == [(50.0, 1.5)]
    assert robot.input.missing() == ''


def test_the_localizer_believes_what_it_said_last_moved_on_by_odometry(robot):
    assert robot.belief(0.0) is None
    robot.tell(0.1, 1.0)
    robot.drain()
    assert robot.belief(0.1) is None
    # Dated a second ahead, as AMCL does; then it is set elsewhere.
    robot.tell(1.1, 10.0, 'map', 'odom')
    assert robot.belief(0.1) == pytest.approx(11.0)
    robot.tell(1.2, 20.0, 'map', 'odom')
    robot.tell(0.2, 2.0)
    robot.drain()
    assert robot.belief(0.2) == pytest.approx(22.0)


def test_when_it_said_so_is_when_it_came_whatever_its_stamp(robot):
    robot.tell(0.1, 1.0)
    robot.drain()
    robot.tell(1.1, 10.0, 'map', 'odom', came=0.1)
    stamp_ns = START_NS + NS_PER_S // 5
    assert robot.input.belief(robot.odometry, stamp_ns).said_ns == START_NS + NS_PER_S // 10


def test_a_localizer_that_fell_silent_believes_nothing(robot):
    robot.tell(0.1, 10.0, 'map', 'odom')
    for tenth in range(1, 60):
        robot.tell(tenth / 10, 1.0)
    robot.drain()
    assert robot.belief(3.0) == pytest.approx(11.0)
    assert robot.belief(3.2) is None


def test_what_it_said_before_all_was_forgotten_is_not_believed(robot):
    robot.tell(0.1, 10.0, 'map', 'odom')
    robot.input.clear()
    robot.tell(0.2, 1.0)
    robot.drain()
    assert robot.belief(0.2) is None


def test_one_that_is_static_is_believed_at_any_time(robot):
    robot.tell(0.0, 10.0, 'map', 'odom', static=True)
    robot.tell(100.0, 1.0)
    robot.drain()
    assert robot.belief(100.0) == pytest.approx(11.0)
    robot.input.clear()
    assert robot.input.missing() == ''
