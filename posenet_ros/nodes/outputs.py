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

"""What the node publishes of an answer: the pose, its covariance, the transform, the trail."""

from __future__ import annotations

from collections import deque
import threading

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped, TransformStamped
from nav_msgs.msg import Path
from posenet_ros.geometry import Pose
from posenet_ros.nodes.body import Placed
from posenet_ros.nodes.conversions import pose_stamped, pose_with_covariance, transform_stamped
from posenet_ros.nodes.transforms import make_broadcaster
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions


def _create(node: LifecycleNode, kind: type, topic: str) -> LifecyclePublisher:
    # A profile for each: rclpy writes what is overridden into the one that it is given.
    return node.create_lifecycle_publisher(
        kind,
        topic,
        QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE),
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
    )


class _Poses:
    """A kind of poses: a topic of them, and one of them with their covariances."""

    def __init__(self, node: LifecycleNode, topic: str) -> None:
        self._pose = _create(node, PoseStamped, topic)
        self._with_covariance = _create(
            node, PoseWithCovarianceStamped, f'{topic}_with_covariance'
        )

    def publish(self, placed: Placed, stamp: Time, frame: str) -> PoseStamped:
        """Publish a pose on both topics, and return it as it went out."""
        pose, covariance = placed
        message = pose_stamped(pose, stamp, frame)
        self._pose.publish(message)
        self._with_covariance.publish(pose_with_covariance(pose, covariance, stamp, frame))
        return message


class Outputs:
    """
    The publishers of a node, there from its start so that nobody misses the first pose.

    Each kind of answer has topics of its own, since no message says of which kind its pose is.
    Transform and trail are of the network's alone: a verified pose comes after newer ones of
    these, and tf2 would have one frame jump between the two kinds.
    """

    def __init__(self, node: LifecycleNode) -> None:
        """Create the publishers; they stay silent until the node is active."""
        latched = QoSProfile(
            depth=1,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL,
        )
        self._answers = _Poses(node, '~/pose')
        self._verified = _Poses(node, '~/verified_pose')
        self._trail = node.create_lifecycle_publisher(Path, '~/trail', latched)
        self._broadcast = make_broadcaster(node)
        self._past: deque[PoseStamped] = deque()
        self._past_lock = threading.Lock()

    @property
    def can_broadcast(self) -> bool:
        """Whether tf2_msgs is installed."""
        return self._broadcast is not None

    def publish(self, placed: Placed, stamp: Time, *, map_frame: str) -> None:
        """Publish the network's answer, with the stamp of its image."""
        message = self._answers.publish(placed, stamp, map_frame)
        with self._past_lock:
            self._past.append(message)

    def broadcast(self, pose: Pose, stamp: Time, *, parent: str, child: str) -> None:
        """Broadcast a pose as the transform parent -> child, where tf2_msgs is installed."""
        self.send_transform(transform_stamped(pose, stamp, parent=parent, child=child))

    def send_transform(self, transform: TransformStamped) -> None:
        """Broadcast a transform, where tf2_msgs is installed."""
        if self._broadcast is not None:
            self._broadcast(transform)

    def publish_verified(self, placed: Placed, stamp: Time, *, map_frame: str) -> None:
        """Publish a verified pose with the stamp of its image."""
        self._verified.publish(placed, stamp, map_frame)

    def publish_trail(self, length: int) -> None:
        """Publish the newest poses as a path, where somebody looks at it."""
        with self._past_lock:
            while len(self._past) > length:
                self._past.popleft()
            poses = list(self._past)
        if poses and self._trail.get_subscription_count() > 0:
            self._trail.publish(Path(header=poses[-1].header, poses=poses))

    def clear(self) -> None:
        """Forget the trail."""
        with self._past_lock:
            self._past.clear()
