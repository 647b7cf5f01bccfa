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

"""To and from a localizer that runs beside us: what it believes, and where it is set to."""

from __future__ import annotations

from typing import Protocol

from geometry_msgs.msg import PoseWithCovarianceStamped
from posenet_ros.errors import InterfaceError
from posenet_ros.nodes.conversions import pose_with_covariance, stamp_message
from posenet_ros.nodes.odometry_input import OdometryInput
from posenet_ros.recovery import (
    acceptable_covariance,
    Belief,
    Fix,
    objections,
    OdometryBuffer,
    Watch,
)
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.task import Future
from std_srvs.srv import Empty


class RunningLocalizer(Protocol):
    """What keeps map -> odom and can be set to a fix: another node, or this one itself."""

    map_frame: str

    @property
    def listeners(self) -> int:
        """How many listen to where they are set; at least one must."""
        ...

    def belief(self, odometry: OdometryBuffer, now_ns: int) -> Belief | None:
        """Return where it has the robot, None where it says nothing."""
        ...

    def send(self, fix: Fix, watch: Watch) -> str:
        """Set it to a fix and say what was done; raise InterfaceError where nothing was."""
        ...

    def ask_for_update(self) -> None:
        """Have it take a look although the robot stands."""
        ...

    def follow(self, fix: Fix) -> None:
        """Tell it of a fix that agrees with it."""
        ...


class LocalizerLink:
    """
    Another node: AMCL, slam_toolbox or robot_localization.

    It believes what it broadcasts. It is set by `initialpose`, and AMCL's
    `request_nomotion_update` is called without waiting for it. All methods are called in the
    executor's thread.
    """

    def __init__(self, node: LifecycleNode, odometry: OdometryInput) -> None:
        """Create publisher and client; nothing goes out before the node is active."""
        self.map_frame = ''
        self._odometry = odometry
        self._pose = node.create_lifecycle_publisher(
            PoseWithCovarianceStamped,
            'initialpose',
            QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._update = node.create_client(Empty, 'request_nomotion_update')
        self._asked: Future | None = None

    @property
    def listeners(self) -> int:
        """How many subscribe to the initial pose."""
        return self._pose.get_subscription_count()

    def belief(self, odometry: OdometryBuffer, now_ns: int) -> Belief | None:
        """Return where it has the robot by its transform, None where it broadcasts none."""
        return self._odometry.belief(odometry, now_ns)

    def send(self, fix: Fix, watch: Watch) -> str:
        """
        Publish a fix as the initial pose, moved by odometry to the present, and say so.

        Some localizers take an initial pose for that of now, whatever its stamp. Raises
        InterfaceError, with the reason, for one that AMCL would refuse.
        """
        pose, covariance, stamp_ns = fix.map_from_base, fix.covariance, fix.stamp_ns
        newest = watch.odometry.newest
        if newest is not None and newest.epoch == fix.reading.epoch:
            drift = watch.options.drift
            pose, covariance = drift.moved(pose, covariance, fix.reading, newest)
            stamp_ns = newest.stamp_ns
        covariance, frame = acceptable_covariance(covariance), self.map_frame
        said = objections(pose.quaternion(), covariance)
        if said:
            raise InterfaceError(f'no initial pose, since AMCL would refuse it: {"; ".join(said)}')
        self._pose.publish(pose_with_covariance(pose, covariance, stamp_message(stamp_ns), frame))
        return f'{self._pose.topic_name}: {fix.text()}'

    def follow(self, fix: Fix) -> None:
        """Do nothing: it has a laser of its own."""

    def ask_for_update(self) -> None:
        """Have AMCL take a scan although the robot stands; nothing where nobody offers it."""
        if self._asked is not None and not self._asked.done():
            # Nobody answered the last one: rclpy would keep it for ever.
            self._update.remove_pending_request(self._asked)
        self._asked = None
        if self._update.service_is_ready():
            self._asked = self._update.call_async(Empty.Request())
