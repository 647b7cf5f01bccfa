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

"""map -> odom from fixes, without jumps of the robot."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.recovery.checks import check_numbers
from posenet_ros.recovery.fix import Fix
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class SmoothingOptions:
    """
    How fast map -> odom may follow: the robot is moved by at most so much a second.

    A correction of `d` metres and `a` radians is through after `max(d / m_per_s, a / rad_per_s)`
    seconds. Not `on`, each fix holds at once, exactly.
    """

    on: bool = True
    m_per_s: float = 0.2
    rad_per_s: float = math.radians(10)
    longest_s: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a transform that never follows."""
        check_numbers(self, at_least=1e-4)


def map_from_odom(fix: Fix) -> Pose:
    """Return `map_from_base @ base_from_odom`, both at the stamp of the image."""
    return fix.map_from_base @ fix.reading.odom_from_base.inverse()


class Smoother:
    """
    Follows the newest fix by bounded steps.

    The robot is what must not jump. A turn of odom about its origin swings a robot that is far
    from there by metres; so steps are bounded where the robot is.
    """

    def __init__(self, options: SmoothingOptions | None = None) -> None:
        """Start without a transform."""
        self.options = options or SmoothingOptions()
        self.current: Pose | None = None
        self._target: Pose | None = None
        self._stepped_ns: int | None = None

    def clear(self) -> None:
        """Forget the transform, as where odometry or the clock began anew."""
        self.current = self._target = self._stepped_ns = None

    def take(self, fix: Fix, *, jump: bool = False) -> None:
        """
        Follow another fix; `jump` goes there at once, as a recovery does.

        So does the first, and each where smoothing is off.
        """
        self._target = map_from_odom(fix)
        if jump or self.current is None or not self.options.on:
            self.current = self._target

    def step(self, now_ns: int, odom_from_base: Pose) -> Pose | None:
        """
        Return `map_from_odom` for now, given where odometry has the robot; None before a fix.

        After a pause, or a clock that was set back, a step is of at most `longest_s`.
        """
        elapsed_s = 0.0
        if self._stepped_ns is not None:
            elapsed_s = (now_ns - self._stepped_ns) / NS_PER_S
            elapsed_s = min(max(elapsed_s, 0.0), self.options.longest_s)
        self._stepped_ns = now_ns
        if self.current is None or self._target is None or self.current is self._target:
            return self.current
        here, there = self.current @ odom_from_base, self._target @ odom_from_base
        way = there.translation - here.translation
        turn = (there.rotation * here.rotation.inv()).as_rotvec()
        share = min(
            _share(self.options.m_per_s * elapsed_s, float(np.linalg.norm(way))),
            _share(self.options.rad_per_s * elapsed_s, float(np.linalg.norm(turn))),
        )
        if share >= 1:
            self.current = self._target
            return self.current
        stepped = Pose(
            Rotation.from_rotvec(share * turn) * here.rotation,
            here.translation + share * way,
            here.target,
            here.source,
        )
        self.current = stepped @ odom_from_base.inverse()
        return self.current


def _share(reach: float, distance: float) -> float:
    """Return which share of a distance can be gone."""
    return 1.0 if distance <= reach else reach / distance
