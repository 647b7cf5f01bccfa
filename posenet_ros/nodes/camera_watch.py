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

"""The camera that the images come from, compared with the one the model was trained on."""

from __future__ import annotations

from collections.abc import Callable
import time

from posenet_ros.data.camera_info import camera_from_info
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Camera, NS_PER_S
from posenet_ros.nodes.answering import Lens
from posenet_ros.nodes.camera_view import AS_IT_IS, Box, difference, View, view_of
from posenet_ros.nodes.image_input import newest_only
from rclpy.lifecycle import LifecycleNode
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo


class CameraWatch:
    """The subscription to `camera_info`, and what its newest message says."""

    def __init__(self, node: LifecycleNode) -> None:
        """Take the node to subscribe with."""
        self._node = node
        self._subscription: Subscription | None = None
        self._newest: CameraInfo | None = None
        self._subscribed_ns = 0
        self._trained: Camera | None = None
        self._looked_at: Callable[[int, int], Box] | None = None
        self._rectified = False
        self._size: tuple[int, int] | None = None

    def expect(self, trained: Camera | None, looked_at: Callable[[int, int], Box] | None) -> None:
        """
        Compare with the camera of training from now on, None where that is not known.

        `looked_at` returns which part of an image of some size (width, height) the network sees.
        """
        self._trained, self._looked_at = trained, looked_at

    def subscribe(self, *, rectified: bool) -> None:
        """
        Subscribe to `camera_info`.

        `rectified` images have the intrinsics of the message's `p`, and no distortion.
        """
        self._rectified = rectified
        self._newest = self._size = None
        self._subscribed_ns = time.monotonic_ns()
        self._subscription = self._node.create_subscription(
            CameraInfo,
            'camera_info',
            self._receive,
            newest_only(),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def unsubscribe(self) -> None:
        """Unsubscribe; nothing where it is not subscribed."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
        self._newest = None

    def _receive(self, message: CameraInfo) -> None:
        self._newest = message

    def problem(self, patience_s: float) -> str:
        """
        Return why nobody can tell which camera the images come from, or ''.

        A CameraInfo is given `patience_s` seconds from the subscription on to arrive.
        """
        if self._subscription is None:
            return ''
        if self._trained is None:
            return 'camera not checked: the model knows no camera'
        if self._newest is None:
            waited_s = (time.monotonic_ns() - self._subscribed_ns) / NS_PER_S
            if waited_s <= patience_s:
                return ''
            topic = self._subscription.topic_name
            return (
                f'camera not checked: no CameraInfo on {topic}; remap camera_info to where it is'
            )
        try:
            camera_from_info(self._newest, rectified=self._rectified)
        except GeometryError as error:
            return f'camera not checked: {error}'
        return ''

    def view(self, tolerance: float, size: tuple[int, int] | None = None) -> View:
        """
        Return how images of a size (width, height) become those of the camera of training.

        By default the size of the last that was asked for, or that of the CameraInfo. As they are
        where nobody can tell. Any thread may ask.
        """
        told, trained, looked_at = self._told(), self._trained, self._looked_at
        self._size = size or self._size
        if told is None or trained is None or looked_at is None:
            return AS_IT_IS
        size = self._size or (told.width, told.height)
        return view_of(trained, told, size, looked_at, tolerance)

    def lens(self, tolerance: float) -> Lens:
        """
        Return what took the images: a camera where it is not that of training.

        Nobody has told it while no CameraInfo came that says anything. Any thread may ask.
        """
        told, trained = self._told(), self._trained
        if told is None or trained is None:
            return Lens(None, told=False)
        return Lens(told if difference(trained, told, tolerance) else None, told=True)

    def _told(self) -> Camera | None:
        """Return the camera by the newest CameraInfo, None where that says nothing."""
        newest = self._newest
        if newest is None:
            return None
        try:
            return camera_from_info(newest, rectified=self._rectified)
        except GeometryError:
            return None
