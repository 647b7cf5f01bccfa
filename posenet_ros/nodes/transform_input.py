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

"""/tf and /tf_static: what is broadcast there, looked up, and by how many."""

from __future__ import annotations

from collections.abc import Collection, Mapping
import importlib
import importlib.util
import time
from typing import Any, Protocol

from posenet_ros.data.transforms import plain
from posenet_ros.errors import GeometryError, TransformError
from posenet_ros.geometry import Pose
from posenet_ros.nodes.authority import AuthorityWatch
from posenet_ros.nodes.tf2_buffer import make_buffer
from posenet_ros.nodes.transform_buffer import Sample, Transforms
from posenet_ros.nodes.transforms import static_tf_qos, tf_qos
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

# Of a gid, what endpoints and messages tell alike: older rclpy pads the former.
_GID_BYTES = 16


class Hears(Protocol):
    """What is told of each transform that was heard."""

    def __call__(self, sample: Sample, *, static: bool) -> None:
        """Take it; the buffer has it already."""
        ...


class TransformInput:
    """
    The subscriptions to /tf and /tf_static, there while somebody needs them.

    Hearing all of /tf costs a robot with many joints some of its CPU, so it is left alone until
    `subscribe`. Any thread may look transforms up.
    """

    def __init__(self, node: LifecycleNode, buffer: Transforms | None = None) -> None:
        """Take the node to subscribe with, and what to fill in place of the usual buffer."""
        self._node = node
        self._buffer = make_buffer() if buffer is None else buffer
        self._authority = AuthorityWatch()
        self._subscriptions: list[Subscription] = []
        self._refused: dict[str, str] = {}
        # Who else wants to hear of each, in the executor's thread.
        self.on_sample: Hears | None = None

    @property
    def can_listen(self) -> bool:
        """Whether tf2_msgs is installed."""
        return importlib.util.find_spec('tf2_msgs') is not None

    def subscribe(self) -> None:
        """Subscribe, once; nothing is heard where tf2_msgs is missing."""
        if self._subscriptions or not self.can_listen:
            return
        self._listen('/tf', tf_qos(), static=False)
        self._listen('/tf_static', static_tf_qos(), static=True)

    def _listen(self, topic: str, qos: QoSProfile, *, static: bool) -> None:
        def receive(message: Any, info: Mapping[str, Any]) -> None:
            self._receive(message, info, static=static)

        def receive_alone(message: Any) -> None:
            self._receive(message, {}, static=static)

        self._subscriptions.append(
            self._node.create_subscription(
                importlib.import_module('tf2_msgs.msg').TFMessage,
                topic,
                # By two arguments rclpy knows that we want to hear of the publisher; Humble's
                # calls with one, whatever is asked for.
                receive if hasattr(Subscription, 'CallbackType') else receive_alone,
                qos,
                qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            )
        )

    def unsubscribe(self) -> None:
        """Unsubscribe, and forget what moves; nothing where it is not subscribed."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
        self.clear()

    def clear(self) -> None:
        """Forget what moves: it belongs to another time."""
        self._buffer.clear()
        self._authority.clear()
        self._refused.clear()

    def _receive(self, message: Any, info: Mapping[str, Any], *, static: bool) -> None:
        gid = info.get('publisher_gid') or {}
        publisher = bytes(gid.get('data', b''))[:_GID_BYTES]
        now_ns = time.monotonic_ns()
        for transform in message.transforms:
            try:
                sample = self._buffer.put(transform, static=static)
            except GeometryError as error:
                self._refused[plain(transform.child_frame_id)] = str(error)
                continue
            self._refused.pop(sample.child, None)
            self._authority.heard(sample, static=static, publisher=publisher, now_ns=now_ns)
            if self.on_sample is not None:
                self.on_sample(sample, static=static)

    def look_up(self, target: str, source: str, at_ns: int | None = None) -> Pose:
        """
        Return `target_from_source` at a stamp, or the newest known.

        Raises TransformError, with the frames and what is missing between them.
        """
        try:
            return self._buffer.look_up(target, source, at_ns)
        except TransformError as error:
            if not self.can_listen:
                raise TransformError(
                    f'no transform {target} <- {source}: tf2_msgs is not installed'
                ) from error
            raise

    def conflicts(self, frames: Collection[str]) -> list[str]:
        """
        Return, a line each, what is wrong with some frames and with all above them.

        That is what two broadcasters claim, and what was heard of a frame and is no transform.
        """
        refused = [text for child, text in self._refused.items() if child in frames]
        now_ns = time.monotonic_ns()
        return refused + self._authority.conflicts(frames, now_ns, self._publishers())

    def _publishers(self) -> dict[bytes, str]:
        """Return the nodes that broadcast, by the gids of their publishers."""
        return {
            bytes(info.endpoint_gid)[:_GID_BYTES]: f'{info.node_namespace.rstrip("/")}/'
            f'{info.node_name}'
            for subscription in self._subscriptions
            for info in self._node.get_publishers_info_by_topic(subscription.topic_name)
        }
