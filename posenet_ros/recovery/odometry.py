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

"""Where odometry had the robot, over the last while."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.recovery.checks import check_numbers
from posenet_ros.recovery.drift import angle_between, Reading
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class OdometryOptions:
    """
    What the buffer keeps and believes.

    It keeps `keep_s` and at most `most` readings. Between two that are more than `gap_s` apart
    nothing is interpolated, and nothing is told more than `beyond_s` after the newest. A stamp
    more than `jump_s` before the newest is a clock that was set back; one less so came late and
    is left out. A robot that is faster than `fastest_m_s` or `fastest_rad_s` was not driven:
    odometry began anew.
    """

    keep_s: float = 60.0
    most: int = 6000
    gap_s: float = 0.5
    beyond_s: float = 0.05
    jump_s: float = 0.5
    fastest_m_s: float = 5.0
    fastest_rad_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a buffer that could hold nothing."""
        check_numbers(self, at_least=1e-3, most=(2, 1e6), beyond_s=(0.0, 0.5))


@dataclass(frozen=True)
class Missing:
    """Why something is not told."""

    reason: str


# Two poses of one sample are this much apart by rounding or jitter, however fast that would be.
_JITTER_M = 0.05
_JITTER_RAD = 0.05


class OdometryBuffer:
    """
    Tells `odom_from_base` at instants between its readings, or why it cannot.

    Nothing is guessed: before the oldest reading, after the newest, and in a gap there is no
    answer. When odometry or the clock starts anew, all from before is forgotten.
    """

    def __init__(self, options: OdometryOptions | None = None) -> None:
        """Start empty."""
        self.options = options or OdometryOptions()
        self.epoch = 0
        self._stamps_ns: list[int] = []
        self._readings: list[Reading] = []

    def __len__(self) -> int:
        """Return the number of readings."""
        return len(self._stamps_ns)

    def clear(self) -> None:
        """Forget everything, as where the clock was set back."""
        self.epoch += 1
        for kept in (self._stamps_ns, self._readings):
            kept.clear()

    def add(self, stamp_ns: int, odom_from_base: Pose) -> str | None:
        """
        Take what odometry says, and return what was wrong with it, None where nothing was.

        Raises GeometryError for a pose that is not `odom_from_base`.
        """
        if (odom_from_base.target, odom_from_base.source) != ('odom', 'base'):
            raise GeometryError(f'odometry is odom_from_base, not {odom_from_base}')
        if not np.isfinite(odom_from_base.rotation.as_matrix()).all():
            return 'odometry has a rotation that is not finite'
        if not self._stamps_ns:
            self._append(Reading(stamp_ns, odom_from_base, 0.0, 0.0, self.epoch))
            return None
        before = self._readings[-1]
        elapsed_ns = stamp_ns - before.stamp_ns
        if elapsed_ns <= 0:
            if -elapsed_ns <= self.options.jump_s * NS_PER_S:
                return 'odometry came late, or twice'
            return self._anew(
                stamp_ns,
                odom_from_base,
                f'the clock jumped back by {-elapsed_ns / NS_PER_S:.1f} s',
            )
        moved = float(
            np.linalg.norm(odom_from_base.translation - before.odom_from_base.translation)
        )
        turned = float(angle_between(before.matrix, odom_from_base.rotation.as_matrix()))
        seconds = elapsed_ns / NS_PER_S
        # A gap excuses nothing: what began anew in it would pass for a long way driven.
        driven_s = min(seconds, self.options.gap_s)
        if (
            moved > self.options.fastest_m_s * driven_s + _JITTER_M
            or turned > self.options.fastest_rad_s * driven_s + _JITTER_RAD
        ):
            return self._anew(
                stamp_ns,
                odom_from_base,
                f'odometry jumped by {moved:.2f} m and {np.degrees(turned):.0f} deg '
                f'in {seconds:.2f} s',
            )
        self._append(
            Reading(
                stamp_ns,
                odom_from_base,
                before.way_m + moved,
                before.turn_rad + turned,
                self.epoch,
            )
        )
        return None

    def at(self, stamp_ns: int) -> Reading | Missing:
        """
        Return the reading at an instant, or why there is none.

        Positions are interpolated linearly and rotations on the shortest arc, as robots hardly
        turn between two readings; up to `beyond_s` after the newest the last motion goes on, for
        as long as it was seen at most.
        """
        if not self._stamps_ns:
            return Missing('there is no odometry')
        oldest, newest = self._stamps_ns[0], self._stamps_ns[-1]
        if stamp_ns < oldest:
            return Missing(f'odometry begins {(oldest - stamp_ns) / NS_PER_S:.2f} s later')
        if stamp_ns > newest + self._beyond_ns:
            return Missing(f'odometry ends {(stamp_ns - newest) / NS_PER_S:.2f} s before')
        after = bisect_left(self._stamps_ns, stamp_ns)
        if after < len(self) and self._stamps_ns[after] == stamp_ns:
            return self._readings[after]
        after = min(after, len(self) - 1)
        gap_ns = self._stamps_ns[after] - self._stamps_ns[after - 1]
        if gap_ns > self.options.gap_s * NS_PER_S:
            return Missing(f'odometry has a gap of {gap_ns / NS_PER_S:.1f} s')
        return self._between(after, stamp_ns, gap_ns)

    @property
    def _beyond_ns(self) -> float:
        """How far the last motion may go on: not for longer than it was seen."""
        if len(self) < 2:
            return 0
        seen_ns = self._stamps_ns[-1] - self._stamps_ns[-2]
        return min(self.options.beyond_s * NS_PER_S, seen_ns)

    @property
    def newest(self) -> Reading | None:
        """The newest reading."""
        return self._readings[-1] if self._readings else None

    def _between(self, after: int, stamp_ns: int, gap_ns: int) -> Reading:
        one, other = self._readings[after - 1], self._readings[after]
        share = (stamp_ns - one.stamp_ns) / gap_ns
        first, second = one.odom_from_base, other.odom_from_base
        turn = (first.rotation.inv() * second.rotation).as_rotvec()
        pose = Pose(
            first.rotation * Rotation.from_rotvec(share * turn),
            first.translation + share * (second.translation - first.translation),
            'odom',
            'base',
        )
        return Reading(
            stamp_ns,
            pose,
            one.way_m + share * (other.way_m - one.way_m),
            one.turn_rad + share * (other.turn_rad - one.turn_rad),
            self.epoch,
        )

    def _anew(self, stamp_ns: int, odom_from_base: Pose, why: str) -> str:
        self.clear()
        self.add(stamp_ns, odom_from_base)
        return why

    def _append(self, reading: Reading) -> None:
        self._stamps_ns.append(reading.stamp_ns)
        self._readings.append(reading)
        oldest = reading.stamp_ns - self.options.keep_s * NS_PER_S
        # Some at a time: taking the first out of a list moves all others.
        if len(self) > 1.2 * self.options.most or self._stamps_ns[len(self) // 6] < oldest:
            keep = max(bisect_left(self._stamps_ns, oldest), len(self) - self.options.most)
            for kept in (self._stamps_ns, self._readings):
                del kept[:keep]
