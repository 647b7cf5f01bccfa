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

"""Odometry, and what the running localizer says: both are in the transforms of /tf."""

from __future__ import annotations

from posenet_ros.errors import TransformError
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.nodes.body import LooksUp
from posenet_ros.nodes.transform_buffer import Sample
from posenet_ros.recovery import Belief, OdometryBuffer

# A part of the way from odom to base may come a moment after the others.
_WAITS_NS = NS_PER_S
# Beyond this nobody has stepped, and only the newest matters.
_MOST_WAITING = 500
# A localizer that has broadcast nothing for so long says nothing.
_SILENT_NS = 3 * NS_PER_S


class OdometryInput:
    """
    Makes readings `odom_from_base` of what is broadcast between the two frames, each once.

    Readings are at the stamps that were broadcast, so that nothing is interpolated twice. The
    localizer's pose is what it broadcast last of map -> odom, moved on by the newest odometry: to
    look map -> base up at one stamp would tell, for as long as a localizer dates its transforms
    ahead, what it said before. All methods are called in the executor's thread.
    """

    def __init__(self, transforms: LooksUp) -> None:
        """Take what looks transforms up; nothing is followed yet."""
        self._transforms = transforms
        self._odom = self._base = self._map = ''
        self._parents: dict[str, str] = {}
        self._heard_ns: dict[str, int] = {}
        self._static: set[str] = set()
        self._between: set[str] = set()
        self._waiting: set[int] = set()
        self._unread = ''

    def follow(self, *, odom: str, base: str, map_frame: str) -> None:
        """Follow the base in these frames from now on."""
        self._odom, self._base, self._map = odom, base, map_frame
        self._waiting.clear()
        self._unread = ''
        self._between = self._edges(base, odom)

    def heard(self, sample: Sample, *, static: bool, now_ns: int) -> None:
        """Note a transform that came at this time."""
        if self._parents.get(sample.child) != sample.parent:
            self._parents[sample.child] = sample.parent
            self._between = self._edges(self._base, self._odom)
        if static:
            self._static.add(sample.child)
            return
        self._static.discard(sample.child)
        self._heard_ns[sample.child] = now_ns
        if sample.child in self._between:
            self._waiting.add(sample.stamp_ns)
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.discard(min(self._waiting))

    def clear(self) -> None:
        """Forget what moves: it belongs to another time."""
        self._waiting.clear()
        self._unread = ''
        self._heard_ns.clear()

    def drain(self) -> list[tuple[int, Pose]]:
        """Return the readings since the last call, in order of time."""
        readings = []
        if not self._waiting:
            return readings
        newest_ns = max(self._waiting)
        for stamp_ns in sorted(self._waiting):
            try:
                found = self._transforms.look_up(self._odom, self._base, stamp_ns)
            except TransformError as error:
                if stamp_ns >= newest_ns - _WAITS_NS:
                    continue
                self._unread = str(error)
            else:
                self._unread = ''
                readings.append((stamp_ns, found.renamed(target='odom', source='base')))
            self._waiting.discard(stamp_ns)
        # What is older than the last reading would come too late.
        if readings:
            self._waiting = {each for each in self._waiting if each > readings[-1][0]}
        return readings

    def belief(self, odometry: OdometryBuffer, now_ns: int) -> Belief | None:
        """Return where the running localizer has the robot, None where it says nothing."""
        newest = odometry.newest
        above = self._edges(self._odom, self._map)
        if newest is None or not above:
            return None
        # By when it came: a localizer dates ahead, and so a stamp does not tell.
        never_ns = now_ns - 2 * _SILENT_NS
        heard_ns = [self._heard_ns.get(child, never_ns) for child in above - self._static]
        told_ns = min(heard_ns, default=now_ns)
        if told_ns < now_ns - _SILENT_NS:
            return None
        try:
            found = self._transforms.look_up(self._map, self._odom)
        except TransformError:
            return None
        map_from_odom = found.renamed(target='map', source='odom')
        map_from_base = map_from_odom @ newest.odom_from_base
        return Belief(newest.stamp_ns, map_from_base, told_ns=told_ns)

    def missing(self) -> str:
        """Return why there can be no odometry, or ''."""
        if not self._base:
            return ''
        if self._between:
            return self._unread and f'no odometry of {self._base}: {self._unread}'
        there = self._base in self._parents
        why = f'it is not below {self._odom}' if there else 'nobody broadcasts it'
        return f'no odometry of {self._base}: {why}'

    def _edges(self, child: str, ancestor: str) -> set[str]:
        """Return the children of the edges from a frame up to another, empty where none leads."""
        found: set[str] = set()
        frame = child
        while frame != ancestor:
            parent = self._parents.get(frame)
            if parent is None or frame in found:
                return set()
            found.add(frame)
            frame = parent
        return found
