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
Whether the robot was carried away: sustained disagreement of fixes with the running localizer.

A false alarm is worse than a late one. One fix says nothing; those that say it together must go
on for a while, agree with each other while odometry moves them on, and come from several views.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
import math

from posenet_ros.geometry import NS_PER_S
from posenet_ros.recovery.belief import Belief, compare, Difference, difference
from posenet_ros.recovery.checks import check_numbers
from posenet_ros.recovery.drift import Drift
from posenet_ros.recovery.fix import Fix, NoFix
from posenet_ros.recovery.observation import Kind
from posenet_ros.recovery.odometry import Missing
from posenet_ros.recovery.views import count_views, ViewOptions

# Fixes that are kept as evidence.
_MOST = 100


class State(Enum):
    """What is known of the robot and its localizer."""

    UNKNOWN = 'unknown'
    TRACKING = 'tracking'
    SUSPECT = 'suspect'
    KIDNAPPED = 'kidnapped'
    RECOVERING = 'recovering'


@dataclass(frozen=True)
class Evidence:
    """
    Fixes in a row that speak against the localizer and agree with each other.

    They go on for `lasted_s` up to the one of `newest_ns`, and are of so many different `views`
    altogether. Where the localizer tells no pose at all they are `unbelieved`, and where it never
    told one, `unheard`.
    """

    fixes: int = 0
    lasted_s: float = 0.0
    views: int = 0
    unbelieved: bool = False
    unheard: bool = False
    newest_ns: int | None = None


@dataclass(frozen=True)
class Status:
    """A state, why, since when, and what speaks against the localizer meanwhile."""

    state: State
    reason: str
    since_ns: int
    evidence: Evidence = Evidence()


@dataclass(frozen=True)
class KidnapOptions:
    """
    What tells a robot that was carried away.

    A fix speaks against the localizer where it is more than `differ_m` or `differ_rad` away
    and less than `chance` likely by the joint covariance; for it within `agree_m` and
    `agree_rad`, or where the covariance has them agree with a chance above `agree_chance` and they
    are not so far apart. In between it says nothing.
    `fixes` against it, that agree with each other, over `sustained_s` and of `views` views, tell a
    kidnapping. Only verified ones do, unless `regressed` ones may; these take longer,
    `regressed_s` and `regressed_views`. Where the robot stands, verified ones that the network
    seconds do after `standing_s`. Without a localizer's pose for `silent_s` the robot is lost.
    `calm` fixes in a row that speak for the localizer end it. Evidence is forgotten after
    `forget_s` without more, and tracking unknown after `stale_s` without a fix.
    """

    differ_m: float = 0.6
    differ_rad: float = math.radians(20)
    chance: float = 1e-3
    agree_m: float = 0.3
    agree_rad: float = math.radians(10)
    agree_chance: float = 0.05
    fixes: int = 4
    sustained_s: float = 2.0
    views: int = 3
    regressed: bool = False
    regressed_s: float = 5.0
    regressed_views: int = 4
    standing_s: float = 6.0
    seconded: int = 3
    silent_s: float = 4.0
    calm: int = 3
    forget_s: float = 10.0
    stale_s: float = 20.0
    view: ViewOptions = field(default_factory=ViewOptions)

    def __post_init__(self) -> None:
        """Refuse an alarm by one fix, and limits without a space between them."""
        check_numbers(
            self,
            at_least=1e-6,
            chance=(1e-12, 0.05),
            agree_m=(1e-3, self.differ_m),
            agree_rad=(1e-3, self.differ_rad),
            agree_chance=(self.chance, 1.0),
            fixes=(2, 1000),
            views=(1, 100),
            regressed_views=(self.views, 100),
            calm=(1, 1000),
            sustained_s=(0.1, 600.0),
            regressed_s=(self.sustained_s, 600.0),
            standing_s=(self.sustained_s, 600.0),
        )


class KidnapMonitor:
    """Follows fixes and the localizer's beliefs, and keeps the state."""

    def __init__(
        self,
        options: KidnapOptions | None = None,
        drift: Drift | None = None,
        *,
        planar: bool = True,
    ) -> None:
        """Start knowing nothing; `planar` compares by x, y and yaw alone."""
        self.options = options or KidnapOptions()
        self.planar = planar
        self.drift = drift or Drift()
        self.status = Status(State.UNKNOWN, 'there was no fix yet', 0)
        self.difference: Difference | None = None
        # Of the last fix, where it spoke for the localizer.
        self.agreed_ns: int | None = None
        self._against: list[Fix] = []
        self._unbelieved = False
        self._heard = False
        self._for = 0
        self._last: Fix | None = None
        self._had_fix_ns: int | None = None

    def clear(self, now_ns: int, reason: str) -> None:
        """Forget everything, as where the clock was set back."""
        self.forget()
        self._heard = False
        self._last = self._had_fix_ns = None
        self.status = Status(State.UNKNOWN, reason, now_ns)

    def forget(self) -> None:
        """Forget the fixes so far, as where odometry began anew, but not the state."""
        self._against, self._for, self.difference = [], 0, None

    def set(self, now_ns: int, state: State, reason: str) -> Status:
        """Go into a state that others know of: a reset was sent, succeeded or was given up."""
        return self._go(now_ns, state, reason)

    def update(self, now_ns: int, found: Fix | NoFix, belief: Belief | Missing) -> Status:
        """
        Take the newest fix, and what the localizer believes at its stamp, or that it tells none.

        A fix that was told before changes nothing.
        """
        self._heard = self._heard or isinstance(belief, Belief)
        if isinstance(found, NoFix):
            return self._without_fix(now_ns, found)
        if self._last is not None and found.stamp_ns <= self._last.stamp_ns:
            return self.status
        if self._last is not None and found.reading.epoch != self._last.reading.epoch:
            self.forget()
            # What was said in terms of another odometry is as if it had not been said.
            self._heard = isinstance(belief, Belief)
        self._last, self._had_fix_ns, self.agreed_ns = found, now_ns, None
        self._age(found)
        if isinstance(belief, Missing):
            self.difference = None
            return self._speaks_against(
                now_ns, found, f'no pose of a localizer: {belief.reason}', True
            )
        self.difference = told = difference(found, belief, planar=self.planar)
        if self._agrees(told):
            return self._speaks_for(now_ns, told)
        self._for = 0
        if self._differs(told):
            return self._speaks_against(
                now_ns, found, f'fix and localizer are {told.text()}', False
            )
        return self._stay()

    def _agrees(self, told: Difference) -> bool:
        options = self.options
        near = told.metres <= options.agree_m and told.radians <= options.agree_rad
        not_far = told.metres <= options.differ_m and told.radians <= options.differ_rad
        return near or (not_far and told.chance >= options.agree_chance)

    def _differs(self, told: Difference) -> bool:
        options = self.options
        far = told.metres > options.differ_m or told.radians > options.differ_rad
        return far and told.chance < options.chance

    def _age(self, found: Fix) -> None:
        """Forget evidence that nothing was added to for long."""
        if self._against:
            silent_s = (found.stamp_ns - self._against[-1].stamp_ns) / NS_PER_S
            if silent_s > self.options.forget_s:
                self._against = []

    def _speaks_for(self, now_ns: int, told: Difference) -> Status:
        self._for += 1
        self.agreed_ns = self._last and self._last.stamp_ns
        # Fixes that say now this, now that are no evidence.
        self._against = []
        if self._for >= self.options.calm or self.status.state is State.TRACKING:
            return self._go(now_ns, State.TRACKING, f'fix and localizer are {told.text()}')
        return self._stay()

    def _speaks_against(self, now_ns: int, found: Fix, reason: str, unbelieved: bool) -> Status:
        self._for = 0
        if found.kind is Kind.REGRESSED and not self.options.regressed:
            lacking = 'no points of the map confirm the fix'
        else:
            self._gather(found, unbelieved)
            lacking = self._lacking(found)
        state = self.status.state
        if not lacking and state is not State.RECOVERING:
            return self._go(now_ns, State.KIDNAPPED, reason)
        if state in (State.KIDNAPPED, State.RECOVERING) or unbelieved:
            # A localizer that is slow to speak is not suspected of anything.
            return self._go(now_ns, state, f'{reason}; {lacking}' if lacking else reason)
        return self._go(now_ns, State.SUSPECT, f'{reason}; {lacking}')

    def _gather(self, found: Fix, unbelieved: bool) -> None:
        """Add to the evidence, or begin anew where a fix does not go with what was before."""
        # With the last, and with the first: what drifts off slowly does not go with odometry.
        ends = [self._against[0], self._against[-1]] if self._against else []
        if unbelieved != self._unbelieved or not all(self._consistent(e, found) for e in ends):
            self._against = []
        self._unbelieved = unbelieved
        self._against.append(found)
        # What tells how long it goes on stays, and what is newest.
        if len(self._against) > _MOST:
            del self._against[1]

    @property
    def evidence(self) -> Evidence:
        """What speaks against the localizer."""
        if not self._against:
            return Evidence()
        first, last = self._against[0], self._against[-1]
        apart = count_views([fix.reading for fix in self._against], self.options.view)
        return Evidence(
            len(self._against),
            (last.stamp_ns - first.stamp_ns) / NS_PER_S,
            max(apart, *(fix.views for fix in (first, last))),
            self._unbelieved,
            self._unbelieved and not self._heard,
            last.stamp_ns,
        )

    def _consistent(self, before: Fix, found: Fix) -> bool:
        """Tell whether a fix is where an earlier one has the robot by now."""
        moved, covariance = self.drift.moved(
            before.map_from_base, before.covariance, before.reading, found.reading
        )
        told = compare(moved, covariance, found.map_from_base, found.covariance, self.planar)
        near = told.metres <= self.options.agree_m and told.radians <= self.options.agree_rad
        return near or told.chance >= self.options.chance

    def _lacking(self, found: Fix) -> str:
        """Return what the evidence lacks to be an alarm; nothing where it is one."""
        options, evidence = self.options, self.evidence
        verified = found.kind is Kind.VERIFIED
        least_s = options.sustained_s if verified else options.regressed_s
        if evidence.unbelieved:
            least_s = max(least_s, options.silent_s)
        least_views = options.views if verified else options.regressed_views
        if evidence.fixes < options.fixes:
            return f'{evidence.fixes} of {options.fixes} fixes'
        if evidence.lasted_s < least_s:
            return f'for {evidence.lasted_s:.1f} of {least_s:.1f} s'
        stands = verified and found.seconded >= options.seconded
        if evidence.views >= least_views or (stands and evidence.lasted_s >= options.standing_s):
            return ''
        return f'{evidence.views} of {least_views} views'

    def _without_fix(self, now_ns: int, found: NoFix) -> Status:
        state = self.status.state
        if self._had_fix_ns is None:
            if state is State.UNKNOWN:
                return self._go(now_ns, state, f'there was no fix yet: {found.text()}')
            return self.status
        silent_s = (now_ns - self._had_fix_ns) / NS_PER_S
        reason = f'no fix for {silent_s:.0f} s: {found.text()}'
        if state is State.SUSPECT and silent_s > self.options.forget_s:
            self._against = []
            return self._go(now_ns, State.UNKNOWN, reason)
        if state in (State.TRACKING, State.KIDNAPPED) and silent_s > self.options.stale_s:
            self._against = []
            return self._go(now_ns, State.UNKNOWN, reason)
        return self._stay()

    def _stay(self) -> Status:
        """Keep state and reason, with the evidence as it is by now."""
        self.status = replace(self.status, evidence=self.evidence)
        return self.status

    def _go(self, now_ns: int, state: State, reason: str) -> Status:
        since_ns = self.status.since_ns if state is self.status.state else now_ns
        self.status = Status(state, reason, since_ns, self.evidence)
        return self.status
