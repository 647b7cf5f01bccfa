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

"""Transforms of a recording: which frames hang together, and how they moved."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Pose, Trajectory
from scipy.spatial.transform import Rotation

# An edge on /tf whose poses all lie this close to its first is a fixed joint.
STILL_METRES = 1e-6
STILL_RADIANS = 1e-6

Edge = tuple[str, str]


def plain(frame: str) -> str:
    """Return a frame name without the leading slash that ROS 1 allowed."""
    return frame.lstrip('/')


class TransformTree:
    """
    The edges of /tf and /tf_static, with the frame names of the messages.

    `target` and `source` mean what they mean to tf2's `lookup_transform(target, source)`; a
    leading slash is ignored. Where several chains connect two frames, the shortest is taken.
    """

    def __init__(self, static: Iterable[Pose], moving: Iterable[Trajectory]) -> None:
        """Take edges `parent_from_child` with plain names; of several for one edge the last."""
        self._moving = {(edge.target, edge.source): edge for edge in moving}
        # Old drivers repeat their fixed joints on /tf.
        self._fixed = {names: edge[0] for names, edge in self._moving.items() if _is_still(edge)}
        self._fixed.update({(edge.target, edge.source): edge for edge in static})

    @property
    def frames(self) -> tuple[str, ...]:
        """The names of all frames, sorted."""
        return tuple(sorted({name for names in (*self._fixed, *self._moving) for name in names}))

    def static(self, target: str, source: str) -> Pose | None:
        """
        Return the constant `target_from_source`, or None where no constant chain connects them.

        Joints on /tf that never move in this recording count as constant.
        """
        target, source = plain(target), plain(source)
        chain = _chain(target, source, self._fixed)
        if chain is None:
            return None
        pose = Pose.identity(target, target)
        for edge in chain:
            pose = pose @ self._fixed_edge(edge)
        return pose

    def trajectory(self, target: str, source: str) -> Trajectory | None:
        """
        Return `target_from_source` over time, or None where nothing on /tf connects them.

        The stamps are those of the one moving edge of the chain, at its own rate. With several,
        they are all stamps at which every edge is known, each interpolated over no more than
        its own usual gap; None where there are none.
        """
        target, source = plain(target), plain(source)
        chain = _chain(target, source, {**self._fixed, **self._moving}) or []
        on_tf = [edge for edge in chain if _either_way(edge, self._moving)]
        # A fixed joint tells nothing about time, and may even be stamped in the future.
        changing = [edge for edge in on_tf if not _either_way(edge, self._fixed)] or on_tf
        moving = {edge: self._moving_edge(edge) for edge in changing}
        stamps_ns = _shared_stamps(list(moving.values()))
        if len(stamps_ns) == 0:
            return None
        rotations = Rotation.identity(len(stamps_ns))
        translations = np.zeros((len(stamps_ns), 3))
        for edge in chain:
            if edge in moving:
                step = moving[edge].at(stamps_ns)
                rotation, translation = step.rotations, step.translations
            else:
                fixed = self._fixed_edge(edge)
                rotation, translation = fixed.rotation, fixed.translation
            translations = rotations.apply(translation) + translations
            rotations = rotations * rotation
        return Trajectory(stamps_ns, rotations, translations, target, source)

    def _fixed_edge(self, edge: Edge) -> Pose:
        """Return `edge[0]_from_edge[1]`, whichever way it was published."""
        return self._fixed[edge] if edge in self._fixed else self._fixed[edge[::-1]].inverse()

    def _moving_edge(self, edge: Edge) -> Trajectory:
        """Return `edge[0]_from_edge[1]`, whichever way it was published."""
        return self._moving[edge] if edge in self._moving else self._moving[edge[::-1]].inverse()


def _either_way(edge: Edge, edges: Collection[Edge]) -> bool:
    return edge in edges or edge[::-1] in edges


def _is_still(edge: Trajectory) -> bool:
    turned = (edge.rotations[0].inv() * edge.rotations).magnitude()
    moved = np.abs(edge.translations - edge.translations[0])
    return bool(turned.max() < STILL_RADIANS and moved.max() < STILL_METRES)


def _shared_stamps(edges: Sequence[Trajectory]) -> NDArray[np.int64]:
    """Return every stamp of any edge at which all of them are known."""
    if not edges:
        return np.zeros(0, dtype=np.int64)
    stamps_ns = np.unique(np.concatenate([edge.stamps_ns for edge in edges]))
    for edge in edges:
        stamps_ns = stamps_ns[edge.covers(stamps_ns, max_gap_ns=edge.usual_gap_ns)]
    return stamps_ns


def _chain(target: str, source: str, edges: Collection[Edge]) -> list[Edge] | None:
    """Return the shortest way as edges to multiply from target to source, None for no way."""
    neighbours: dict[str, list[str]] = {}
    for parent, child in edges:
        neighbours.setdefault(parent, []).append(child)
        neighbours.setdefault(child, []).append(parent)
    if target not in neighbours:
        return None
    came_from = {target: target}
    queue = deque([target])
    while queue and source not in came_from:
        here = queue.popleft()
        for there in neighbours[here]:
            if there not in came_from:
                came_from[there] = here
                queue.append(there)
    if source not in came_from:
        return None
    chain: list[Edge] = []
    while source != target:
        chain.append((came_from[source], source))
        source = came_from[source]
    return chain[::-1]
