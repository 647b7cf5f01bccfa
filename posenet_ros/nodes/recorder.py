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

"""A listener to a pose topic that also measures how long a pose takes from its image."""

from __future__ import annotations

from collections.abc import Callable
import struct
import time

from geometry_msgs.msg import PoseStamped
from posenet_ros.errors import GeometryError, InterfaceError
from posenet_ros.geometry import NS_PER_S, Trajectory
from posenet_ros.nodes.conversions import pose_from_message, stamp_ns
from posenet_ros.nodes.pose_log import PoseLog
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image

_POLL_S = 0.1
# Images that never get a pose are forgotten beyond this many.
_IMAGES_KEPT = 5000


def stamp_of_cdr(message: bytes) -> int:
    """
    Return the stamp in ns of a serialized message that begins with a std_msgs/Header.

    Reads 8 bytes after CDR's 4 of encapsulation, whose second tells the byte order: a whole
    image need not become an object for that.
    """
    order = '<' if message[1] & 1 else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', message, 4)
    return seconds * NS_PER_S + nanoseconds


class PoseRecorder(Node):
    """
    Keep every pose of a topic, and when it and its image arrived, on the monotonic clock.

    `stop` is called with None when no pose has come for `until_silent_s` seconds after one did.
    """

    def __init__(
        self,
        topic: str,
        *,
        image_topic: str | None,
        until_silent_s: float | None,
        stop: Callable[[BaseException | None], None],
    ) -> None:
        """Subscribe to the poses and, to measure latency, to the images by their stamps alone."""
        super().__init__('posenet_record')
        self._stop = stop
        self._until_silent_s = until_silent_s
        self.log = PoseLog()
        self._last_ns = 0
        self._images_ns: dict[int, int] = {}
        subscription = self.create_subscription(
            PoseStamped,
            topic,
            self._on_pose,
            QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._topic = subscription.topic_name
        if image_topic is not None:
            kind = CompressedImage if image_topic.endswith('/compressed') else Image
            qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
            self.create_subscription(kind, image_topic, self._on_image, qos, raw=True)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_POLL_S, self._look_for_silence, clock=steady)
        self.get_logger().info(f'waiting for poses on {self._topic}')

    def close(self) -> bool:
        """Nothing runs besides the executor."""
        return True

    def _on_image(self, message: bytes) -> None:
        self._images_ns[stamp_of_cdr(message)] = time.monotonic_ns()
        if len(self._images_ns) > _IMAGES_KEPT:
            self._images_ns.pop(next(iter(self._images_ns)))

    def _on_pose(self, message: PoseStamped) -> None:
        now_ns = time.monotonic_ns()
        frame = message.header.frame_id or 'map'
        try:
            pose = pose_from_message(message.pose, target=frame, source='camera')
        except GeometryError as error:
            self.log.count_no_pose()
            self.get_logger().warning(f'left out: {error}', throttle_duration_sec=5.0)
            return
        if frame not in self.log.frames:
            self._tell_of_frame(frame)
        stamp = stamp_ns(message.header.stamp)
        self.log.add(stamp, pose, now_ns=now_ns, image_ns=self._images_ns.pop(stamp, None))
        self._last_ns = now_ns

    def _tell_of_frame(self, frame: str) -> None:
        if self.log.frames:
            known = ', '.join(self.log.frames)
            self.get_logger().warning(f'a pose in frame {frame}; those so far were in {known}')
        else:
            self.get_logger().info('the first pose is here; Ctrl-C ends the recording')

    def _look_for_silence(self) -> None:
        if self._until_silent_s is None or not self.log:
            return
        if time.monotonic_ns() - self._last_ns > self._until_silent_s * NS_PER_S:
            self._stop(None)

    def trajectory(self) -> Trajectory:
        """Return the poses by their stamps; raise InterfaceError where none came."""
        if self.log:
            return self.log.trajectory()
        if unusable := sum(self.log.left_out().values()):
            raise InterfaceError(f'none of {unusable} messages on {self._topic} holds a pose')
        raise InterfaceError(
            f'no pose came on {self._topic}; is the node active, and are there images?'
        )

    def statistics(self) -> dict[str, object]:
        """Return the topic and what the log says of it as plain values, for JSON."""
        return {'topic': self._topic, **self.log.statistics()}
