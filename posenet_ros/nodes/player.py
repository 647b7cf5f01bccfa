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

"""A recording, published again: the same bytes, in the same order, at its own pace."""

from __future__ import annotations

from collections.abc import Collection, Iterator
import time

from builtin_interfaces.msg import Time
from posenet_ros.data.bags import Qos, Recording
from posenet_ros.errors import InterfaceError
from posenet_ros.geometry import NS_PER_S
from posenet_ros.nodes.conversions import stamp_message
from posenet_ros.nodes.interfaces import message_type
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

_CLOCK_PERIOD_S = 0.01
_POLL_S = 0.05
_BEST_EFFORT_GRACE_S = 0.5


def publisher_qos(recorded: Qos) -> QoSProfile:
    """Return the profile to offer for a topic as it was recorded."""
    latched, reliable = recorded.transient_local, recorded.reliable
    return QoSProfile(
        history=HistoryPolicy.KEEP_ALL if recorded.keep_all else HistoryPolicy.KEEP_LAST,
        depth=recorded.depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


class Player:
    """
    Publishers for the topics of a recording, and the pace to use them at.

    A topic whose message type is not installed is left out and listed in `left_out` (topic ->
    type). With `clock` the time of recording goes out on /clock, for nodes with use_sim_time.
    """

    def __init__(
        self, node: Node, recording: Recording, topics: Collection[str], *, clock: bool
    ) -> None:
        """Offer the topics; raise InterfaceError where none of their types is installed."""
        self._recording = recording
        self._publishers: dict[str, Publisher] = {}
        self.left_out: dict[str, str] = {}
        for topic in sorted(topics):
            kind = message_type(recording.topics[topic])
            if kind is None:
                self.left_out[topic] = recording.topics[topic]
                continue
            qos = publisher_qos(recording.qos(topic))
            self._publishers[topic] = node.create_publisher(kind, topic, qos)
        if not self._publishers:
            raise InterfaceError(
                f'nothing to replay: no message package is installed for {", ".join(topics)}'
            )
        self._clock = node.create_publisher(Clock, '/clock', 1) if clock else None

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are played, by their names in the recording."""
        return tuple(self._publishers)

    def name_of(self, topic: str) -> str:
        """Return the name under which a topic goes out, after remapping."""
        return self._publishers[topic].topic_name

    @property
    def message_count(self) -> int:
        """How many messages one pass publishes."""
        return sum(map(self._recording.count, self._publishers))

    def wait_for_subscribers(self, count: int, topics: Collection[str], timeout_s: float) -> None:
        """Wait until each of the topics has so many; raise InterfaceError after the timeout."""
        end = time.monotonic() + timeout_s
        for topic in topics:
            while (present := self._publishers[topic].get_subscription_count()) < count:
                if time.monotonic() > end:
                    raise InterfaceError(
                        f'{self.name_of(topic)} has {present} of {count} subscribers after '
                        f'{timeout_s:.0f} s'
                    )
                time.sleep(_POLL_S)

    def play(self, rate: float) -> Iterator[str]:
        """Publish everything once, `rate` times as fast as recorded; yield each topic sent."""
        start_ns, first_ns = time.monotonic_ns(), self._recording.start_ns
        for topic, _, recorded_ns, cdr in self._recording.messages(self._publishers):
            due_ns = start_ns + int((recorded_ns - first_ns) / rate)
            while (wait_ns := due_ns - time.monotonic_ns()) > 0:
                self._tell_time(recorded_ns - int(wait_ns * rate))
                wait_s = wait_ns / NS_PER_S
                time.sleep(min(wait_s, _CLOCK_PERIOD_S) if self._clock else wait_s)
            self._tell_time(recorded_ns)
            self._publishers[topic].publish(bytes(cdr))
            yield topic

    def _tell_time(self, nanoseconds: int) -> None:
        if self._clock is not None:
            now: Time = stamp_message(nanoseconds)
            self._clock.publish(Clock(clock=now))

    def finish(self, timeout_s: float) -> None:
        """
        Wait until the reliable subscribers have acknowledged everything, `timeout_s` at most.

        Best effort has no acknowledgement: what was sent in the last moment gets a moment to
        arrive, since a reader drops what it has not taken when the writer vanishes.
        """
        end = time.monotonic() + timeout_s
        for publisher in self._publishers.values():
            left_s = max(end - time.monotonic(), 0.0)
            publisher.wait_for_all_acked(Duration(seconds=left_s))
        if any(map(self._sent_best_effort, self._publishers.values())):
            time.sleep(_BEST_EFFORT_GRACE_S)

    @staticmethod
    def _sent_best_effort(publisher: Publisher) -> bool:
        qos = publisher.qos_profile
        return qos.reliability == ReliabilityPolicy.BEST_EFFORT and bool(
            publisher.get_subscription_count()
        )
