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
Parts of a map that were joined at the wrong place.

Two doors that look alike make one place of two: after a white corridor, which no image can
follow, the map goes on at the other door. Within each part every motion is right; only the way
from one part to the next contradicts odometry. So the frames are cut into pieces where images
do not hold them together, and every piece must lie where odometry leads from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Trajectory
from scipy.spatial.transform import Rotation

FEWEST_SHARED = 15
_PAUSE_S = 2.5
_PAUSE_STEPS = 4.0
_METRES, _METRES_SHARE = 0.4, 0.1
_DEGREES, _DEGREES_PER_METRE, _MOST_DEGREES = 10.0, 1.0, 60.0
_TURNED_DEGREES = 20.0
_WAY_STEP_NS = NS_PER_S // 2
# A reference that goes so much faster than it usually does, and so far at once, was reset.
_JUMP_SPEEDS, _JUMP_METRES = 10.0, 0.3


@dataclass(frozen=True)
class Apart:
    """How far a way is off the one that odometry says, and how far it may be."""

    metres: float
    most_metres: float
    degrees: float
    most_degrees: float

    @property
    def excess(self) -> float:
        """The larger of both by its limit; above one the way is another."""
        return max(self.metres / self.most_metres, self.degrees / self.most_degrees)

    def __str__(self) -> str:
        """Return the figure that fails, as a person reads it."""
        if self.metres / self.most_metres >= self.degrees / self.most_degrees:
            return f'{self.metres:.1f} m off, {self.most_metres:.1f} m allowed'
        return f'{self.degrees:.0f} deg turned, {self.most_degrees:.0f} deg allowed'


@dataclass(frozen=True)
class Misplaced:
    """
    A piece that does not lie where odometry leads: frames (indices), and how far it is off.

    `expected` (K, 3) is where odometry leads instead, `reach` (K,) how far off that may be.
    """

    frames: NDArray[np.int64]
    off: Apart
    expected: NDArray[np.float64]
    reach: NDArray[np.float64]


def misplaced_pieces(
    camera: Trajectory,
    told: Trajectory,
    path: Trajectory,
    shared: NDArray[np.int64],
    *,
    drift_rad_per_m: float,
    restarts_ns: Sequence[int] = (),
) -> list[Misplaced]:
    """
    Return the pieces of a map that odometry does not lead to.

    `camera` are labels in metres and `told` the reference at the same N stamps, `path` the
    reference at its own rate; `shared` (N,) are the points of the map that each frame has in
    common with the one before, `drift_rad_per_m` how fast the reference's heading is known to
    drift. The longest piece is taken to be right; others are added from there, each
    compared with the nearest that are in place already. Nothing is compared across
    `restarts_ns`, where another recording begins, nor where the reference itself jumps, as after
    a reset: what it says of the way there is nothing.
    """
    pieces = cut(camera.stamps_ns, shared)
    compared = _Comparison(camera, told, path, drift_rad_per_m, restarts_ns)
    placed = {max(range(len(pieces)), key=lambda index: len(pieces[index]))}
    wrong: list[Misplaced] = []
    # From the nearest in time outwards, so that the way to compare over is short.
    begin = min(placed)
    order = [*range(begin + 1, len(pieces)), *reversed(range(begin))]
    for index in order:
        before = max((other for other in placed if other < index), default=None)
        after = min((other for other in placed if other > index), default=None)
        ways = []
        if before is not None:
            ways.append((pieces[before][-1], pieces[index][0]))
        if after is not None:
            ways.append((pieces[after][0], pieces[index][-1]))
        checks = [(compared.off(*way), way[0]) for way in ways if compared.knows(*way)]
        off, near = max(checks, key=lambda check: check[0].excess, default=(None, 0))
        if off is not None and off.excess > 1:
            led = [compared.lead(near, frame) for frame in pieces[index]]
            places, reach = (np.array(each) for each in zip(*led, strict=True))
            wrong.append(Misplaced(pieces[index], off, places, reach))
        else:
            placed.add(index)
    return wrong


def cut(stamps_ns: NDArray[np.int64], shared: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the indices of frames in pieces, between which images do not hold them together."""
    steps = np.diff(stamps_ns)
    usual_ns = float(np.median(steps)) if len(steps) else 0.0
    loose = shared[1:] < FEWEST_SHARED
    loose |= steps > max(_PAUSE_S * NS_PER_S, _PAUSE_STEPS * usual_ns)
    return np.split(np.arange(len(stamps_ns)), np.flatnonzero(loose) + 1)


class _Comparison:
    """Compares the way from one frame to another with what odometry says of it."""

    def __init__(
        self,
        camera: Trajectory,
        told: Trajectory,
        path: Trajectory,
        drift_rad_per_m: float,
        restarts_ns: Sequence[int],
    ) -> None:
        self._camera = camera
        self._told = told
        self._drift = drift_rad_per_m
        # Noise of single samples would make the way longer than it is.
        kept = np.unique((path.stamps_ns - path.stamps_ns[0]) // _WAY_STEP_NS, return_index=True)[
            1
        ]
        steps = np.linalg.norm(np.diff(path.translations[kept], axis=0), axis=1)
        self._way_ns = path.stamps_ns[kept]
        self._way = np.concatenate([[0.0], np.cumsum(steps)])
        self._breaks_ns = np.sort(np.concatenate([jumps(path), restarts_ns]).astype(np.int64))

    def knows(self, first: int, last: int) -> bool:
        """Tell whether the reference says anything of a way, whichever end comes first."""
        ends = np.searchsorted(self._breaks_ns, self._camera.stamps_ns[[first, last]], 'right')
        return bool(ends[0] == ends[1])

    def off(self, first: int, last: int) -> Apart:
        """Return how far a way is off, and how far it may be."""
        metres = np.linalg.norm(
            _way_seen(self._camera, first, last) - _way_seen(self._told, first, last)
        )
        turned_off = _turn_seen(self._camera, first, last).inv() * _turn_seen(
            self._told, first, last
        )
        turned = np.degrees(self._drift_over(self._length(first, last)))
        return Apart(
            float(metres),
            self._allowed(first, last),
            float(np.degrees(turned_off.magnitude())),
            _TURNED_DEGREES + turned,
        )

    def lead(self, known: int, frame: int) -> tuple[NDArray[np.float64], float]:
        """Return where odometry leads from a known frame to another, and how far that is off."""
        way = self._camera.rotations[known].apply(_way_seen(self._told, known, frame))
        return self._camera.translations[known] + way, self._allowed(known, frame)

    def _allowed(self, first: int, last: int) -> float:
        length = self._length(first, last)
        turned = np.radians(_DEGREES) + self._drift_over(length)
        turned = min(turned, np.radians(_MOST_DEGREES))
        return _METRES + (_METRES_SHARE + turned / 2) * length

    def _length(self, first: int, last: int) -> float:
        ends = self._camera.stamps_ns[[first, last]]
        return abs(float(np.diff(np.interp(ends, self._way_ns, self._way))[0]))

    def _drift_over(self, length: float) -> float:
        return (np.radians(_DEGREES_PER_METRE) + self._drift) * length


def jumps(path: Trajectory) -> NDArray[np.int64]:
    """Return the stamps at which a reference is at once where it cannot have moved to."""
    steps = np.linalg.norm(np.diff(path.translations, axis=0), axis=1)
    speeds = steps / np.maximum(np.diff(path.stamps_ns) / NS_PER_S, 1e-9)
    usual = float(np.percentile(speeds, 90)) if len(speeds) else 0.0
    jumped = (steps > _JUMP_METRES) & (speeds > _JUMP_SPEEDS * usual)
    return path.stamps_ns[1:][jumped]


def _way_seen(poses: Trajectory, first: int, last: int) -> NDArray[np.float64]:
    """Return the way from one pose to another, in the coordinates of the first."""
    way = poses.translations[last] - poses.translations[first]
    return poses.rotations[first].inv().apply(way)


def _turn_seen(poses: Trajectory, first: int, last: int) -> Rotation:
    """Return the turn from one pose to another, in the coordinates of the first."""
    return poses.rotations[first].inv() * poses.rotations[last]
