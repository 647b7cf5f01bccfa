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

"""Recordings: rosbag2 (mcap, sqlite3, compressed or not) and ROS 1 bags, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data import topics as choice
from posenet_ros.data.camera_info import camera_from_info
from posenet_ros.data.grids import grid_from_message, OccupancyGrid
from posenet_ros.data.images import decode
from posenet_ros.data.samples import PoseSamples
from posenet_ros.data.stream import MessageStream, Qos
from posenet_ros.data.transforms import plain, TransformTree
from posenet_ros.errors import BagError, GeometryError, ImageError
from posenet_ros.geometry import Camera, NS_PER_S, seconds_text, Trajectory

__all__ = ['Qos', 'Recording', 'StampedImage']

_LOG = logging.getLogger(__name__)

# Images can arrive slightly out of order; a stamp this much earlier is another clock.
CLOCK_JUMP_NS = NS_PER_S


@dataclass(frozen=True)
class StampedImage:
    """One image of a recording, still as its message."""

    stamp_ns: int
    frame_id: str
    message: Any

    def decode(self) -> NDArray[np.uint8]:
        """Return the pixels as RGB (H, W, 3); raise ImageError with the stamp if it cannot."""
        try:
            return decode(self.message)
        except ImageError as error:
            raise ImageError(f'image at {seconds_text(self.stamp_ns)}: {error}') from error


class Recording(MessageStream):
    """A recording as images, their camera, odometry and transforms."""

    def _first(self, topic: str) -> Any:
        return next(message for _, _, message in self.decoded([topic]))

    def image_topic(self, name: str | None = None) -> str:
        """
        Return the image topic: the named one, or the only camera's (see `topics.only_image`).

        Raises BagError, which lists the topics, where the choice is not clear.
        """
        if name is not None:
            topic = choice.resolve_image(name, self.topics)
            if self.count(topic) == 0:
                raise BagError(f'{topic} has no messages in {self.path}')
            return topic
        counts = {
            topic: self.count(topic)
            for topic in choice.of_types(self.topics, *choice.IMAGES)
            if self.count(topic) and not _holds_depth(self._first(topic))
        }
        return choice.only_image(counts, self.topics)

    def images(self, topic: str) -> Iterator[StampedImage]:
        """
        Iterate over the images of a topic in recorded order, with strictly increasing stamps.

        The stamp is the header's; where the first two headers have none, it is the time of
        recording for all. An image whose stamp is zero or not later than the one before is left
        out, and how many were is logged; a clock that jumps back by more than a second is a
        BagError. To ROS, zero is no time: a simulation that begins there loses one image.
        """
        stamped = any(_stamp_ns(each) for _, _, each in islice(self.decoded([topic]), 2))
        last_ns, left_out = None, 0
        for _, recorded_ns, message in self.decoded([topic]):
            stamp_ns = _stamp_ns(message) if stamped else recorded_ns
            if stamped and stamp_ns == 0:
                left_out += 1
                continue
            if last_ns is not None and stamp_ns <= last_ns:
                if last_ns - stamp_ns > CLOCK_JUMP_NS:
                    raise BagError(
                        f'the clock of {topic} jumps back from {seconds_text(last_ns)} to '
                        f'{seconds_text(stamp_ns)}; cut {self.path} there, or record again'
                    )
                left_out += 1
                continue
            last_ns = stamp_ns
            yield StampedImage(stamp_ns, plain(message.header.frame_id), message)
        if left_out:
            _LOG.warning('left out %d images of %s: no stamp, or not in order', left_out, topic)

    def camera(self, image_topic: str) -> Camera | None:
        """
        Return the intrinsics of a topic's images, or None where the recording has none to use.

        The CameraInfo is the one beside the image topic, else the only one of the image's size,
        or of its size and frame. Region of interest and binning are taken into account; where
        images were scaled since, so is the camera. A CameraInfo that does not fit or is
        uncalibrated is left out with a warning.
        """
        if self.count(image_topic) == 0:
            return None
        frame_id, width, height = self._frame_and_size(image_topic)
        rectified = choice.is_rectified(image_topic)
        beside = choice.camera_info_beside(image_topic)
        if self.count(beside):
            camera = self._camera_on(beside, rectified)
            return None if camera is None else _fitted(camera, width, height, beside)
        fitting = {}
        for topic in choice.of_types(self.topics, choice.CAMERA_INFO):
            camera = self._camera_on(topic, rectified) if self.count(topic) else None
            if camera is not None and (camera.width, camera.height) == (width, height):
                fitting[topic] = camera
        of_frame = [
            camera
            for topic, camera in fitting.items()
            if plain(self._first(topic).header.frame_id) == frame_id
        ]
        candidates = of_frame or list(fitting.values())
        return candidates[0] if len(candidates) == 1 else None

    def _frame_and_size(self, topic: str) -> tuple[str, int, int]:
        """Return frame, width and height of the first image that is whole; else ImageError."""
        failure: ImageError | None = None
        for image in self.images(topic):
            try:
                height, width = image.decode().shape[:2]
            except ImageError as error:
                failure = failure or error
                continue
            return image.frame_id, width, height
        raise failure or ImageError(f'{topic} has no images')

    def _camera_on(self, topic: str, rectified: bool) -> Camera | None:
        try:
            return camera_from_info(self._first(topic), rectified=rectified)
        except GeometryError as error:
            _LOG.warning('%s is of no use: %s', topic, error)
            return None

    def odometry_topic(self, name: str | None = None) -> str:
        """
        Return the odometry topic: the named one, `/odom`, or the only one that has messages.

        Raises BagError, which lists the topics, where the choice is not clear.
        """
        topics = choice.of_types(self.topics, choice.ODOMETRY)
        return choice.only_odometry(name, {topic: self.count(topic) for topic in topics})

    def odometry(self, topic: str | None = None) -> Trajectory:
        """
        Return the odometry, `header.frame_id` from `child_frame_id`, in order of time.

        Raises BagError where `odometry_topic` does, and where no message of the topic holds a
        pose.
        """
        topic = self.odometry_topic(topic)
        samples, frames = PoseSamples(), ('odom', 'base_link')
        for _, recorded_ns, message in self.decoded([topic]):
            pose = message.pose.pose
            samples.add(_stamp_ns(message), recorded_ns, pose.position, pose.orientation)
            frames = (
                plain(message.header.frame_id) or frames[0],
                plain(message.child_frame_id) or frames[1],
            )
        trajectory = samples.trajectory(*frames)
        if trajectory is None:
            raise BagError(f'{topic} of {self.path} holds no poses')
        return trajectory

    def map_grid(self, frame: str) -> OccupancyGrid | None:
        """
        Return the map of a localizer in a frame, as it was at the end; None where none was kept.

        It is on a topic named `map`: costmaps are grids too. Raises BagError where it is damaged.
        """
        found = None
        for topic in choice.of_types(self.topics, choice.GRID):
            if topic.rpartition('/')[2] != 'map':
                continue
            for _, _, message in self.decoded([topic]):
                if plain(message.header.frame_id) == plain(frame):
                    found = topic, message
        return None if found is None else grid_from_message(*found, frame=plain(frame))

    def transforms(self) -> TransformTree:
        """
        Return what /tf and /tf_static say, of all namespaces together.

        All of it is kept: a million transforms, some hours of a robot, take 200 MiB.
        """
        return self._tree(choice.of_types(self.topics, choice.TRANSFORMS))

    def static_transforms(self) -> TransformTree:
        """Return what /tf_static alone says, of all namespaces together."""
        topics = choice.of_types(self.topics, choice.TRANSFORMS)
        return self._tree([topic for topic in topics if _is_static(topic)])

    def _tree(self, topics: list[str]) -> TransformTree:
        static: dict[tuple[str, str], PoseSamples] = {}
        moving: dict[tuple[str, str], PoseSamples] = {}
        for topic, recorded_ns, message in self.decoded(topics):
            edges = static if _is_static(topic) else moving
            for each in message.transforms:
                frames = plain(each.header.frame_id), plain(each.child_frame_id)
                edges.setdefault(frames, PoseSamples()).add(
                    _stamp_ns(each),
                    recorded_ns,
                    each.transform.translation,
                    each.transform.rotation,
                )
        return TransformTree(
            [pose for frames, each in static.items() if (pose := each.latest(*frames))],
            [path for frames, each in moving.items() if (path := each.trajectory(*frames))],
        )


def _stamp_ns(message: Any) -> int:
    return message.header.stamp.sec * NS_PER_S + message.header.stamp.nanosec


def _is_static(topic: str) -> bool:
    return topic.endswith('/tf_static')


def _holds_depth(message: Any) -> bool:
    """Tell whether an image message holds distances (REP 118) or numbers, not colours."""
    name = message.format if hasattr(message, 'format') else message.encoding
    return 'compressedDepth' in name or name.startswith(('16UC1', '32F', '64F', '16S', '32S'))


def _fitted(camera: Camera, width: int, height: int, topic: str) -> Camera | None:
    """Return the camera at the size of the images, None where the shapes differ."""
    if (camera.width, camera.height) == (width, height):
        return camera
    if camera.width * height == camera.height * width:
        return camera.resized(width, height)
    _LOG.warning(
        '%s is of no use: it is for %dx%d pixels, the images have %dx%d',
        topic,
        camera.width,
        camera.height,
        width,
        height,
    )
    return None
