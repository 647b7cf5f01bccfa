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

"""Two robots on one network: a node each, in processes of their own."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from posenet_ros.geometry import NS_PER_S
from posenet_ros.nodes.conversions import stamp_ns
import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool

FAKE_NODE = str(Path(__file__).with_name('fake_node.py'))
ROBOTS = ('robot1', 'robot2')
START_NS = 1_700_000_000 * NS_PER_S
HAS_TF = importlib.util.find_spec('tf2_msgs') is not None

PARAMETERS = """
/robot1/posenet:
  ros__parameters:
    map_frame: first_floor
    camera_frame: robot1/posenet_camera
/robot2/posenet:
  ros__parameters:
    map_frame: second_floor
    camera_frame: robot2/posenet_camera
"""


class Robot:
    """A node in a namespace, its camera, and what it says."""

    def __init__(self, graph, command, make_image, file, name):
        self.graph, self.name, self.make_image = graph, name, make_image
        image = f'/{name}/front/image_raw'
        self.process = command(
            *(FAKE_NODE, 'ok', '--ros-args', '-r', f'__ns:=/{name}', '-r', f'image:={image}'),
            *('--params-file', str(file)),
        )
        self.poses = graph.listen(PoseStamped, f'/{name}/posenet/pose')
        self.camera = graph.node.create_publisher(Image, image, qos_profile_sensor_data)

    def until_active(self):
        self.process.until_says('active: images from')
        self.graph.until(lambda: self.camera.get_subscription_count() == 1)
        topic = f'/{self.name}/posenet/pose'
        self.graph.until(lambda: self.graph.node.count_publishers(topic) == 1)

    def answer(self, stamp):
        """Send an image until its pose is there: a publisher may not know us yet."""

        def answered():
            self.camera.publish(self.make_image(stamp))
            return stamp in self.stamps()

        self.graph.until(answered)

    def stamps(self):
        return {stamp_ns(message.header.stamp) for message in self.poses}

    def enable(self, wanted):
        request = SetBool.Request(data=wanted)
        return self.graph.call(SetBool, f'/{self.name}/posenet/enable', request)


@pytest.fixture
def robots(graph, command, make_image, tmp_path):
    file = tmp_path / 'fleet.yaml'
    file.write_text(PARAMETERS)
    started = [Robot(graph, command, make_image, file, name) for name in ROBOTS]
    for robot in started:
        robot.until_active()
    return started


def test_two_robots_answer_their_own_images_and_nobody_elses(graph, robots):
    diagnostics = graph.listen(DiagnosticArray, '/diagnostics')
    transforms = []
    if HAS_TF:
        from tf2_msgs.msg import TFMessage

        transforms = graph.listen(TFMessage, '/tf')
    one, other = robots
    one.answer(START_NS + 1)
    other.answer(START_NS + 2)
    assert (one.stamps(), other.stamps()) == ({START_NS + 1}, {START_NS + 2})
    assert {message.header.frame_id for message in one.poses} == {'first_floor'}
    assert {message.header.frame_id for message in other.poses} == {'second_floor'}
    names = {f'{name}/posenet: relocalization' for name in ROBOTS}
    graph.until(lambda: {each.status[0].name for each in diagnostics} == names)

    # One is paused, and the other goes on.
    assert one.enable(False).success
    graph.until(lambda: one.camera.get_subscription_count() == 0)
    other.answer(START_NS + 3)
    one.camera.publish(one.make_image(START_NS + 4))
    other.answer(START_NS + 5)
    assert one.stamps() == {START_NS + 1}

    def edges():
        return {
            (each.header.frame_id, each.child_frame_id)
            for message in transforms
            for each in message.transforms
        }

    if HAS_TF:
        expected = {
            ('first_floor', 'robot1/posenet_camera'),
            ('second_floor', 'robot2/posenet_camera'),
        }
        graph.until(lambda: edges() == expected)
    for robot in robots:
        assert robot.process.stop() == 0
