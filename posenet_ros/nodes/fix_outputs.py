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

"""What a robot may act on, published: the fix, and the state with its reason."""

from __future__ import annotations

from geometry_msgs.msg import PoseWithCovarianceStamped
from posenet_ros.nodes.conversions import pose_with_covariance, stamp_message
from posenet_ros.nodes.diagnostics import without_figures
from posenet_ros.recovery import Fix
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_msgs.msg import String


class FixOutputs:
    """
    The topics `~/fix` and `~/state`.

    Each fix goes out once, and the state when its words change: figures move all the while. The
    state is told in every state of the life cycle, since "nobody watches" is one of them.
    """

    def __init__(self, node: LifecycleNode) -> None:
        """Create the publishers."""
        overridable = QoSOverridingOptions.with_default_policies()
        self._fix = node.create_lifecycle_publisher(
            PoseWithCovarianceStamped,
            '~/fix',
            QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE),
            qos_overriding_options=overridable,
        )
        latched = QoSProfile(
            depth=1,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL,
        )
        self._state = node.create_publisher(String, '~/state', latched)
        self._told = ''
        self._newest_ns: int | None = None

    def publish(self, fix: Fix, map_frame: str) -> None:
        """Publish a fix, unless it is the last one still."""
        if fix.stamp_ns == self._newest_ns:
            return
        self._newest_ns = fix.stamp_ns
        stamp = stamp_message(fix.stamp_ns)
        self._fix.publish(
            pose_with_covariance(fix.map_from_base, fix.covariance, stamp, map_frame)
        )

    def tell_state(self, text: str) -> None:
        """Publish a state with its reason, where it says another thing than before."""
        words = without_figures(text)
        if words != self._told:
            self._told = words
            self._state.publish(String(data=text))
