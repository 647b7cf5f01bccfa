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

"""Whose poses are published: the camera's, or those of the robot that carries it."""

from __future__ import annotations

import math
import threading
import time
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.transforms import plain
from posenet_ros.errors import TransformError
from posenet_ros.geometry import covariance_at_lever, NS_PER_S, Pose
from posenet_ros.localization.estimate import PoseEstimate
from posenet_ros.nodes.conversions import stamp_ns
from std_msgs.msg import Header

# The first images may come before /tf_static.
_PATIENCE_NS = NS_PER_S
# A camera that looks up within this of the vertical is taken for one whose frame is not optical.
_UPWARD = math.cos(math.radians(30))


class Placed(NamedTuple):
    """A pose that goes out: `map_from_body`, and its covariance (6, 6) about axes of the map."""

    map_from_body: Pose
    covariance: NDArray[np.float64]


class LooksUp(Protocol):
    """What tells transforms, as `TransformInput` does."""

    def look_up(self, target: str, source: str, at_ns: int | None = None) -> Pose:
        """Return `target_from_source` at a stamp; raise TransformError."""
        ...


class Body:
    """
    The body whose poses are published, and how the camera is fixed to it.

    Without a frame it is the camera itself. The camera's frame is the one that an image names,
    the optical one (z ahead). Any thread may ask.
    """

    def __init__(self, transforms: LooksUp) -> None:
        """Take what tells transforms; the body is the camera until `frame` is set."""
        self.frame = ''
        self.camera_frame = ''
        self._transforms = transforms
        self._lock = threading.Lock()
        self._unplaced = 0
        self._missing_since_ns: int | None = None
        self._reason = ''
        self._upward = False

    @property
    def unplaced(self) -> int:
        """How many poses of the camera did not become one of the body."""
        return self._unplaced

    def place(self, estimate: PoseEstimate, header: Header) -> Placed:
        """
        Return the body's pose by the camera's, at the stamp of the image of this header.

        Raises TransformError where it is not known how the camera is fixed to the body.
        """
        camera = estimate.map_from_camera
        if not self.frame:
            return Placed(camera, estimate.covariance)
        try:
            camera_from_body = self._camera_from_body(header)
        except TransformError as error:
            self._note_missing(str(error))
            raise
        self._note_found(camera_from_body)
        body = camera @ camera_from_body
        lever = body.translation - camera.translation
        return Placed(body, covariance_at_lever(estimate.covariance, lever))

    def _camera_from_body(self, header: Header) -> Pose:
        self.camera_frame = plain(header.frame_id)
        if not self.camera_frame:
            raise TransformError(
                f'no transform {self.frame} <- camera: the images name no frame (header.frame_id)'
            )
        found = self._transforms.look_up(self.frame, self.camera_frame, stamp_ns(header.stamp))
        return found.renamed(target='body', source='camera').inverse()

    def _note_missing(self, reason: str) -> None:
        with self._lock:
            self._unplaced += 1
            self._reason = reason
            if self._missing_since_ns is None:
                self._missing_since_ns = time.monotonic_ns()

    def _note_found(self, camera_from_body: Pose) -> None:
        # Where up of the body is in the camera.
        up = camera_from_body.rotation.apply([0.0, 0.0, 1.0])
        with self._lock:
            self._missing_since_ns = None
            self._upward = bool(up[2] > _UPWARD)

    def missing(self, now_ns: int, patience_ns: int = _PATIENCE_NS) -> str:
        """Return which transform has been missing for longer than the patience, or ''."""
        with self._lock:
            since_ns = self._missing_since_ns
            if since_ns is None or now_ns - since_ns <= patience_ns:
                return ''
            return f'no pose of {self.frame} is published: {self._reason}'

    def doubt(self) -> str:
        """Return why the transform may not be that of an optical frame, or ''."""
        if not self._upward:
            return ''
        return (
            f'the camera looks up by {self.frame} <- {self.camera_frame}; unless it does, its '
            'images name a frame that is not optical (z ahead), and the poses are turned'
        )

    def clear(self) -> None:
        """Forget what was missing."""
        with self._lock:
            self._missing_since_ns = None
            self._upward = False
