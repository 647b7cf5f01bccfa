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

"""The robot as its drivers have it in the ROS graph: camera, odometry, and the clock."""

from __future__ import annotations

from array import array
import importlib
import importlib.util

from geometry_msgs.msg import PoseStamped
import numpy as np
from posenet_ros.errors import InterfaceError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.nodes.conversions import pose_stamped, stamp_message, transform_stamped
from posenet_ros.nodes.transforms import make_broadcaster, static_tf_qos
from posenet_ros.simulation.messages import FRAMES
from posenet_ros.simulation.mipmaps import Texture
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header


class RobotNode(Node):
    """
    Publishes `image` and `camera_info` as sensors do, /tf, /tf_static, /clock, and `truth`.

    The last is where it really is, for those who look on. It has no time of its own: each message
    goes out when it is told to.
    """

    def __init__(self, camera: Camera, base_from_camera: Pose) -> None:
        """Offer the topics, and say where the camera sits; InterfaceError without tf2_msgs."""
        super().__init__('robot')
        broadcast = make_broadcaster(self)
        if broadcast is None or importlib.util.find_spec('tf2_msgs') is None:
            raise InterfaceError('tf2_msgs is not installed, and without it there is no /tf')
        self._broadcast = broadcast
        self._images = self.create_publisher(Image, 'image', qos_profile_sensor_data)
        self._infos = self.create_publisher(CameraInfo, 'camera_info', qos_profile_sensor_data)
        self._truth = self.create_publisher(PoseStamped, 'truth', 10)
        self._clock = self.create_publisher(Clock, '/clock', 1)
        self._info = _camera_info(camera)
        self._fix_camera(base_from_camera)

    def _fix_camera(self, base_from_camera: Pose) -> None:
        message_type = importlib.import_module('tf2_msgs.msg').TFMessage
        self._static = self.create_publisher(message_type, '/tf_static', static_tf_qos())
        placed = transform_stamped(
            base_from_camera, stamp_message(0), parent=FRAMES['base'], child=FRAMES['camera']
        )
        self._static.publish(message_type(transforms=[placed]))

    @property
    def watchers(self) -> int:
        """How many subscribe to the images."""
        return self._images.get_subscription_count()

    def tell_time(self, stamp_ns: int) -> None:
        """Publish what time it is."""
        self._clock.publish(Clock(clock=stamp_message(stamp_ns)))

    def move(self, stamp_ns: int, odom_from_base: Pose, map_from_base: Pose) -> None:
        """Publish odometry, and the truth."""
        stamp = stamp_message(stamp_ns)
        odom, base = FRAMES['odom'], FRAMES['base']
        self._broadcast(transform_stamped(odom_from_base, stamp, parent=odom, child=base))
        self._truth.publish(pose_stamped(map_from_base, stamp, 'map'))

    def show(self, stamp_ns: int, rgb: Texture) -> None:
        """Publish an image (RGB) with its CameraInfo."""
        height, width = rgb.shape[:2]
        header = Header(stamp=stamp_message(stamp_ns), frame_id=FRAMES['camera'])
        image = Image(header=header, height=height, width=width, encoding='rgb8', step=3 * width)
        image.data = array('B', rgb.tobytes())
        self._info.header = header
        self._infos.publish(self._info)
        self._images.publish(image)


def _camera_info(camera: Camera) -> CameraInfo:
    """Return the CameraInfo of a camera without distortion."""
    info = CameraInfo(width=camera.width, height=camera.height, distortion_model='plumb_bob')
    info.d = [0.0] * 5
    info.k = camera.matrix.ravel().tolist()
    info.r = np.eye(3).ravel().tolist()
    info.p = np.hstack([camera.matrix, np.zeros((3, 1))]).ravel().tolist()
    return info
