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
The broadcaster of transforms: a publisher of tf2_msgs/TFMessage, which is all that TF takes.

tf2_msgs is part of every ROS 2 installation, but is not among the packages on PyPI.
"""

from __future__ import annotations

from collections.abc import Callable
import importlib
import importlib.util

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy


def tf_qos() -> QoSProfile:
    """Return what tf2_ros has on /tf; a new one each time, since rclpy overrides in place."""
    return QoSProfile(
        depth=100, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.VOLATILE
    )


def static_tf_qos() -> QoSProfile:
    """Return that of /tf_static, which is said once and heard by who comes later."""
    qos = tf_qos()
    qos.durability = DurabilityPolicy.TRANSIENT_LOCAL
    return qos


def make_broadcaster(node: Node) -> Callable[[TransformStamped], None] | None:
    """Return a function that broadcasts a transform on /tf, or None where tf2_msgs is missing."""
    if importlib.util.find_spec('tf2_msgs') is None:
        return None
    message_type = importlib.import_module('tf2_msgs.msg').TFMessage
    publisher = node.create_publisher(message_type, '/tf', tf_qos())
    return lambda transform: publisher.publish(message_type(transforms=[transform]))
