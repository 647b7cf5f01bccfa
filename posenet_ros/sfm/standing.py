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

"""Whether the robot stood still between two images, as its odometry tells it."""

from __future__ import annotations

import numpy as np
from posenet_ros.geometry import Trajectory


class StandStill:
    """
    Tells frames that are too close to the one before to be worth reconstructing.

    `path` is `odom_from_camera`; both limits must be undercut. Where the path knows nothing,
    the camera counts as moving.
    """

    def __init__(self, path: Trajectory, *, metres: float, radians: float) -> None:
        """Take the path and the limits; limits of zero leave every frame in."""
        self._path = path
        self._metres = metres
        self._radians = radians
        self._gap_ns = path.usual_gap_ns

    def between(self, before_ns: int, now_ns: int) -> bool:
        """Tell whether the camera stood still from one stamp to another."""
        # The nearest samples: at the rate of odometry they are millimetres away.
        first, last = self._nearest(before_ns), self._nearest(now_ns)
        if first is None or last is None:
            return False
        moved = np.linalg.norm(self._path.translations[last] - self._path.translations[first])
        turn = self._path.rotations[first].inv() * self._path.rotations[last]
        return bool(moved < self._metres and turn.magnitude() < self._radians)

    def _nearest(self, stamp_ns: int) -> int | None:
        """Return the index of the sample nearest to a stamp, None where none is near."""
        stamps_ns = self._path.stamps_ns
        after = int(np.searchsorted(stamps_ns, stamp_ns))
        around = [index for index in (after - 1, after) if 0 <= index < len(stamps_ns)]
        best = min(around, key=lambda index: abs(int(stamps_ns[index]) - stamp_ns))
        return best if abs(int(stamps_ns[best]) - stamp_ns) <= self._gap_ns else None
