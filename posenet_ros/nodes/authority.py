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
Who broadcasts which transform, and where two claim the same child.

TF has no owner of a frame: with two broadcasters, whoever was heard last is right, and everything
below the child jumps between them. A change of parents or of publishers is no conflict; that the
former one is heard again after it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from posenet_ros.geometry import NS_PER_S
from posenet_ros.nodes.transform_buffer import Sample

# A conflict is told for so long after it was last seen.
_LASTING_NS = 5 * NS_PER_S
_MOST_SOURCES = 8
# A publisher on two threads may swap two stamps now and then.
_MOST_STEPS_BACK = 3


class Source(NamedTuple):
    """
    A parent that a child was given, by a publisher: its gid, empty where rclpy does not tell.

    rclpy tells it in Kilted and later; before that, two publishers of one edge are known by what
    no single one sends, and not by name.
    """

    parent: str
    publisher: bytes
    static: bool


@dataclass
class _Child:
    heard: dict[Source, Sample] = field(default_factory=dict)
    newest: Source | None = None
    # When two sources were last seen to take turns, and when one to contradict itself.
    turns_ns: dict[frozenset[Source], int] = field(default_factory=dict)
    contradicted_ns: int | None = None
    steps_back_ns: list[int] = field(default_factory=list)


class AuthorityWatch:
    """
    Notes every transform that is heard, and tells which children have two masters.

    What can be told: a child with two parents; two publishers of one edge, by their gids; without
    gids, two values for one stamp, or stamps that go back again and again. Two static transforms
    of one child conflict where they differ and both publishers are still there. Times are of the
    monotonic clock.
    """

    def __init__(self) -> None:
        self._children: dict[str, _Child] = {}

    def heard(self, sample: Sample, *, static: bool, publisher: bytes, now_ns: int) -> None:
        """Note a transform, by whom it was sent."""
        child = self._children.setdefault(sample.child, _Child())
        source = Source(sample.parent, publisher, static)
        before = child.heard.get(source)
        if before is not None and not static:
            if child.newest not in (source, None):
                child.turns_ns[frozenset((source, child.newest))] = now_ns
            if not publisher:
                _look_for_two(child, before, sample, now_ns)
        if not static:
            child.newest = source
        elif publisher:
            # Who says another thing than before takes back the former.
            for other in [each for each in child.heard if each.static]:
                if other.publisher == publisher:
                    del child.heard[other]
        # In the order in which they were heard last.
        child.heard.pop(source, None)
        child.heard[source] = sample
        while len(child.heard) > _MOST_SOURCES:
            child.heard.pop(next(iter(child.heard)))

    def clear(self) -> None:
        """Forget what moves; what is static is not said again."""
        for child in self._children.values():
            child.heard = {source: each for source, each in child.heard.items() if source.static}
            child.newest = child.contradicted_ns = None
            child.turns_ns.clear()
            child.steps_back_ns.clear()

    def conflicts(
        self, frames: Iterable[str], now_ns: int, publishers: Mapping[bytes, str]
    ) -> list[str]:
        """
        Return, a line each, what two claim at present of some frames and of all above them.

        `publishers` names those that are in the graph, by gid.
        """
        found = []
        for name in self._above(frames):
            child = self._children[name]
            for pair in _contested(child, now_ns, publishers):
                found.append(_text(name, pair, publishers))
            if child.newest and _contradicts_itself(child, now_ns):
                edge = f'{child.newest.parent} -> {name}'
                found.append(
                    f'{edge} seems to be broadcast by two: its values or stamps contradict each '
                    'other'
                )
        return found

    def _above(self, frames: Iterable[str]) -> list[str]:
        """Return the children among some frames and all above them, by any parent they had."""
        found: dict[str, None] = {}
        queue = list(frames)
        while queue:
            frame = queue.pop()
            if frame in self._children and frame not in found:
                found[frame] = None
                queue += [source.parent for source in self._children[frame].heard]
        return list(found)


def _look_for_two(child: _Child, before: Sample, sample: Sample, now_ns: int) -> None:
    """Note what no single publisher does."""
    if sample.stamp_ns == before.stamp_ns and _differ(before, sample):
        child.contradicted_ns = now_ns
    if sample.stamp_ns < before.stamp_ns:
        child.steps_back_ns = [*child.steps_back_ns[-_MOST_STEPS_BACK:], now_ns]


def _contradicts_itself(child: _Child, now_ns: int) -> bool:
    if child.contradicted_ns is not None and now_ns - child.contradicted_ns <= _LASTING_NS:
        return True
    back = [each for each in child.steps_back_ns if now_ns - each <= _LASTING_NS]
    return len(back) > _MOST_STEPS_BACK


def _contested(
    child: _Child, now_ns: int, publishers: Mapping[bytes, str]
) -> list[tuple[Source, Source]]:
    """Return the pairs of sources that both claim a child."""
    child.turns_ns = {
        pair: at_ns for pair, at_ns in child.turns_ns.items() if now_ns - at_ns <= _LASTING_NS
    }
    pairs = [tuple(sorted(pair)) for pair in child.turns_ns]
    for source, sample in child.heard.items():
        if not source.static or not _is_there(source, publishers):
            continue
        # A static one was said once and for all; any other that is there contradicts it.
        for other, theirs in child.heard.items():
            both_static = other.static and other > source
            alive = both_static or other == child.newest
            differ = other.parent != source.parent or _differ(sample, theirs)
            if other != source and alive and differ and _is_there(other, publishers):
                pairs.append((source, other))
    return pairs


def _is_there(source: Source, publishers: Mapping[bytes, str]) -> bool:
    return not source.publisher or source.publisher in publishers


def _differ(one: Sample, other: Sample) -> bool:
    """Tell whether two samples say different things, beyond how numbers are rounded."""
    apart, turned = one.pose.renamed(target='it').distance(other.pose.renamed(target='it'))
    return apart > 1e-6 or turned > 1e-6


def _text(child: str, pair: tuple[Source, Source], publishers: Mapping[bytes, str]) -> str:
    one, other = pair
    names = [publishers.get(source.publisher, '') for source in pair]
    if one.parent != other.parent:
        told = [
            f'{source.parent} (by {name})' if name else source.parent
            for source, name in zip(pair, names)
        ]
        return f'{child} has two parents: {told[0]} and {told[1]}'
    edge = f'{one.parent} -> {child}'
    if one.publisher == other.publisher:
        return f'{edge} is broadcast as static and as moving, and the two differ'
    if not all(names):
        return f'{edge} is broadcast by two publishers'
    if names[0] == names[1]:
        return f'{edge} is broadcast twice, both times by {names[0]}'
    return f'{edge} is broadcast by two: {names[0]} and {names[1]}'
