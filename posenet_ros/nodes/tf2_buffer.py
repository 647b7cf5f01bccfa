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

"""tf2's own buffer behind our interface, where tf2_ros is installed."""

from __future__ import annotations

import importlib
import importlib.util

from geometry_msgs.msg import TransformStamped
from posenet_ros.data.transforms import plain
from posenet_ros.errors import TransformError
from posenet_ros.geometry import Pose
from posenet_ros.nodes.transform_buffer import KEPT_S, Sample, TransformBuffer, Transforms
from rclpy.duration import Duration
from rclpy.time import Time


class Tf2Buffer:
    """
    tf2_ros' Buffer, filled by our listener.

    tf2's own listener keeps to itself who broadcast a transform, which is what tells two
    authorities from one; so the messages go through ours, and are heard once.
    """

    def __init__(self) -> None:
        """Import tf2_ros, and start empty."""
        tf2_ros = importlib.import_module('tf2_ros')
        self._buffer = tf2_ros.Buffer(cache_time=Duration(seconds=KEPT_S))
        self._error = tf2_ros.TransformException

    def put(self, message: TransformStamped, *, static: bool) -> Sample:
        """Take a transform that was heard, and return it; raise GeometryError for what is none."""
        # Before tf2 has it, which prints on stderr what it does not take.
        sample = Sample.from_message(message)
        fill = self._buffer.set_transform_static if static else self._buffer.set_transform
        fill(message, 'posenet')
        return sample

    def look_up(self, target: str, source: str, at_ns: int | None = None) -> Pose:
        """Return `target_from_source` at a stamp, or the newest; raise TransformError."""
        target, source = plain(target), plain(source)
        if target == source:
            return Pose.identity(target, source)
        try:
            # To tf2 time zero is the newest.
            found = self._buffer.lookup_transform(target, source, Time(nanoseconds=at_ns or 0))
        except self._error as error:
            reason = ' '.join(str(error).split())
            raise TransformError(f'no transform {target} <- {source}: {reason}') from error
        return Sample.from_message(found).pose

    def clear(self) -> None:
        """Forget what moves: tf2 keeps what is static, too."""
        self._buffer.clear()


def make_buffer() -> Transforms:
    """Return tf2's buffer, or ours where tf2_ros is not installed."""
    if importlib.util.find_spec('tf2_ros') is None:
        return TransformBuffer()
    return Tf2Buffer()
