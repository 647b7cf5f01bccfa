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
Motions over short windows of time, where odometry has had no time to drift.

A motion is seen from the camera in the middle of its window, so no common world is needed to
compare two trajectories, and a heading that drifts evenly cancels to first order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Trajectory
from scipy.spatial.transform import Rotation

# A window may be this much longer than asked, where frames are missing.
_LONGER = 1.5


@dataclass(frozen=True, eq=False)
class Windows:
    """Indices (K,) of the first, middle and last frame of K windows."""

    first: NDArray[np.int64]
    middle: NDArray[np.int64]
    last: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many windows there are."""
        return len(self.first)

    def select(self, keep: NDArray[np.bool_]) -> Windows:
        """Return the windows of a mask."""
        return Windows(self.first[keep], self.middle[keep], self.last[keep])


def windows(stamps_ns: NDArray[np.int64], durations_s: Sequence[float]) -> Windows:
    """
    Return windows of about these durations, beginning at every frame.

    A window ends with the first frame after its duration; one that would be over 1.5 times as
    long, or 1.5 times the usual distance of frames, is left out.
    """
    count = len(stamps_ns)
    if count < 2:
        empty = np.zeros(0, dtype=np.int64)
        return Windows(empty, empty, empty)
    usual_ns = float(np.median(np.diff(stamps_ns)))
    first, last = [], []
    for duration_s in durations_s:
        wanted_ns = round(duration_s * NS_PER_S)
        begin = np.arange(count)
        # Half a frame early is closer than half a frame late.
        end = np.searchsorted(stamps_ns, stamps_ns + wanted_ns - round(usual_ns / 2))
        end = np.maximum(end, begin + 1)
        inside = end < count
        begin, end = begin[inside], end[inside]
        longest_ns = _LONGER * max(wanted_ns, usual_ns)
        fits = stamps_ns[end] - stamps_ns[begin] <= longest_ns
        first.append(begin[fits])
        last.append(end[fits])
    begin, end = np.unique(np.stack([np.concatenate(first), np.concatenate(last)]), axis=1)
    centre_ns = stamps_ns[begin] + (stamps_ns[end] - stamps_ns[begin]) // 2
    middle = np.searchsorted(stamps_ns, centre_ns)
    closer = centre_ns - stamps_ns[middle - 1] < stamps_ns[middle] - centre_ns
    return Windows(begin, np.where(closer, middle - 1, middle), end)


@dataclass(frozen=True, eq=False)
class Motions:
    """
    K motions, each seen from the camera in the middle of its window.

    `rotations` turn the first camera into the last, `steps` (K, 3) go from the first camera to
    the last. `turns` (K, 3, 3) times a vector fixed to the camera is how far the motion moves
    its tip apart from the step: what a wrong lever arm adds.
    """

    rotations: Rotation
    steps: NDArray[np.float64]
    turns: NDArray[np.float64]

    @property
    def angles(self) -> NDArray[np.float64]:
        """How far each motion turns, in radians (K,)."""
        return self.rotations.magnitude()

    @property
    def lengths(self) -> NDArray[np.float64]:
        """How far each motion goes (K,)."""
        return np.linalg.norm(self.steps, axis=1)


def motions(poses: Trajectory, over: Windows) -> Motions:
    """Return how the body of `poses` moved in each window."""
    middle_from_world = poses.rotations[over.middle].inv()
    first = middle_from_world * poses.rotations[over.first]
    last = middle_from_world * poses.rotations[over.last]
    steps = middle_from_world.apply(poses.translations[over.last] - poses.translations[over.first])
    return Motions(last * first.inv(), steps, last.as_matrix() - first.as_matrix())


def with_rotations_of(seen: Trajectory, told: Trajectory) -> Trajectory:
    """
    Return `told` integrated anew from its steps, with the turns of `seen` between them.

    Both have N poses at the same stamps; the result is in the world of `seen`. Heading is what
    drifts in odometry, and what images see best: this leaves of the odometry what it is good
    for, the length and direction of each step.
    """
    steps = np.diff(told.translations, axis=0)
    as_seen = _halfway(seen.rotations) * _halfway(told.rotations).inv()
    path = np.concatenate([np.zeros((1, 3)), np.cumsum(as_seen.apply(steps), axis=0)])
    return Trajectory(seen.stamps_ns, seen.rotations, path, seen.target, seen.source)


def _halfway(rotations: Rotation) -> Rotation:
    """Return the rotations (N - 1) in the middle between successive ones."""
    turns = rotations[:-1].inv() * rotations[1:]
    return rotations[:-1] * Rotation.from_rotvec(0.5 * turns.as_rotvec())
