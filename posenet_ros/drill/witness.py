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

"""What the node under test says, heard as any other node hears it."""

from __future__ import annotations

from collections.abc import Callable
import importlib
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from posenet_ros.drill.mailbox import Mailbox
from posenet_ros.drill.pace import Pace
from posenet_ros.geometry import Pose
from posenet_ros.nodes.conversions import pose_from_message, stamp_ns, transform_parts
from posenet_ros.nodes.transforms import tf_qos
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.simulation.messages import FRAMES
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

NODE = '/posenet'
# Answers that did not come within this are of nobody's interest any more.
_FORGOTTEN = 200


class Witness(Node):
    """Tells what is heard to whom it concerns, and keeps the newest values of /diagnostics."""

    def __init__(
        self,
        mailbox: Mailbox,
        pace: Pace,
        *,
        changed: Callable[[str, str], object],
        placed: Callable[[int, Spot], object],
        moved: Callable[[Spot], object] | None,
    ) -> None:
        """
        Take whom to tell of how long answers take, and what to call for what is heard.

        That is `changed` for states with their reason, `placed` for poses of images with their
        stamps, and `moved` for map -> odom, where it is wanted.
        """
        super().__init__('witness')
        self._pace = pace
        self._changed, self._placed, self._moved = changed, placed, moved
        self._sent_s: dict[int, float] = {}
        self.answered_ns = 0
        self.last_sent_ns, self.last_sent_s = 0, 0.0
        self.values: dict[str, str] = {}
        any_qos = QoSProfile(depth=20, reliability=ReliabilityPolicy.BEST_EFFORT)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        for kind, topic, handle, qos in (
            (PoseStamped, f'{NODE}/pose', self._answer, any_qos),
            (PoseStamped, f'{NODE}/verified_pose', self._verified, any_qos),
            (String, f'{NODE}/state', self._state, latched),
            (DiagnosticArray, '/diagnostics', self._diagnostics, 10),
        ):
            self.create_subscription(kind, topic, mailbox.into(handle), qos)
        if moved is not None:
            tf_message = importlib.import_module('tf2_msgs.msg').TFMessage
            self.create_subscription(tf_message, '/tf', mailbox.into(self._transforms), tf_qos())

    def sent(self, image_ns: int) -> None:
        """Note that an image was sent just now."""
        self.last_sent_ns, self.last_sent_s = image_ns, time.monotonic()
        self._sent_s[image_ns] = self.last_sent_s
        while len(self._sent_s) > _FORGOTTEN:
            del self._sent_s[next(iter(self._sent_s))]

    def _answer(self, message: PoseStamped) -> None:
        at_ns = stamp_ns(message.header.stamp)
        self.answered_ns = max(self.answered_ns, at_ns)
        if at_ns in self._sent_s:
            self._pace.answered(time.monotonic() - self._sent_s[at_ns])
        self._placed(at_ns, Spot.of(pose_from_message(message.pose, target='map', source='base')))

    def _verified(self, message: PoseStamped) -> None:
        sent_s = self._sent_s.get(stamp_ns(message.header.stamp))
        if sent_s is not None:
            self._pace.verified(time.monotonic() - sent_s)

    def _state(self, message: String) -> None:
        state, _, reason = message.data.partition(':')
        self._changed(state.strip(), reason.strip())

    def _diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.values = {each.key: each.value for each in status.values}

    def _transforms(self, message: Any) -> None:
        for each in message.transforms:
            if (each.header.frame_id, each.child_frame_id) != ('map', FRAMES['odom']):
                continue
            translation, quaternion = transform_parts(each.transform)
            pose = Pose.from_quaternion(
                **quaternion._asdict(), translation=translation, target='map', source='odom'
            )
            if self._moved is not None:
                self._moved(Spot.of(pose))
