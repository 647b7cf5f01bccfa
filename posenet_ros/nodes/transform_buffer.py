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

"""
Transforms that were heard lately, and what lies between two frames at a stamp.

What tf2_ros' Buffer does, for machines without it, and for tests that look at a table.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
import math
import threading
from typing import NamedTuple, Protocol

from geometry_msgs.msg import TransformStamped
from posenet_ros.data.transforms import plain
from posenet_ros.errors import GeometryError, TransformError
from posenet_ros.geometry import NS_PER_S, Pose, Quaternion
from posenet_ros.nodes.conversions import stamp_ns, transform_parts
from scipy.spatial.transform import Rotation

KEPT_S = 10.0
_MOST_SAMPLES = 10_000
# tf2 takes no quaternion whose squared length is further from 1.
_UNIT_TOLERANCE = 1e-2


class Sample(NamedTuple):
    """
    `parent_from_child` at a stamp, as it was heard.

    Most are never asked for, so that a Pose is made of one only when it is.
    """

    stamp_ns: int
    parent: str
    child: str
    translation: tuple[float, float, float]
    quaternion: Quaternion

    @property
    def pose(self) -> Pose:
        """The transform `parent_from_child`."""
        return Pose.from_quaternion(
            **self.quaternion._asdict(),
            translation=self.translation,
            target=self.parent,
            source=self.child,
        )

    @classmethod
    def from_message(cls, message: TransformStamped) -> Sample:
        """Read a message; raise GeometryError for one that is no transform between two frames."""
        parent, child = plain(message.header.frame_id), plain(message.child_frame_id)
        if not parent or not child or parent == child:
            raise GeometryError(f'no transform connects {parent!r} to {child!r}')
        translation, quaternion = transform_parts(message.transform)
        square = sum(part * part for part in quaternion)
        # NaN is further than anything, too.
        if not (abs(square - 1) <= _UNIT_TOLERANCE and math.isfinite(sum(translation))):
            raise GeometryError(f'{parent} -> {child} is no rigid transform')
        return cls(stamp_ns(message.header.stamp), parent, child, translation, quaternion)


class Transforms(Protocol):
    """What looks transforms up: `TransformBuffer`, or tf2's behind `Tf2Buffer`."""

    def put(self, message: TransformStamped, *, static: bool) -> Sample:
        """Take a transform that was heard, and return it; raise GeometryError for what is none."""
        ...

    def look_up(self, target: str, source: str, at_ns: int | None = None) -> Pose:
        """
        Return `target_from_source` at a stamp, or the newest known; as tf2 names them.

        Raises TransformError, with the frames and what is missing between them.
        """
        ...

    def clear(self) -> None:
        """Forget what moves: it belongs to another time. What is static stays."""
        ...


class _History:
    """Samples of one child in order of time, of the last `kept_ns`."""

    def __init__(self, kept_ns: int) -> None:
        self._kept_ns = kept_ns
        self.stamps_ns: list[int] = []
        self.samples: list[Sample] = []

    def put(self, sample: Sample) -> None:
        """Add a sample; one of the same stamp gives way, and one that is too old is not taken."""
        stamps = self.stamps_ns
        if stamps and sample.stamp_ns < stamps[-1] - self._kept_ns:
            return
        index = bisect_left(stamps, sample.stamp_ns)
        if index < len(stamps) and stamps[index] == sample.stamp_ns:
            self.samples[index] = sample
            return
        stamps.insert(index, sample.stamp_ns)
        self.samples.insert(index, sample)
        gone = bisect_left(stamps, stamps[-1] - self._kept_ns)
        gone = max(gone, len(stamps) - _MOST_SAMPLES)
        if gone:
            del stamps[:gone], self.samples[:gone]


class _Step(NamedTuple):
    """From a child to its parent at a stamp: between two samples, or on one."""

    before: Sample
    after: Sample
    share: float

    @property
    def pose(self) -> Pose:
        """The transform `parent_from_child`, straight on the shortest arc."""
        before = self.before.pose
        # A child that was given to another parent does not glide there.
        if self.share == 0 or self.before.parent != self.after.parent:
            return before
        after = self.after.pose
        turn = (before.rotation.inv() * after.rotation).as_rotvec()
        turned = before.rotation * Rotation.from_rotvec(self.share * turn)
        moved = before.translation + self.share * (after.translation - before.translation)
        return Pose(turned, moved, before.target, before.source)


class _Way(NamedTuple):
    """The way up from a frame: its steps, all frames on it, and why it ends where it does."""

    steps: list[_Step]
    frames: list[str]
    # How much the reason matters beside that of another way: 0 is the end of a sound tree.
    weight: int
    end: str


class TransformBuffer:
    """
    Every child has one parent at a stamp: where two were heard, the later of the two.

    What moves is kept for some seconds and interpolated between two samples, never extrapolated;
    what is static holds at any time. Any thread may ask.
    """

    def __init__(self, kept_s: float = KEPT_S) -> None:
        """Start empty; what moves is kept for so many seconds before its newest sample."""
        self._kept_ns = int(kept_s * NS_PER_S)
        self._static: dict[str, Sample] = {}
        self._moving: dict[str, _History] = {}
        self._parents: set[str] = set()
        self._lock = threading.Lock()

    def put(self, message: TransformStamped, *, static: bool) -> Sample:
        """Take a transform that was heard, and return it; raise GeometryError for what is none."""
        sample = Sample.from_message(message)
        with self._lock:
            self._parents.add(sample.parent)
            if static:
                self._static[sample.child] = sample
            else:
                history = self._moving.setdefault(sample.child, _History(self._kept_ns))
                history.put(sample)
        return sample

    def clear(self) -> None:
        """Forget what moves; what is static stays, since nobody will say it again."""
        with self._lock:
            self._moving.clear()
            self._parents = {sample.parent for sample in self._static.values()}

    def look_up(self, target: str, source: str, at_ns: int | None = None) -> Pose:
        """
        Return `target_from_source` at a stamp, or at the newest at which all of it is known.

        Raises TransformError, with the frames and what is missing between them.
        """
        target, source = plain(target), plain(source)
        if target == source:
            return Pose.identity(target, source)
        with self._lock:
            if at_ns is None:
                at_ns = self._newest(target, source)
            down, up = self._between(target, source, at_ns)
        pose = Pose.identity(source, source)
        for step in up:
            pose = step.pose @ pose
        for step in reversed(down):
            pose = step.pose.inverse() @ pose
        return pose

    def _newest(self, target: str, source: str) -> int | None:
        """Return the last stamp at which everything between two frames is known."""
        steps = [step for way in self._between(target, source, None) for step in way]
        stamps = [step.before.stamp_ns for step in steps if step.before.child not in self._static]
        return min(stamps, default=None)

    def _between(
        self, target: str, source: str, at_ns: int | None
    ) -> tuple[list[_Step], list[_Step]]:
        """Return the steps from either frame up to the first that is above both."""
        ours, theirs = self._way_up(target, at_ns), self._way_up(source, at_ns)
        for number, frame in enumerate(theirs.frames):
            if frame in ours.frames:
                return ours.steps[: ours.frames.index(frame)], theirs.steps[:number]
        worst = max(ours.weight, theirs.weight)
        reasons = [way.end for way in (theirs, ours) if way.weight == worst]
        raise TransformError(f'no transform {target} <- {source}: {" and ".join(reasons)}')

    def _way_up(self, frame: str, at_ns: int | None) -> _Way:
        steps: list[_Step] = []
        frames = [frame]
        while True:
            step, reason = self._step(frames[-1], at_ns)
            if step is None:
                break
            if step.before.parent in frames:
                return _Way(steps, frames, 3, f'{step.before.parent} hangs below itself')
            steps.append(step)
            frames.append(step.before.parent)
        if reason:
            return _Way(steps, frames, 1, reason)
        if steps:
            return _Way(steps, frames, 0, f'{frame} hangs below {frames[-1]}')
        if frame in self._parents:
            return _Way(steps, frames, 0, f'{frame} hangs below nothing')
        return _Way(steps, frames, 2, f'nobody broadcasts {frame}')

    def _step(self, child: str, at_ns: int | None) -> tuple[_Step | None, str]:
        """Return the way to the parent, or none, and why where there is one at other times."""
        if (fixed := self._static.get(child)) is not None:
            return _Step(fixed, fixed, 0.0), ''
        if (history := self._moving.get(child)) is None:
            return None, ''
        stamps, samples = history.stamps_ns, history.samples
        if at_ns is None or at_ns == stamps[-1]:
            return _Step(samples[-1], samples[-1], 0.0), ''
        edge = f'{samples[-1].parent} -> {child} is known'
        if at_ns > stamps[-1]:
            late_s = (at_ns - stamps[-1]) / NS_PER_S
            return None, f'{edge} until {late_s:.3f} s before the stamp that is asked for'
        if at_ns < stamps[0]:
            early_s = (stamps[0] - at_ns) / NS_PER_S
            return None, f'{edge} from {early_s:.3f} s after the stamp that is asked for'
        index = bisect_right(stamps, at_ns)
        before, after = samples[index - 1], samples[index]
        share = (at_ns - before.stamp_ns) / (after.stamp_ns - before.stamp_ns)
        return _Step(before, after, share), ''
