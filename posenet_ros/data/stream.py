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

"""The messages of a recording, whatever wrote it, as a stream in ROS 2's form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
import logging
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from posenet_ros.data.storage import damage_reported, open_reader
from posenet_ros.data.topics import TRANSFORMS
from posenet_ros.errors import BagError
from rosbags import rosbag1
from rosbags.convert.converter import is_same_wireformat
from rosbags.interfaces import QosDurability, QosHistory, QosReliability
from rosbags.typesys import get_typestore, Stores

_LOG = logging.getLogger(__name__)

# The messages read here have had this layout in every ROS 2 and, its header aside, in ROS 1.
_TYPES = get_typestore(Stores.ROS2_JAZZY)
_ROS1_NAMES = {'tf/msg/tfMessage': TRANSFORMS}

_Self = TypeVar('_Self', bound='MessageStream')


class Qos(NamedTuple):
    """How a topic was offered when it was recorded, as far as a replay must know."""

    reliable: bool
    transient_local: bool
    depth: int
    keep_all: bool


class MessageStream:
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
        self._loss_told = False
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

    def __enter__(self: _Self) -> _Self:
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

        Messages of ROS 1 are converted to CDR. Raises BagError for a topic that is not there,
        or of a type that ROS 1 and ROS 2 do not have alike.
        """
        unknown = sorted(set(topics) - set(self.topics))
        if unknown:
            known = ', '.join(sorted(self.topics))
            raise BagError(f'{self.path} has no topic {unknown[0]}; its topics: {known}')
        for topic in sorted(topics) if self._ros1 else ():
            if not _alike(self.topics[topic]):
                raise BagError(
                    f'{topic} of {self.path} is {self.topics[topic]}, which ROS 1 and ROS 2 do '
                    'not have alike; leave it out'
                )
        return self._stream(set(topics))

    def _stream(self, topics: Collection[str]) -> Iterator[tuple[str, str, int, bytes]]:
        wanted = [each for each in self._reader.connections if each.topic in topics]
        # The reader takes no connections for all connections.
        if not wanted:
            return
        found = 0
        with damage_reported(self.path):
            for connection, recorded_ns, data in self._reader.messages(wanted):
                found += 1
                msgtype = self.topics[connection.topic]
                cdr = bytes(_TYPES.ros1_to_cdr(data, msgtype)) if self._ros1 else data
                yield connection.topic, msgtype, recorded_ns, cdr
        promised = sum(self.count(topic) for topic in topics)
        if not found and promised:
            raise BagError(
                f'{self.path} promises messages of {", ".join(sorted(topics))} but holds none; '
                f'write its metadata.yaml anew with "ros2 bag reindex {self.path}"'
            )
        if found < promised and not self._loss_told:
            self._loss_told = True
            _LOG.warning(
                '%s holds %d of the %d messages that its index promises of %s: the rest was lost',
                self.path,
                found,
                promised,
                ', '.join(sorted(topics)),
            )

    def decoded(self, topics: Iterable[str]) -> Iterator[tuple[str, int, Any]]:
        """Iterate over (topic, recorded stamp in ns, message)."""
        for topic, msgtype, recorded_ns, data in self._stream(set(topics)):
            with damage_reported(self.path):
                message = _TYPES.deserialize_cdr(data, msgtype)
            yield topic, recorded_ns, message

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


def _alike(msgtype: str) -> bool:
    """Tell whether a message of ROS 1 holds the same fields in ROS 2."""
    if msgtype not in _TYPES.fielddefs:
        return False
    ros1_types = get_typestore(Stores.ROS1_NOETIC)
    # rosbags leaves tf2_msgs out of its ROS 1 types; it is the same in both.
    return msgtype not in ros1_types.fielddefs or is_same_wireformat(
        ros1_types, _TYPES, msgtype, msgtype
    )
