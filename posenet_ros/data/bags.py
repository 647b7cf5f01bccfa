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

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
import logging
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rosbags import rosbag1
from rosbags.interfaces import QosDurability, QosHistory, QosReliability
from rosbags.typesys import get_typestore, Stores

from posenet_ros.data import topics as choice
from posenet_ros.data.camera_info import camera_from_info
from posenet_ros.data.images import decode
from posenet_ros.data.samples import PoseSamples
from posenet_ros.data.storage import damage_reported, open_reader
from posenet_ros.data.transforms import plain, TransformTree
from posenet_ros.errors import BagError, GeometryError, ImageError
from posenet_ros.geometry import Camera, NS_PER_S, seconds_text, Trajectory

_LOG = logging.getLogger(__name__)

# The messages read here have had this layout in every ROS 2 and, its header aside, in ROS 1.
_TYPES = get_typestore(Stores.ROS2_JAZZY)
_ROS1_NAMES = {'tf/msg/tfMessage': choice.TRANSFORMS}

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


class Qos(NamedTuple):
    """How a topic was offered when it was recorded, as far as a replay must know."""

    reliable: bool
    transient_local: bool
    depth: int
    keep_all: bool


class Recording:
    """
    An open recording; a context manager.

    Nothing is kept of what was read, so memory does not grow with the bag. Every iterator reads
    from the start; use one at a time. Damage that shows only on the way is a BagError too.
    """

    def __init__(self, path: Path) -> None:
        """Open; raise BagError where there is no recording, or it is damaged or empty."""
        self.path = Path(path)
        self._reader = open_reader(self.path)
        self._ros1 = isinstance(self._reader, rosbag1.Reader)
        with damage_reported(self.path):
            if self._reader.message_count == 0:
                self.close()
                raise BagError(f'{self.path} is empty: it holds no messages')
            self.start_ns: int = self._reader.start_time
            # The reader's end is exclusive.
            self.end_ns: int = self._reader.end_time - 1
            self.topics: dict[str, str] = {
                connection.topic: _ROS1_NAMES.get(connection.msgtype, connection.msgtype)
                for connection in self._reader.connections
            }

    def __enter__(self) -> Recording:
        """Return the open recording."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files."""
        self.close()

    def close(self) -> None:
        """Close the files; the recording cannot be read afterwards."""
        self._reader.close()

    def count(self, topic: str) -> int:
        """Return how many messages a topic has; zero for one that is not there."""
        return sum(each.msgcount for each in self._reader.connections if each.topic == topic)

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, str, int, bytes]]:
        """
        Iterate over (topic, type, recorded stamp in ns, CDR bytes) in recorded order.

        Messages of ROS 1 are converted to CDR. Raises BagError for a topic that is not there.
        """
        unknown = sorted(set(topics) - set(self.topics))
        if unknown:
            known = ', '.join(sorted(self.topics))
            raise BagError(f'{self.path} has no topic {unknown[0]}; its topics: {known}')
        return self._stream(set(topics))

    def _stream(self, topics: Collection[str]) -> Iterator[tuple[str, str, int, bytes]]:
        wanted = [each for each in self._reader.connections if each.topic in topics]
        # The reader takes no connections for all connections.
        if not wanted:
            return
        found = False
        with damage_reported(self.path):
            for connection, recorded_ns, data in self._reader.messages(wanted):
                found = True
                msgtype = self.topics[connection.topic]
                cdr = bytes(_TYPES.ros1_to_cdr(data, msgtype)) if self._ros1 else data
                yield connection.topic, msgtype, recorded_ns, cdr
        if not found and any(self.count(topic) for topic in topics):
            raise BagError(
                f'{self.path} promises messages of {", ".join(sorted(topics))} but holds none; '
                f'write its metadata.yaml anew with "ros2 bag reindex {self.path}"'
            )

    def _decoded(self, topics: Iterable[str]) -> Iterator[tuple[str, int, Any]]:
        """Iterate over (topic, recorded stamp in ns, message)."""
        for topic, msgtype, recorded_ns, data in self._stream(set(topics)):
            with damage_reported(self.path):
                message = _TYPES.deserialize_cdr(data, msgtype)
            yield topic, recorded_ns, message

    def _first(self, topic: str) -> Any:
        return next(message for _, _, message in self._decoded([topic]))

    def qos(self, topic: str) -> Qos:
        """
        Return what a publisher must offer so that every subscriber of the recorded ones matches.

        Of several publishers the strongest offer counts; where nothing was recorded it is
        reliable and volatile, and transient local for `tf_static`. A latched topic is as deep
        as it has messages, so that late subscribers hear all of them.
        """
        offers = [each.ext for each in self._reader.connections if each.topic == topic]
        latched = topic.endswith('/tf_static')
        if self._ros1:
            latched = latched or any(offer.latching for offer in offers)
            return Qos(True, latched, self._depth(topic, 10, latched), False)
        profiles = [profile for offer in offers for profile in offer.offered_qos_profiles]
        latched = latched or any(
            profile.durability is QosDurability.TRANSIENT_LOCAL for profile in profiles
        )
        return Qos(
            reliable=not profiles
            or any(each.reliability is not QosReliability.BEST_EFFORT for each in profiles),
            transient_local=latched,
            depth=self._depth(topic, max((each.depth for each in profiles), default=0), latched),
            keep_all=any(each.history is QosHistory.KEEP_ALL for each in profiles),
        )

    def _depth(self, topic: str, offered: int, latched: bool) -> int:
        # What a recorder writes for an unknown depth is zero, or far out of range.
        depth = offered if 0 < offered <= 10_000 else 10
        return max(depth, min(self.count(topic), 1000)) if latched else depth

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
        BagError.
        """
        stamped = any(_stamp_ns(each) for _, _, each in islice(self._decoded([topic]), 2))
        last_ns, left_out = None, 0
        for _, recorded_ns, message in self._decoded([topic]):
            stamp_ns = _stamp_ns(message) if stamped else recorded_ns
            if last_ns is not None and stamp_ns <= last_ns:
                if stamp_ns and last_ns - stamp_ns > CLOCK_JUMP_NS:
                    raise BagError(
                        f'the clock of {topic} jumps back from {seconds_text(last_ns)} to '
                        f'{seconds_text(stamp_ns)}; cut {self.path} there, or record again'
                    )
                left_out += 1
                continue
            last_ns = stamp_ns
            yield StampedImage(stamp_ns, plain(message.header.frame_id), message)
        if left_out:
            _LOG.warning('left out %d images of %s: stamps not in order', left_out, topic)

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
        first = next(self.images(image_topic))
        height, width = first.decode().shape[:2]
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
            if plain(self._first(topic).header.frame_id) == first.frame_id
        ]
        candidates = of_frame or list(fitting.values())
        return candidates[0] if len(candidates) == 1 else None

    def _camera_on(self, topic: str, rectified: bool) -> Camera | None:
        try:
            return camera_from_info(self._first(topic), rectified=rectified)
        except GeometryError as error:
            _LOG.warning('%s is of no use: %s', topic, error)
            return None

    def odometry(self, topic: str | None = None) -> Trajectory:
        """
        Return the odometry, `header.frame_id` from `child_frame_id`, in order of time.

        Without a topic it is `/odom`, or the only one. Raises BagError where the choice is not
        clear, or no message of the topic holds a pose.
        """
        topic = choice.only_odometry(topic, self.topics)
        samples, frames = PoseSamples(), ('odom', 'base_link')
        for _, recorded_ns, message in self._decoded([topic]):
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

    def transforms(self) -> TransformTree:
        """Return what /tf and /tf_static say, of all namespaces together."""
        static: dict[tuple[str, str], PoseSamples] = {}
        moving: dict[tuple[str, str], PoseSamples] = {}
        for topic, recorded_ns, message in self._decoded(
            choice.of_types(self.topics, choice.TRANSFORMS)
        ):
            edges = static if topic.endswith('/tf_static') else moving
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
