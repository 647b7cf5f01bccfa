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

"""
relocalize.launch.py beside a camera: poses, state, diagnostics, and a clean end.

A launch test, for `launch_test` (test_launched.py runs it so):

    launch_test test/nodes/launching/launched.py model:=FOLDER
"""

from __future__ import annotations

from pathlib import Path
import time
import unittest

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped, TransformStamped
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare
import launch_testing
from launch_testing.actions import ReadyToTest
from launch_testing.asserts import assertExitCodes
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

PATIENCE_S = 120.0
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
IMAGE_TOPIC = '/front/image_raw'


@pytest.mark.launch_test
def generate_test_description():
    """Start what a user starts, on a model that is given."""
    file = [FindPackageShare('posenet_ros'), 'launch', 'relocalize.launch.py']
    arguments = {
        'model': LaunchConfiguration('model'),
        'image': IMAGE_TOPIC,
        'base_frame': 'base_link',
        'recovery': 'advise',
    }
    included = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution(file)),
        launch_arguments=arguments.items(),
    )
    return LaunchDescription([DeclareLaunchArgument('model'), included, ReadyToTest()])


class WhileItRuns(unittest.TestCase):
    """A camera on a robot, and who listens to the node."""

    @classmethod
    def setUpClass(cls):
        rclpy.init()
        cls.node = rclpy.create_node('tester')
        cls.executor = SingleThreadedExecutor()
        cls.executor.add_node(cls.node)
        cls.camera = cls.node.create_publisher(Image, IMAGE_TOPIC, qos_profile_sensor_data)
        mounting = TransformStamped(child_frame_id='camera_optical')
        mounting.header.frame_id = 'base_link'
        mounting.transform.translation.x = 0.2
        cls.mount = cls.node.create_publisher(TFMessage, '/tf_static', LATCHED)
        cls.mount.publish(TFMessage(transforms=[mounting]))

    @classmethod
    def tearDownClass(cls):
        cls.executor.shutdown()
        cls.node.destroy_node()
        rclpy.try_shutdown()

    def listen(self, kind, topic, qos=10):
        """Subscribe, and return the list that fills."""
        heard = []
        subscription = self.node.create_subscription(kind, topic, heard.append, qos)
        self.addCleanup(self.node.destroy_subscription, subscription)
        return heard

    def until(self, happened):
        """Send images at the pace of a camera until something is true, and return it."""
        end = time.monotonic() + PATIENCE_S
        while not (result := happened()):
            self.assertLess(time.monotonic(), end, 'waited in vain')
            self.send()
            self.executor.spin_once(timeout_sec=0.1)
        return result

    def send(self):
        image = Image(height=72, width=96, encoding='rgb8', step=3 * 96)
        image.data = bytes(range(256)) * (3 * 96 * 72 // 256)
        image.header.frame_id = 'camera_optical'
        image.header.stamp = self.node.get_clock().now().to_msg()
        self.camera.publish(image)

    def test_images_become_poses_of_the_robot(self, proc_output):
        proc_output.assertWaitFor('active: images from /front/image_raw', timeout=PATIENCE_S)
        poses = self.listen(PoseStamped, '/posenet/pose')
        pose = self.until(lambda: poses and poses[-1])
        self.assertEqual(pose.header.frame_id, 'lab')

    def test_the_state_is_told_to_who_comes_late(self):
        states = self.listen(String, '/posenet/state', LATCHED)
        state = self.until(lambda: states and states[-1])
        # Without odometry there is nothing to watch the robot by.
        self.assertEqual(state.data.partition(':')[0], 'unknown')

    def test_the_diagnostics_count(self):
        heard = self.listen(DiagnosticArray, '/diagnostics')

        def counted():
            for status in (status for array in heard for status in array.status):
                values = {each.key: each.value for each in status.values}
                if status.name == 'posenet: relocalization' and int(values['published']) > 0:
                    return values
            return None

        values = self.until(counted)
        self.assertEqual(values['state'], 'active')
        self.assertEqual(Path(values['model']).name, 'run1_posenet')
        self.assertEqual(values['poses of'], 'base_link')


@launch_testing.post_shutdown_test()
class AfterItWasInterrupted(unittest.TestCase):
    """Launch has sent SIGINT by now."""

    def test_it_ended_well(self, proc_info):
        assertExitCodes(proc_info)
        self.assertEqual(len(list(proc_info)), 1)

    def test_it_said_so_without_a_traceback(self, proc_output):
        text = b''.join(each.text for each in proc_output)
        self.assertNotIn(b'Traceback', text)
