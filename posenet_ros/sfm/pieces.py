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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Trajectory

# Frames that share fewer points than this with the one before are not held by it.
FEWEST_SHARED = 15
# Nor are frames after a pause this long, or this many usual steps of time.
_PAUSE_S = 2.5
_PAUSE_STEPS = 4.0
# What odometry may be wrong after a way of so many metres. Slipping is part of the fixed one.
_METRES, _METRES_SHARE = 0.5, 0.1
_DEGREES, _DEGREES_PER_METRE, _MOST_DEGREES = 10.0, 1.0, 60.0
_WAY_STEP_NS = NS_PER_S // 2


@dataclass(frozen=True)
class Misplaced:
    """
    A piece that does not lie where odometry leads: frames (indices), and how far it is off.

    `expected` (K, 3) is where odometry leads instead, `reach` (K,) how far off that may be.
    """

    frames: NDArray[np.int64]
    metres_off: float
    metres_allowed: float
    expected: NDArray[np.float64]
    reach: NDArray[np.float64]


def misplaced_pieces(
    camera: Trajectory,
    told: Trajectory,
    path: Trajectory,
    shared: NDArray[np.int64],
    *,
    drift_rad_per_m: float,
) -> list[Misplaced]:
    """
    Return the pieces of a map that odometry does not lead to.

    `camera` are labels in metres and `told` the reference at the same N stamps, `path` the
    reference at its own rate; `shared` (N,) are the points of the map that each frame has in
    common with the one before, `drift_rad_per_m` how fast the reference's heading is known to
    drift. The longest piece is taken to be right; others are added from there, each
    compared with the nearest that are in place already.
    """
    pieces = _pieces(camera.stamps_ns, shared)
    compared = _Comparison(camera, told, path, drift_rad_per_m)
    placed = {max(range(len(pieces)), key=lambda index: len(pieces[index]))}
    wrong: list[Misplaced] = []
    # From the nearest in time outwards, so that the way to compare over is short.
    begin = min(placed)
    order = [*range(begin + 1, len(pieces)), *reversed(range(begin))]
    for index in order:
        before = max((other for other in placed if other < index), default=None)
        after = min((other for other in placed if other > index), default=None)
        checks = []
        if before is not None:
            checks.append(compared.off(pieces[before][-1], pieces[index][0]))
        if after is not None:
            checks.append(compared.off(pieces[index][-1], pieces[after][0]))
        off, allowed = max(checks, key=lambda check: check[0] - check[1])
        if off > allowed:
            near = pieces[after][0] if before is None else pieces[before][-1]
            led = [compared.lead(near, frame) for frame in pieces[index]]
            places, reach = (np.array(each) for each in zip(*led, strict=True))
            wrong.append(Misplaced(pieces[index], off, allowed, places, reach))
        else:
            placed.add(index)
    return wrong


def _pieces(stamps_ns: NDArray[np.int64], shared: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Cut the frames where images do not hold one to the one before."""
    steps = np.diff(stamps_ns)
    usual_ns = float(np.median(steps)) if len(steps) else 0.0
    loose = shared[1:] < FEWEST_SHARED
    loose |= steps > max(_PAUSE_S * NS_PER_S, _PAUSE_STEPS * usual_ns)
    return np.split(np.arange(len(stamps_ns)), np.flatnonzero(loose) + 1)


class _Comparison:
    """Compares the way from one frame to another with what odometry says of it."""

    def __init__(
        self, camera: Trajectory, told: Trajectory, path: Trajectory, drift_rad_per_m: float
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

    def off(self, first: int, last: int) -> tuple[float, float]:
        """Return the metres that a way is off, and the metres that it may be."""
        metres = np.linalg.norm(
            _way_seen(self._camera, first, last) - _way_seen(self._told, first, last)
        )
        return float(metres), self._allowed(first, last)

    def lead(self, known: int, frame: int) -> tuple[NDArray[np.float64], float]:
        """Return where odometry leads from a known frame to another, and how far that is off."""
        way = self._camera.rotations[known].apply(_way_seen(self._told, known, frame))
        return self._camera.translations[known] + way, self._allowed(known, frame)

    def _allowed(self, first: int, last: int) -> float:
        ends = self._camera.stamps_ns[[first, last]]
        length = abs(float(np.diff(np.interp(ends, self._way_ns, self._way))[0]))
        turned = np.radians(_DEGREES) + (np.radians(_DEGREES_PER_METRE) + self._drift) * length
        turned = min(turned, np.radians(_MOST_DEGREES))
        return _METRES + (_METRES_SHARE + turned / 2) * length


def _way_seen(poses: Trajectory, first: int, last: int) -> NDArray[np.float64]:
    """Return the way from one pose to another, in the coordinates of the first."""
    way = poses.translations[last] - poses.translations[first]
    return poses.rotations[first].inv().apply(way)
