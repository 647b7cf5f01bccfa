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

"""Poses over time: interpolation and association."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry.pose import Pose, rotation_from_parts
from scipy.spatial.transform import Rotation, Slerp

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, eq=False)
class Trajectory:
    """
    N poses `target_from_source` with strictly increasing stamps.

    `stamps_ns` is int64 (N,), `rotations` a stack of N, `translations` (N, 3) in metres.
    """

    stamps_ns: NDArray[np.int64]
    rotations: Rotation
    translations: NDArray[np.float64]
    target: str
    source: str

    def __post_init__(self) -> None:
        """Check that the parts belong together and that time only moves forward."""
        stamps = np.asarray(self.stamps_ns, dtype=np.int64)
        # A copy: SciPy's rotations take no read-only arrays.
        translations = np.array(self.translations, dtype=np.float64).reshape(-1, 3)
        if not len(stamps) == len(translations) == len(self.rotations):
            raise GeometryError('a trajectory needs one stamp, rotation and translation a pose')
        if (np.diff(stamps) <= 0).any():
            raise GeometryError('the stamps of a trajectory must increase strictly')
        object.__setattr__(self, 'stamps_ns', stamps)
        object.__setattr__(self, 'translations', translations)

    @classmethod
    def from_poses(cls, stamps_ns: Sequence[int], poses: Sequence[Pose]) -> Trajectory:
        """
        Stack poses that all connect the same two frames, given in any order of time.

        Of several poses with one stamp the last is kept. Raises GeometryError for no poses at
        all, or poses between different frames.
        """
        if not poses:
            raise GeometryError('a trajectory needs at least one pose')
        frames = {(pose.target, pose.source) for pose in poses}
        if len(frames) > 1:
            raise GeometryError(f'one trajectory, one pair of frames; got {sorted(frames)}')
        newest = dict(zip(stamps_ns, poses, strict=True))
        order = sorted(newest)
        kept = [newest[stamp] for stamp in order]
        return cls(
            np.array(order, dtype=np.int64),
            Rotation.concatenate([pose.rotation for pose in kept]),
            np.stack([pose.translation for pose in kept]),
            kept[0].target,
            kept[0].source,
        )

    @classmethod
    def from_quaternions(
        cls,
        stamps_ns: ArrayLike,
        translations: ArrayLike,
        *,
        w: ArrayLike,
        x: ArrayLike,
        y: ArrayLike,
        z: ArrayLike,
        target: str,
        source: str,
    ) -> Trajectory:
        """
        Stack many poses from quaternion parts by name, each (N,), in any order of time.

        Of several poses with one stamp the last is kept. Raises GeometryError for what
        `rotation_from_parts` refuses.
        """
        stamps = np.asarray(stamps_ns, dtype=np.int64)
        # The first of equal stamps seen from the back is the last seen from the front.
        stamps, from_back = np.unique(stamps[::-1], return_index=True)
        keep = -1 - from_back
        rotations = rotation_from_parts(w=w, x=x, y=y, z=z)[keep]
        moved = np.asarray(translations, dtype=np.float64).reshape(-1, 3)[keep]
        return cls(stamps, rotations, moved, target, source)

    def __len__(self) -> int:
        """Return the number of poses."""
        return len(self.stamps_ns)

    def __getitem__(self, index: int) -> Pose:
        """Return one pose."""
        return Pose(self.rotations[index], self.translations[index], self.target, self.source)

    def __iter__(self) -> Iterator[Pose]:
        """Iterate over the poses in order of time."""
        return (self[index] for index in range(len(self)))

    def select(self, keep: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Trajectory:
        """Return the poses that a mask, increasing indices or a slice picks."""
        return Trajectory(
            self.stamps_ns[keep],
            self.rotations[keep],
            self.translations[keep],
            self.target,
            self.source,
        )

    @property
    def usual_gap_ns(self) -> int:
        """The longest gap to interpolate over: some periods, at least a fifth of a second."""
        period_ns = float(np.median(np.diff(self.stamps_ns))) if len(self) > 1 else 0.0
        return round(max(0.2 * NS_PER_S, 3 * period_ns))

    def covers(self, stamps_ns: NDArray[np.int64], *, max_gap_ns: int) -> NDArray[np.bool_]:
        """Tell which stamps lie between two poses that are at most `max_gap_ns` apart."""
        stamps_ns = np.asarray(stamps_ns, dtype=np.int64)
        if len(self) == 0:
            return np.zeros(len(stamps_ns), dtype=bool)
        after = np.searchsorted(self.stamps_ns, stamps_ns, side='left')
        inside = after < len(self)
        after = np.minimum(after, len(self) - 1)
        exact = self.stamps_ns[after] == stamps_ns
        before = np.maximum(after - 1, 0)
        gap = self.stamps_ns[after] - self.stamps_ns[before]
        return inside & (exact | ((after > 0) & (gap <= max_gap_ns)))

    def at(self, stamps_ns: NDArray[np.int64]) -> Trajectory:
        """
        Interpolate at increasing stamps: positions linearly, rotations on the shortest arc.

        Raises GeometryError for a stamp outside the trajectory: nothing is extrapolated.
        """
        stamps_ns = np.asarray(stamps_ns, dtype=np.int64)
        if len(self) == 0 or len(stamps_ns) == 0:
            raise GeometryError('nothing to interpolate')
        if stamps_ns.min() < self.stamps_ns[0] or stamps_ns.max() > self.stamps_ns[-1]:
            raise GeometryError('asked for a pose outside the time of the trajectory')
        if len(self) == 1:
            return self
        # Seconds since the start: int64 nanoseconds since 1970 do not fit a double.
        own = (self.stamps_ns - self.stamps_ns[0]) / NS_PER_S
        asked = (stamps_ns - self.stamps_ns[0]) / NS_PER_S
        translations = np.stack(
            [np.interp(asked, own, self.translations[:, axis]) for axis in range(3)], axis=1
        )
        rotations = Slerp(own, self.rotations)(asked)
        return Trajectory(stamps_ns, rotations, translations, self.target, self.source)

    def inverse(self) -> Trajectory:
        """Return `source_from_target` at every stamp."""
        inverse = self.rotations.inv()
        moved = -inverse.apply(self.translations)
        return Trajectory(self.stamps_ns, inverse, moved, self.source, self.target)

    def transformed(self, new_from_target: Pose) -> Trajectory:
        """Return `new_from_source = new_from_target @ target_from_source` for every pose."""
        if new_from_target.source != self.target:
            raise GeometryError(
                f'{new_from_target.target}_from_{new_from_target.source} does not meet a '
                f'trajectory {self.target}_from_{self.source}'
            )
        return Trajectory(
            self.stamps_ns,
            new_from_target.rotation * self.rotations,
            new_from_target @ self.translations,
            new_from_target.target,
            self.source,
        )

    def of_body(self, source_from_body: Pose) -> Trajectory:
        """Return `target_from_body = target_from_source @ source_from_body` for every pose."""
        if source_from_body.target != self.source:
            raise GeometryError(
                f'a trajectory {self.target}_from_{self.source} does not meet '
                f'{source_from_body.target}_from_{source_from_body.source}'
            )
        return Trajectory(
            self.stamps_ns,
            self.rotations * source_from_body.rotation,
            self.rotations.apply(source_from_body.translation) + self.translations,
            self.target,
            source_from_body.source,
        )


def associate(
    first_ns: NDArray[np.int64], second_ns: NDArray[np.int64], *, tolerance_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Pair two increasing lists of stamps, each with its nearest, within a tolerance.

    Returns the indices into both lists. Every stamp is used at most once: where two of the
    first share a nearest one of the second, the closer of them has it.
    """
    first_ns, second_ns = np.asarray(first_ns), np.asarray(second_ns)
    if len(first_ns) == 0 or len(second_ns) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    right = np.clip(np.searchsorted(second_ns, first_ns), 0, len(second_ns) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.where(
        np.abs(second_ns[left] - first_ns) <= np.abs(second_ns[right] - first_ns), left, right
    )
    distance = np.abs(second_ns[nearest] - first_ns)
    best: dict[int, int] = {}
    for index in np.flatnonzero(distance <= tolerance_ns):
        other = int(nearest[index])
        if other not in best or distance[index] < distance[best[other]]:
            best[other] = int(index)
    pairs = sorted((mine, other) for other, mine in best.items())
    mine = np.array([pair[0] for pair in pairs], dtype=np.int64)
    other = np.array([pair[1] for pair in pairs], dtype=np.int64)
    return mine, other
