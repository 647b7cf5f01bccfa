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

"""All of it together: odometry and observations in, fixes, a state and decisions out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.recovery.belief import Belief, Difference
from posenet_ros.recovery.consensus import Consensus, ConsensusOptions
from posenet_ros.recovery.decisions import (
    Decision,
    GiveUp,
    Mode,
    Recovered,
    SendInitialPose,
    Stage,
)
from posenet_ros.recovery.demands import ResetOptions
from posenet_ros.recovery.drift import Drift, Reading
from posenet_ros.recovery.fix import Fix, Lack, NoFix
from posenet_ros.recovery.kidnap import KidnapMonitor, KidnapOptions, State, Status
from posenet_ros.recovery.observation import Observation
from posenet_ros.recovery.odometry import Missing, OdometryBuffer, OdometryOptions
from posenet_ros.recovery.planar import flattened, PlanarLimits
from posenet_ros.recovery.reset import Recovery

# Odometry that is so old moves no pose of a localizer on.
_BELIEF_NS = 3 * NS_PER_S
# One that falls silent is taken to mean what it said last, for so long.
_MUTE_NS = 20 * NS_PER_S
_NONE = Missing('it is not asked')


@dataclass(frozen=True)
class WatchOptions:
    """The options of every part; `planar` is None for a robot that does not keep to a floor."""

    odometry: OdometryOptions = field(default_factory=OdometryOptions)
    drift: Drift = field(default_factory=Drift)
    consensus: ConsensusOptions = field(default_factory=ConsensusOptions)
    planar: PlanarLimits | None = field(default_factory=PlanarLimits)
    kidnap: KidnapOptions = field(default_factory=KidnapOptions)
    reset: ResetOptions = field(default_factory=ResetOptions)


class Report(NamedTuple):
    """
    What is known and to be done at one instant.

    `difference` is between the localizer and the last fix that was compared with it, and `agreed`
    whether that fix spoke for it; `told` says what recovery waits for.
    """

    found: Fix | NoFix
    status: Status
    decisions: tuple[Decision, ...]
    difference: Difference | None
    told: str
    agreed: bool = False


class Watch:
    """
    Watches over a localizer.

    Give it odometry and observations as they come, and call `step` some times a second. It reads
    no clock and starts no thread; one thread at a time may use it.
    """

    def __init__(
        self,
        options: WatchOptions | None = None,
        *,
        mode: Mode = Mode.OFF,
        same_map: bool = False,
    ) -> None:
        """
        Start knowing nothing.

        Observations must be known to be in the localizer's map (`same_map`) where the mode is
        `act`, or ConfigError is raised.
        """
        self.options = options or WatchOptions()
        planar = self.options.planar is not None
        self.odometry = OdometryBuffer(self.options.odometry)
        self.consensus = Consensus(self.options.consensus, self.options.drift)
        self.monitor = KidnapMonitor(self.options.kidnap, self.options.drift, planar=planar)
        self.recovery = Recovery(
            mode,
            self.options.reset,
            same_map=same_map,
            planar=planar,
            drift=self.options.drift,
        )
        self._now_ns: int | None = None
        self._said: tuple[int, Belief, Reading] | None = None

    @property
    def mode(self) -> Mode:
        """What recovery may do; setting it raises ConfigError for `act` in another map."""
        return self.recovery.mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self.recovery.change(mode)

    def move(self, stamp_ns: int, odom_from_base: Pose) -> str | None:
        """Take odometry; return what was wrong with it, None where nothing was."""
        # Where it began anew, frames and evidence from before find no odometry to go with.
        return self.odometry.add(stamp_ns, odom_from_base)

    def observe(self, observation: Observation) -> None:
        """Take what an image says, in any order; raise GeometryError where it is no pose."""
        self.consensus.add(observation)

    def step(self, now_ns: int, belief: Belief | None, listeners: int = 0) -> Report:
        """
        Return what is known now, and what to do.

        `belief` is the newest pose that the localizer tells, of an instant that odometry has
        reached, None where it tells none;
        `listeners` is how many subscribe to the initial pose.
        """
        jump_ns = self.options.odometry.jump_s * NS_PER_S
        if self._now_ns is not None and now_ns < self._now_ns - jump_ns:
            self.clear(now_ns, 'the clock jumped back')
        self._now_ns = now_ns
        found = self.consensus.find(now_ns, self.odometry)
        if self.options.planar is not None and isinstance(found, Fix):
            found = flattened(found, self.options.planar)
        newest = self._current(now_ns, belief)
        status = self._compared(now_ns, found, self._remembered(now_ns, newest))
        decisions = self.recovery.step(now_ns, status, found, newest, listeners, self.odometry)
        self._follow(now_ns, decisions)
        monitor = self.monitor
        agreed = isinstance(found, Fix) and monitor.agreed_ns == found.stamp_ns
        return Report(
            found, monitor.status, decisions, monitor.difference, self.recovery.told, agreed
        )

    def hurry(self) -> None:
        """Have recovery try at once, also after it gave up."""
        self.recovery.hurry()

    def clear(self, now_ns: int, reason: str) -> None:
        """Forget everything, as where images, the model or the clock are others from now on."""
        self.odometry.clear()
        self.consensus.clear()
        self.monitor.clear(now_ns, reason)
        self.recovery.rearm()
        self._said = None

    def _compared(self, now_ns: int, found: Fix | NoFix, newest: Belief | Missing) -> Status:
        """Have the monitor compare fix and belief at one instant."""
        if isinstance(found, NoFix) or isinstance(newest, Missing):
            told = newest if isinstance(newest, Missing) else _NONE
            return self.monitor.update(now_ns, found, told)
        there = newest.moved(found.stamp_ns, self.odometry, self.options.drift)
        if isinstance(there, Missing):
            # The localizer speaks: this is no robot without one.
            lacking = NoFix(Lack.NO_ODOMETRY, f'between fix and localizer {there.reason}')
            return self.monitor.update(now_ns, lacking, _NONE)
        return self.monitor.update(now_ns, found, there)

    def _current(self, now_ns: int, belief: Belief | None) -> Belief | Missing:
        if belief is None:
            return Missing('it tells none')
        age_ns = now_ns - belief.stamp_ns
        if abs(age_ns) > _BELIEF_NS:
            return Missing(f'the last is {age_ns / NS_PER_S:.1f} s old')
        return belief

    def _remembered(self, now_ns: int, newest: Belief | Missing) -> Belief | Missing:
        """Return what a localizer that is silent said last, moved by odometry."""
        reading = self.odometry.newest
        if isinstance(newest, Belief):
            at = self.odometry.at(newest.stamp_ns)
            self._said = None if isinstance(at, Missing) else (now_ns, newest, at)
            return newest
        if self._said is None or reading is None:
            return newest
        said_ns, belief, at = self._said
        if now_ns - said_ns > _MUTE_NS or at.epoch != reading.epoch:
            self._said = None
            return newest
        moved = self.options.drift.moved(belief.map_from_base, belief.told_or_usual, at, reading)
        return Belief(reading.stamp_ns, *moved, belief.said_ns)

    def _follow(self, now_ns: int, decisions: tuple[Decision, ...]) -> None:
        """Have the state say what recovery does."""
        for decision in decisions:
            if isinstance(decision, SendInitialPose):
                reason = f'attempt {decision.attempt}: sent {decision.fix.text()}'
                # What spoke for it goes on to, where it is not taken.
                self.monitor.set(now_ns, State.RECOVERING, reason)
            elif isinstance(decision, Recovered):
                self.monitor.forget()
                self.monitor.set(now_ns, State.TRACKING, self.recovery.told)
            elif isinstance(decision, GiveUp):
                self.monitor.set(now_ns, State.KIDNAPPED, decision.reason)
        recovering = self.monitor.status.state is State.RECOVERING
        if recovering and self.recovery.stage is not Stage.CONFIRMING:
            self.monitor.set(now_ns, State.KIDNAPPED, self.recovery.told)
