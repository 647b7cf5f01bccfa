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

import time

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.camera_info import camera_from_info
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Camera, NS_PER_S
from posenet_ros.nodes.image_input import newest_only
from rclpy.lifecycle import LifecycleNode
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo


def difference(trained: Camera, seen: Camera, tolerance: float) -> str:
    """
    Return in what the camera differs from the one of training, or '' where it does not.

    An image that is only larger or smaller is the same to the network. `tolerance` is a share of
    the image width: focal lengths and centres are compared in it.
    """
    if abs(seen.width * trained.height - trained.width * seen.height) > tolerance * (
        seen.width * trained.height
    ):
        return (
            f'images of {seen.width}x{seen.height} have another shape than the '
            f'{trained.width}x{trained.height} of training'
        )
    scaled = trained.resized(seen.width, seen.height)
    names = [
        f'{name} {getattr(seen, name):.1f} instead of {getattr(scaled, name):.1f}'
        for name in ('fx', 'fy', 'cx', 'cy')
        if abs(getattr(seen, name) - getattr(scaled, name)) > tolerance * seen.width
    ]
    moved_px = float(np.abs(_corners(seen, scaled) - _corners(scaled, scaled)).max()) * scaled.fx
    if moved_px > tolerance * seen.width:
        names.append(f'a distortion that puts the corners {moved_px:.0f} pixels elsewhere')
    return f'the camera is not that of training: {", ".join(names)}' if names else ''


def _corners(camera: Camera, frame: Camera) -> NDArray[np.float64]:
    """
    Return where a lens puts the corners of an image, on the plane one unit ahead.

    Effects are compared and not coefficients, since a calibration refined by structure from
    motion has small ones where CameraInfo has none. `frame` gives the corners, the same for all.
    """
    x = np.array([-frame.cx, frame.width - 1 - frame.cx]) / frame.fx
    y = np.array([-frame.cy, frame.height - 1 - frame.cy]) / frame.fy
    rays = np.array([[each, other, 1.0] for each in x for other in y])
    if camera.distortion == 'none':
        return rays[:, :2]
    fisheye = camera.distortion == 'equidistant'
    project = cv2.fisheye.projectPoints if fisheye else cv2.projectPoints
    still, lens = np.zeros(3), np.array(camera.coefficients)
    return project(rays[:, None], still, still, np.eye(3), lens)[0].reshape(-1, 2)


class CameraWatch:
    """The subscription to `camera_info`, and what its newest message says."""

    def __init__(self, node: LifecycleNode) -> None:
        """Take the node to subscribe with."""
        self._node = node
        self._subscription: Subscription | None = None
        self._newest: CameraInfo | None = None
        self._subscribed_ns = 0
        self._trained: Camera | None = None
        self._rectified = False

    def subscribe(self, trained: Camera | None, *, rectified: bool) -> None:
        """
        Subscribe, to compare with the camera of training where that is known.

        `rectified` images have the intrinsics of the message's `p`, and no distortion.
        """
        self._trained, self._rectified = trained, rectified
        self._newest = None
        self._subscribed_ns = time.monotonic_ns()
        self._subscription = self._node.create_subscription(
            CameraInfo, 'camera_info', self._receive, newest_only()
        )

    def unsubscribe(self) -> None:
        """Unsubscribe; nothing where it is not subscribed."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _receive(self, message: CameraInfo) -> None:
        self._newest = message

    def problem(self, tolerance: float, patience_s: float) -> str:
        """
        Return in what the camera differs from that of training, or why nobody can tell, or ''.

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
            seen = camera_from_info(self._newest, rectified=self._rectified)
        except GeometryError as error:
            return f'camera not checked: {error}'
        return difference(self._trained, seen, tolerance)

    def other(self, tolerance: float) -> Camera | None:
        """
        Return the camera that the images come from where it is not that of training.

        None where it is, and where nobody can tell. Any thread may ask.
        """
        newest, trained = self._newest, self._trained
        if newest is None or trained is None:
            return None
        try:
            seen = camera_from_info(newest, rectified=self._rectified)
        except GeometryError:
            return None
        return seen if difference(trained, seen, tolerance) else None
