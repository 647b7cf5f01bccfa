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
The decision to set the running localizer to a fix, and what to make of its answer.

Nothing is sent from here: decisions are handed back, for others to publish.
"""

from __future__ import annotations

from posenet_ros.errors import ConfigError
from posenet_ros.geometry import NS_PER_S
from posenet_ros.recovery.belief import Belief, compare, Difference, difference
from posenet_ros.recovery.decisions import (
    Advise,
    Decision,
    GiveUp,
    Mode,
    Recovered,
    RequestNoMotionUpdate,
    SendInitialPose,
    Stage,
)
from posenet_ros.recovery.demands import ResetOptions
from posenet_ros.recovery.drift import Drift
from posenet_ros.recovery.fix import Fix, NoFix
from posenet_ros.recovery.kidnap import State, Status
from posenet_ros.recovery.odometry import Missing, OdometryBuffer

# A robot that waits for its localizer is not kept waiting for longer than that.
_LONGEST_S = 30.0


class Recovery:
    """Decides when a localizer is set to a fix; see `step`."""

    def __init__(
        self,
        mode: Mode,
        options: ResetOptions | None = None,
        *,
        same_map: bool,
        planar: bool = True,
        drift: Drift | None = None,
    ) -> None:
        """
        Be ready.

        `same_map` says that fixes are in the localizer's own map. Raises ConfigError for `act`
        where that is not so: every reset would be wrong, with confidence.
        """
        self.same_map = same_map
        self.mode = Mode.OFF
        self.options = options or ResetOptions()
        self.planar = planar
        self.drift = drift or Drift()
        self.stage = Stage.IDLE
        self.told = 'nothing to recover from'
        self._attempts = self._tries = 0
        self._listeners = 0
        self._missing = False
        self._heard = False
        self._sent: Fix | None = None
        self._sent_ns = self._first_ns = self._asked_ns = self._until_ns = 0
        self._confirmed: list[int] = []
        self._advised_ns: int | None = None
        self.change(mode)

    def change(self, mode: Mode) -> None:
        """Have it do another thing from now on; raise ConfigError for `act` in another map."""
        if mode is Mode.ACT and not self.same_map:
            raise ConfigError(
                "recovery 'act' needs fixes in the localizer's map: train on labels made with "
                "--reference tf:map, or tell map_from_model; 'advise' goes without"
            )
        if mode is not self.mode:
            # What was begun in the former mode is nobody's to end.
            self.mode = mode
            self.rearm()

    def rearm(self) -> None:
        """Start anew, all attempts left, whatever went before."""
        self.stage, self.told = Stage.IDLE, 'armed'
        self._attempts = self._tries = 0
        self._sent, self._confirmed = None, []
        self._advised_ns = None

    def hurry(self) -> None:
        """Try at once: anew where it gave up, and else without waiting for the next attempt."""
        if self.stage is Stage.GAVE_UP:
            self.rearm()
        elif self.stage is Stage.BACKING_OFF:
            self.stage = Stage.IDLE

    def _notice(self, belief: Belief | Missing, listeners: int) -> None:
        """Arm again where somebody came that had not been there before."""
        missing = isinstance(belief, Missing)
        came = (listeners > 0 and self._listeners == 0) or (self._missing and not missing)
        self._missing = missing
        if self.stage in (Stage.GAVE_UP, Stage.BACKING_OFF) and came:
            self.rearm()
            self.told = 'armed: a localizer came'
        # Who left and comes back has come.
        self._listeners = min(self._listeners, listeners)

    def step(
        self,
        now_ns: int,
        status: Status,
        found: Fix | NoFix,
        belief: Belief | Missing,
        listeners: int,
        odometry: OdometryBuffer,
    ) -> tuple[Decision, ...]:
        """
        Return what is to be done now, in this order.

        `belief` is the newest that the localizer told, at its own stamp; `listeners` how many
        subscribe to the initial pose, without whom it would be lost.
        """
        if self.mode is Mode.OFF:
            self.told = 'recovery is off'
            return ()
        self._notice(belief, listeners)
        if status.state is State.TRACKING and self.stage is not Stage.CONFIRMING:
            self._at_rest(now_ns, status)
            return ()
        if self.stage is Stage.CONFIRMING:
            return self._confirm(now_ns, found, belief, odometry)
        if self.stage is Stage.BACKING_OFF and now_ns >= self._until_ns:
            self.stage = Stage.IDLE
        if self.stage is Stage.IDLE and status.state is State.KIDNAPPED:
            lacking = self.options.lacking(now_ns, found, status.evidence)
            return self._consider(now_ns, found, lacking, belief, listeners, odometry)
        return ()

    def _at_rest(self, now_ns: int, status: Status) -> None:
        """Arm again once fixes and localizer have agreed for a while."""
        if now_ns - status.since_ns >= self.options.settled_s * NS_PER_S:
            self.rearm()
            self.told = 'nothing to recover from'
        elif self.stage is Stage.BACKING_OFF:
            self.stage = Stage.IDLE

    def _consider(
        self,
        now_ns: int,
        found: Fix | NoFix,
        lacking: str,
        belief: Belief | Missing,
        listeners: int,
        odometry: OdometryBuffer,
    ) -> tuple[Decision, ...]:
        if lacking or isinstance(found, NoFix):
            self.told = f'waiting for a better fix: {lacking}'
            return ()
        if self.mode is Mode.ADVISE:
            return self._advise(now_ns, found, belief, odometry)
        if listeners < 1:
            self.told = 'waiting for somebody to listen to the initial pose'
            return ()
        if self._attempts >= self.options.attempts:
            return (self._give_up('the localizer does not stay where it is sent'),)
        if self._tries == 0:
            self._first_ns = now_ns
        self._attempts += 1
        self._tries += 1
        self._listeners, self._heard = listeners, False
        self._sent, self._sent_ns, self._asked_ns = found, now_ns, now_ns
        self._confirmed = []
        self.stage = Stage.CONFIRMING
        self.told = f'attempt {self._tries}: {found.text()}'
        return SendInitialPose(found, self._tries), RequestNoMotionUpdate()

    def _advise(
        self, now_ns: int, found: Fix, belief: Belief | Missing, odometry: OdometryBuffer
    ) -> tuple[Decision, ...]:
        again_ns = round(self.options.again_s * NS_PER_S)
        if self._advised_ns is not None and now_ns - self._advised_ns < again_ns:
            return ()
        self._advised_ns = now_ns
        self.told = f'would send {found.text()}'
        told = None
        if isinstance(belief, Belief):
            there = belief.moved(found.stamp_ns, odometry, self.drift)
            if isinstance(there, Belief):
                told = difference(found, there, planar=self.planar)
        return (Advise(found, told),)

    def _confirm(
        self, now_ns: int, found: Fix | NoFix, belief: Belief | Missing, odometry: OdometryBuffer
    ) -> tuple[Decision, ...]:
        """See whether the localizer went where it was sent, and stays there."""
        told = self._difference(found, belief, odometry)
        if told is not None and isinstance(belief, Belief):
            self._heard = True
            self._count(told, belief.said_ns)
            if len(self._confirmed) >= self.options.confirmations:
                return (self._recovered(now_ns, told),)
        # What has begun to confirm it is heard out.
        more = self.options.confirmations if self._confirmed else 0
        patience_s = self.options.confirm_s + more * self.options.update_s
        if now_ns - self._sent_ns > patience_s * NS_PER_S:
            return self._failed(now_ns, belief, told)
        if now_ns - self._asked_ns >= self.options.update_s * NS_PER_S:
            self._asked_ns = now_ns
            return (RequestNoMotionUpdate(),)
        return ()

    def _difference(
        self, found: Fix | NoFix, belief: Belief | Missing, odometry: OdometryBuffer
    ) -> Difference | None:
        """Return how far the localizer is from what was sent, or from a fix since then."""
        if isinstance(belief, Missing) or self._sent is None:
            return None
        if min(belief.stamp_ns, belief.said_ns) <= self._sent_ns:
            return None
        since = isinstance(found, Fix) and found.stamp_ns > self._sent_ns
        reference = found if since and isinstance(found, Fix) else self._sent
        if reference.reading.epoch != odometry.epoch:
            return None
        reading = odometry.at(belief.stamp_ns)
        if isinstance(reading, Missing):
            return None
        moved, covariance = self.drift.moved(
            reference.map_from_base, reference.covariance, reference.reading, reading
        )
        return compare(belief.map_from_base, belief.told_or_usual, moved, covariance, self.planar)

    def _count(self, told: Difference, said_ns: int) -> None:
        # One that repeats itself at once has not looked again.
        apart_ns = self.options.update_s * NS_PER_S
        near = told.metres <= self.options.near_m and told.radians <= self.options.near_rad
        if not near:
            self._confirmed = []
        elif not self._confirmed or said_ns - self._confirmed[-1] >= apart_ns:
            self._confirmed.append(said_ns)

    def _recovered(self, now_ns: int, told: Difference) -> Recovered:
        attempts, seconds = self._tries, (now_ns - self._first_ns) / NS_PER_S
        self.stage, self._sent, self._confirmed = Stage.IDLE, None, []
        self.told = f'recovered after {attempts} attempts in {seconds:.1f} s: {told.text()}'
        return Recovered(attempts, seconds, told)

    def _failed(
        self, now_ns: int, belief: Belief | Missing, told: Difference | None
    ) -> tuple[Decision, ...]:
        if isinstance(belief, Missing):
            why = f'no pose of the localizer: {belief.reason}'
        elif told is None:
            why = 'the localizer told no pose since'
        else:
            why = f'fix and localizer are still {told.text()}'
        if not self._heard:
            # Nobody was there to take it, and so none has refused it.
            self._attempts -= 1
        if self._attempts >= self.options.attempts:
            return (self._give_up(why),)
        wait_s = min(self.options.backoff_s * 2 ** (self._tries - 1), _LONGEST_S)
        self.stage = Stage.BACKING_OFF
        self._until_ns = now_ns + round(wait_s * NS_PER_S)
        self.told = f'attempt {self._tries} failed ({why}); the next in {wait_s:.0f} s'
        return ()

    def _give_up(self, why: str) -> GiveUp:
        self.stage = Stage.GAVE_UP
        self.told = f'gave up after {self._attempts} attempts: {why}'
        return GiveUp(self.told)
