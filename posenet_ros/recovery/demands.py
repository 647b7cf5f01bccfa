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

"""What is asked of a fix before a localizer is set to it."""

from __future__ import annotations

from dataclasses import dataclass
import math

from posenet_ros.geometry import NS_PER_S
from posenet_ros.recovery.checks import check_numbers
from posenet_ros.recovery.fix import Fix, NoFix
from posenet_ros.recovery.kidnap import Evidence
from posenet_ros.recovery.observation import Kind


@dataclass(frozen=True)
class ResetOptions:
    """
    What a fix must show before a localizer is set to it, and how long its answer is waited for.

    More than for any fix: at most `fresh_s` old, the last of fixes that speak against the
    localizer and for each other since `sustained_s`, at least `frames` that agree, and `views` of
    these and of the fixes before; verified unless `regressed` is allowed, and then
    `regressed_frames` of `regressed_views`. A robot without any pose may have to stand until it
    has one, and has one view: then `standing` verified frames that `seconded` of the
    network's agree with will do (0: never). None with a deviation above `sigma_m` or `sigma_rad`.
    It worked when within `confirm_s` `confirmations` beliefs in a row are within `near_m` and
    `near_rad` of the fix, which has as many updates more where the last is; one is asked for every
    `update_s`. Else it is tried again after
    `backoff_s`, twice as long each time, at most `attempts` times, until fixes and localizer have
    agreed for `settled_s`. Advice is said again after `again_s`.
    """

    fresh_s: float = 1.5
    sustained_s: float = 2.0
    frames: int = 3
    views: int = 3
    regressed: bool = False
    regressed_frames: int = 8
    regressed_views: int = 5
    standing: int = 5
    seconded: int = 3
    sigma_m: float = 0.5
    sigma_rad: float = math.radians(12)
    near_m: float = 0.4
    near_rad: float = math.radians(12)
    confirmations: int = 2
    confirm_s: float = 4.0
    update_s: float = 1.0
    backoff_s: float = 2.0
    attempts: int = 4
    settled_s: float = 10.0
    again_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a reset by a single frame, or no attempt at all."""
        check_numbers(
            self,
            at_least=1e-3,
            frames=(2, 64),
            views=(1, 32),
            regressed_frames=(3, 64),
            regressed_views=(2, 32),
            standing=(0, 64),
            seconded=(0, 64),
            confirmations=(1, 100),
            attempts=(1, 100),
        )

    def lacking(self, now_ns: int, found: Fix | NoFix, evidence: Evidence) -> str:
        """Return what a fix lacks for a reset; nothing where it lacks nothing."""
        lacking = self._lacking(now_ns, found, evidence)
        if not lacking and isinstance(found, Fix) and evidence.newest_ns != found.stamp_ns:
            # What was seen before does not vouch for a fix that says another thing.
            return 'it is not among the fixes that speak against the localizer'
        return lacking

    def _lacking(self, now_ns: int, found: Fix | NoFix, evidence: Evidence) -> str:
        if isinstance(found, NoFix):
            return found.text()
        age = (now_ns - found.stamp_ns) / NS_PER_S
        if age > self.fresh_s:
            return f'the fix is {age:.1f} s old'
        if evidence.lasted_s < self.sustained_s:
            return f'fixes agree on it for {evidence.lasted_s:.1f} of {self.sustained_s:.1f} s'
        worst_m, worst_rad = _deviations(found)
        if worst_m > self.sigma_m or worst_rad > self.sigma_rad:
            return f'the fix is unsure: {worst_m:.2f} m, {math.degrees(worst_rad):.0f} deg'
        if found.kind is Kind.REGRESSED:
            return self._lacking_regressed(found, evidence)
        if found.frames < self.frames:
            return f'{found.frames} verified frames agree, not {self.frames}'
        stands = (
            evidence.unheard
            and 0 < self.standing <= found.frames
            and found.seconded >= self.seconded
        )
        if evidence.views < self.views and not stands:
            return (
                f'{found.frames} verified frames agree, and {evidence.views} of {self.views} '
                'views: turn, or drive on'
            )
        return ''

    def _lacking_regressed(self, found: Fix, evidence: Evidence) -> str:
        if not self.regressed:
            return 'no points of the map confirm the fix'
        few = found.frames < self.regressed_frames
        if few or evidence.views < self.regressed_views:
            return (
                f'{found.frames} frames of {evidence.views} views agree, not '
                f'{self.regressed_frames} of {self.regressed_views}'
            )
        return ''


def _deviations(fix: Fix) -> tuple[float, float]:
    """Return the largest standard deviations along the floor, and of yaw."""
    covariance = fix.covariance
    return (
        math.sqrt(max(covariance[0, 0], covariance[1, 1])),
        math.sqrt(covariance[5, 5]),
    )
