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

"""The image topic: subscribed as sensors offer it, and explained when it stays silent."""

from __future__ import annotations

from collections.abc import Callable
import time

from posenet_ros.geometry import NS_PER_S
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

_TYPES = {'raw': Image, 'compressed': CompressedImage}
_TYPE_NAMES = {'sensor_msgs/msg/Image': 'raw', 'sensor_msgs/msg/CompressedImage': 'compressed'}


def newest_only() -> QoSProfile:
    """Return sensor-data QoS of depth 1: best effort hears reliable publishers as well."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT
    )


class ImageInput:
    """The subscription to the images, there while the node is active."""

    def __init__(
        self, node: LifecycleNode, on_image: Callable[[Image | CompressedImage], None]
    ) -> None:
        """Take the node to subscribe with and what to call for each image."""
        self._node = node
        self._on_image = on_image
        self._subscription: Subscription | None = None
        self._transport = 'raw'
        self._last_ns = 0

    @property
    def topic(self) -> str:
        """The full name of the topic, after remapping; empty while unsubscribed."""
        return self._subscription.topic_name if self._subscription else ''

    def subscribe(self, transport: str) -> None:
        """Subscribe: to `image`, or to what image_transport makes of it."""
        # Remapping is of the base name: image:=/camera/image_raw means .../image_raw/compressed.
        base = self._node.resolve_topic_name('image')
        self._transport = transport
        self._last_ns = time.monotonic_ns()
        self._subscription = self._node.create_subscription(
            _TYPES[transport],
            base if transport == 'raw' else f'{base}/{transport}',
            self._receive,
            newest_only(),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def unsubscribe(self) -> None:
        """Unsubscribe; nothing where it is not subscribed."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _receive(self, message: Image | CompressedImage) -> None:
        self._last_ns = time.monotonic_ns()
        self._on_image(message)

    def silence(self, timeout_s: float) -> str:
        """Return why no image came for longer than the timeout, or '' where one did."""
        silent_s = (time.monotonic_ns() - self._last_ns) / NS_PER_S
        if self._subscription is None or silent_s <= timeout_s:
            return ''
        return f'no image on {self.topic} for {silent_s:.0f} s: {self._explanation()}'

    def _explanation(self) -> str:
        offered = {
            _TYPE_NAMES.get(info.topic_type, info.topic_type)
            for info in self._node.get_publishers_info_by_topic(self.topic)
        }
        if self._transport in offered:
            return 'it has a publisher that sends nothing'
        if offered:
            kind = ', '.join(sorted(offered))
            return f'its publisher sends {kind}, and image_transport is {self._transport}'
        present = [
            name
            for name, types in self._node.get_topic_names_and_types()
            if name != self.topic
            and any(_TYPE_NAMES.get(kind) for kind in types)
            and self._node.count_publishers(name)
        ]
        if f'{self.topic}/compressed' in present:
            return (
                f'only {self.topic}/compressed is published; set image_transport to compressed '
                '(-p image_transport:=compressed)'
            )
        if present:
            return f'nobody publishes it; there are images on {", ".join(sorted(present)[:8])}'
        return 'nobody publishes it, nor any other images'
