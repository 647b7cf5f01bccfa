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

"""What the simulated robot says over DDS, looked up as the node does it."""

from __future__ import annotations

import math

import numpy as np
from posenet_ros.drill.mailbox import Mailbox, spinning
from posenet_ros.drill.robot import RobotNode
from posenet_ros.errors import TransformError
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.nodes.conversions import stamp_ns
from posenet_ros.nodes.transform_buffer import TransformBuffer
from posenet_ros.nodes.transforms import static_tf_qos, tf_qos
from posenet_ros.recovery.rehearsal.floor import Spot
import pytest
import rclpy
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image

tf2 = pytest.importorskip('tf2_msgs.msg')


@pytest.fixture
def robot(ros, small):
    return RobotNode(small.camera, small.robot.base_from_camera)


@pytest.fixture
def listener(ros):
    return rclpy.create_node('listener')


def test_transforms_go_from_odometry_to_the_camera(robot, listener, small, until):
    buffer = TransformBuffer()
    robot.move(0, Spot(9, 9, 9).pose('odom', 'base'), Spot(0, 0, 0).pose('map', 'base'))
    # Late, as a node that is started after the robot.
    for topic, qos, static in (('/tf', tf_qos(), False), ('/tf_static', static_tf_qos(), True)):
        listener.create_subscription(
            tf2.TFMessage,
            topic,
            lambda said, static=static: [
                buffer.put(each, static=static) for each in said.transforms
            ],
            qos,
        )
    stamps_ns = iter(range(NS_PER_S, 1000 * NS_PER_S, 20_000_000))
    sent_ns: list[int] = []

    def drive() -> None:
        sent_ns.append(next(stamps_ns))
        along = Spot(sent_ns[-1] / NS_PER_S, 0, math.pi / 2)
        robot.move(sent_ns[-1], along.pose('odom', 'base'), along.pose('map', 'base'))

    def found() -> tuple[int, Pose] | None:
        # Between two stamps, as an image is.
        at_ns = sent_ns[-2] - 10_000_000 if len(sent_ns) > 2 else 0
        try:
            return at_ns, buffer.look_up('odom', 'camera_optical_frame', at_ns)
        except TransformError:
            return None

    with spinning([robot, listener], Mailbox()):
        at_ns, pose = until(found, drive)
    lever = small.robot
    # The robot faces +y: its camera is ahead along y, and to the left against x.
    expected = [at_ns / NS_PER_S - lever.camera_left, lever.camera_forward, lever.camera_up]
    np.testing.assert_allclose(pose.translation, expected, atol=1e-6)
    looking = pose.rotation.apply([0, 0, 1])
    assert looking[1] == pytest.approx(math.cos(lever.camera_pitch))


def test_images_come_with_their_camera_and_the_clock(robot, listener, small, until):
    images, infos, clocks = [], [], []
    listener.create_subscription(Image, 'image', images.append, qos_profile_sensor_data)
    listener.create_subscription(CameraInfo, 'camera_info', infos.append, qos_profile_sensor_data)
    listener.create_subscription(Clock, '/clock', clocks.append, 10)
    rgb = np.arange(small.height * small.width * 3, dtype=np.uint8)
    rgb = rgb.reshape(small.height, small.width, 3)

    def show() -> None:
        robot.tell_time(7 * NS_PER_S + 5)
        robot.show(7 * NS_PER_S + 5, rgb)

    with spinning([robot, listener], Mailbox()):
        until(lambda: images and infos and clocks, show)
        assert robot.watchers == 1
    image, info = images[0], infos[0]
    assert stamp_ns(image.header.stamp) == stamp_ns(info.header.stamp) == 7 * NS_PER_S + 5
    assert stamp_ns(clocks[0].clock) == 7 * NS_PER_S + 5
    assert (image.encoding, image.width, image.height) == ('rgb8', small.width, small.height)
    np.testing.assert_array_equal(np.asarray(image.data).reshape(rgb.shape), rgb)
    np.testing.assert_allclose(np.reshape(info.k, (3, 3)), small.camera.matrix)
    assert image.header.frame_id == info.header.frame_id == 'camera_optical_frame'
