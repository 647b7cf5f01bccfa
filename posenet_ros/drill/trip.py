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

"""One trip after the other: who takes the robot where, and for how long is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from posenet_ros.drill.leg import draw_leg, times_worse
from posenet_ros.drill.options import DrillOptions, DRIVING, ELSEWHERE
from posenet_ros.drill.plan import draw_plan, leg_from_elsewhere, LEG_S, Look, Plan, rng_of
from posenet_ros.drill.record import Record
from posenet_ros.drill.stage import Stage
from posenet_ros.recovery.demands import ResetOptions
from posenet_ros.recovery.rehearsal.trip import LATE_S

# How long all have to agree before the next trip. The node counts attempts until it has been well
# for so long, and gives up after some: it would take one kidnapping after the other for a
# localizer that does not stay where it is sent.
_AGREED_S = ResetOptions().settled_s + 1.0
# How long that is waited for.
_LEAD_S = 40.0
_AFTERWARDS_S = 2.0
_MINUTE_S = 60.0
# Carried back from where nothing is in the map, longer than anybody remembers what was seen.
_BACK_S = 4.0


class Trips:
    """The trips of a drill on a stage, in turn."""

    def __init__(self, stage: Stage, options: DrillOptions) -> None:
        """Take where it happens and what."""
        self._stage, self._options = stage, options
        site = stage.site.options
        self._robot = site.robot
        self._errors = times_worse(site.odometry, options.odometry)
        self._doing: Callable[[str], object] = lambda what: None

    def begin(self) -> None:
        """Have the robot drive, with its localizer right."""
        stage = self._stage
        seconds = LEG_S
        if self._options.scenario == DRIVING:
            seconds += self._options.trips * _MINUTE_S
        rng = rng_of(self._options, 0, 'begin')
        lane = stage.site.world.lane
        stage.put(draw_leg(lane, self._robot, self._errors, rng, seconds=seconds), stage.world)
        stage.motion.driving = False
        stage.go(0.1)
        stage.place_localizer()

    def all(self, doing: Callable[[str], object]) -> Iterator[Record]:
        """Yield what came of each trip; `doing` is told what is done at present."""
        self._doing = doing
        before: Record | None = None
        for number in range(self._options.trips):
            before = self._taken(draw_plan(self._options, number), before)
            yield before

    def _taken(self, plan: Plan, before: Record | None) -> Record:
        record = self._stage.record = Record(self._options.scenario, plan)
        record.states.append((self._stage.now_s, self._stage.state))
        if self._options.scenario == DRIVING:
            self._drive(plan, before)
        elif plan.lost:
            self._switch_on(record)
            self._watch(record)
        else:
            self._lead(record, before)
            self._carry_away(record)
            self._watch(record)
            if self._options.scenario == ELSEWHERE:
                self._carry_back(record)
        self._stage.record = None
        return record

    def _drive(self, plan: Plan, before: Record | None) -> None:
        """Drive for a minute; the first begins when all agree."""
        self._doing('driving')
        if before is None:
            record, self._stage.record = self._stage.record, None
            self._stage.motion.driving = True
            self._stage.go(_LEAD_S, self._for(_AGREED_S))
            self._stage.record = record
        self._stage.go(_MINUTE_S)

    def _lead(self, record: Record, before: Record | None) -> None:
        """Drive until all agree, and a little farther."""
        self._doing('driving')
        stage = self._stage
        stage.motion.driving = True
        if before is not None and not before.trip.right and before.trip.in_map:
            # What is sent before all is well is still of the former.
            stage.record = before
            stage.place_localizer()
        record.agreed = stage.go(_LEAD_S, self._for(_AGREED_S))
        stage.record = record
        stage.go(record.plan.lead_s)

    def _for(self, seconds: float) -> Callable[[], bool]:
        """Return what tells whether all have agreed for so long."""
        stage = self._stage
        since: list[float] = []

        def agreed() -> bool:
            if not stage.agreed:
                since.clear()
            elif not since:
                since.append(stage.now_s)
            return bool(since) and stage.now_s - since[0] >= seconds

        return agreed

    def _carry_away(self, record: Record) -> None:
        self._doing('carried')
        stage, plan, options = self._stage, record.plan, self._options
        foreign = options.scenario == ELSEWHERE
        world = stage.site.foreign(plan.number) if foreign else stage.site.world
        leg = leg_from_elsewhere(
            world.lane,
            self._robot,
            self._errors,
            rng_of(options, plan.number, 'leg'),
            plan,
            None if foreign else stage.motion.spot(),
        )
        record.lift(stage.now_s, stage.motion.spot())
        stage.carry(plan.carried_s, leg.truth(0), plan.look)
        stage.put(leg, world)
        record.put(stage.now_s, stage.motion.spot())

    def _switch_on(self, record: Record) -> None:
        """Start node and localizer anew, the latter without a pose."""
        self._doing('switched on')
        stage = self._stage
        stage.motion.driving = False
        if stage.amcl is not None:
            stage.amcl.forget()
        stage.start_node()
        record.put(stage.now_s, stage.motion.spot())
        stage.go(record.plan.standing_s)
        stage.motion.driving = True

    def _watch(self, record: Record) -> None:
        """Watch until the robot is recovered, or no longer worth waiting for."""
        self._doing('watched')
        stage = self._stage
        patience_s = LATE_S - (stage.now_s - (record.set_down_s or 0.0))

        def well() -> bool:
            in_map = record.trip.in_map
            return in_map and record.well(stage.now_s, stage.past.now.truth, stage.off)

        if stage.go(patience_s, well):
            stage.go(_AFTERWARDS_S)

    def _carry_back(self, record: Record) -> None:
        """Carry the robot back to its lane, and put the localizer right."""
        stage, options = self._stage, self._options
        rng = rng_of(options, record.plan.number, 'back')
        world = stage.site.world
        leg = draw_leg(world.lane, self._robot, self._errors, rng, seconds=LEG_S)
        stage.carry(_BACK_S, leg.truth(0), Look.NOTHING)
        stage.put(leg, world)
        stage.go(0.1)
        stage.place_localizer()
