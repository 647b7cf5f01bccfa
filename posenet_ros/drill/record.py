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

"""What happened in one trip, by the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import Any

from posenet_ros.drill.options import DRIVING, ELSEWHERE
from posenet_ros.drill.plan import Plan
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.recovery.rehearsal.trip import LATE_S, RIGHT_M, RIGHT_RAD, Trip

# The state must not say kidnapped while the localizer has been this near the truth for a while:
# what is heard now was decided before.
FINE_M, FINE_RAD, FINE_S = 0.5, math.radians(15), 1.0
ALARMS = ('kidnapped', 'recovering')
_SAMPLE_S = 0.1
# Times are sums of ticks.
_ROUNDING_S = 1e-6

Off = tuple[float, float]


def right(off: Off | None) -> bool:
    """Tell whether a pose so far from the truth (metres, radians) is where the robot is."""
    return off is not None and off[0] <= RIGHT_M and off[1] <= RIGHT_RAD


@dataclass(frozen=True)
class Event:
    """Something that happened: when (seconds), what, and how far off it was in metres."""

    seconds: float
    what: str
    off_m: float | None = None


@dataclass(eq=False)
class Record:
    """
    One trip as it goes on.

    `trip` has what is counted; the rest is for people: where the robot was `taken`, `set_down`
    and `recovered`, its `way`, the error of the localizer over time (seconds, metres, degrees; NaN
    where it has no pose), and the events. Times are those of the drill.
    """

    scenario: str
    plan: Plan
    trip: Trip = field(init=False)
    agreed: bool = True
    taken: Spot | None = None
    set_down: Spot | None = None
    recovered: Spot | None = None
    set_down_s: float | None = None
    refused: list[str] = field(default_factory=list)
    errors: list[tuple[float, float, float]] = field(default_factory=list)
    way: list[Spot] = field(default_factory=list)
    states: list[tuple[float, str]] = field(default_factory=list)
    said: list[tuple[float, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    _fine_since_s: float | None = None

    def __post_init__(self) -> None:
        """Begin to count."""
        carried = self.scenario != DRIVING and not self.plan.lost
        self.trip = Trip(carried, self.plan.lost, self.scenario != ELSEWHERE)

    def see(self, now_s: float, spot: Spot, off: Off | None, *, in_the_air: bool = False) -> None:
        """Note where the robot is, and how far its localizer is off; None without a pose."""
        fine = off is not None and off[0] < FINE_M and off[1] < FINE_RAD and not in_the_air
        if not fine:
            self._fine_since_s = None
        elif self._fine_since_s is None:
            self._fine_since_s = now_s
        if not self.errors or now_s - self.errors[-1][0] >= _SAMPLE_S - _ROUNDING_S:
            metres, radians = off or (math.nan, math.nan)
            self.errors.append((now_s, metres, math.degrees(radians)))
            self.way.append(spot)
            self.trip.driven_s += _SAMPLE_S if fine else 0.0

    def hear_state(self, now_s: float, state: str) -> None:
        """Note what the node says of itself."""
        self.states.append((now_s, state))
        alarm = state == 'kidnapped' and self._fine(now_s)
        if alarm or (self.scenario == DRIVING and state in ALARMS):
            self._alarm(now_s, state)

    def hear_reset(self, now_s: float, off: Off, what: str) -> None:
        """Note a reset, so far from the truth at its stamp, and what became of it."""
        self.trip.resets.append(off)
        self.events.append(Event(now_s, what, off[0]))
        if self._fine(now_s) or self.scenario == DRIVING:
            self._alarm(now_s, 'reset')

    def _fine(self, now_s: float) -> bool:
        return self._fine_since_s is not None and now_s - self._fine_since_s >= FINE_S

    def _alarm(self, now_s: float, what: str) -> None:
        self.trip.false_alarm = True
        self.events.append(Event(now_s, f'false alarm: {what}'))

    def lift(self, now_s: float, spot: Spot) -> None:
        """Note that the robot is taken away."""
        self.taken = spot
        self.events.append(Event(now_s, 'taken'))

    def put(self, now_s: float, spot: Spot) -> None:
        """Note that it is set down, or switched on; what was sent before is not for this."""
        self.set_down, self.set_down_s = spot, now_s
        self.events.append(Event(now_s, 'switched on' if self.plan.lost else 'set down'))

    def well(self, now_s: float, spot: Spot, off: Off | None) -> bool:
        """Note, once, that a reset has the localizer right again; tell whether it has."""
        if self.trip.recovered_s is not None:
            return True
        if self.set_down_s is None or not self.trip.resets or not right(off):
            return False
        self.trip.recovered_s = now_s - self.set_down_s
        self.recovered = spot
        self.events.append(Event(now_s, 'recovered'))
        return True

    @property
    def verdict(self) -> str:
        """What came of it, in a word."""
        if self.trip.wrong:
            return 'wrong'
        if self.trip.false_alarm:
            return 'false alarm'
        if self.scenario != DRIVING and self.trip.in_map:
            return 'right' if self.trip.right else 'late'
        return 'right'

    @property
    def line(self) -> str:
        """The trip for a person, in a line."""
        said = [f'{self.plan.number + 1:3d} {self.verdict:<11}']
        if self.plan.lost:
            said.append('no localizer from the start')
        elif self.taken is not None and self.set_down is not None:
            how = self.plan.look.value
            metres = self.taken.off(self.set_down)[0]
            where = f'{metres:.1f} m away' if self.trip.in_map else 'in another room'
            said.append(f'carried {self.plan.carried_s:.1f} s ({how}), set down {where}')
        if self.trip.recovered_s is not None:
            said.append(f'recovered after {self.trip.recovered_s:.1f} s')
        elif self.scenario != DRIVING and self.trip.in_map:
            said.append(f'not recovered in {LATE_S:.0f} s')
        if self.trip.resets:
            offs = ', '.join(f'{metres:.2f}' for metres, _ in self.trip.resets)
            said.append(f'sent {len(self.trip.resets)}, off by {offs} m')
        if not self.agreed:
            said.append('node and localizer had not agreed before')
        if self.refused:
            said.append(f'AMCL refuses: {self.refused[0]}')
        return '; '.join(said)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            'trip': self.plan.number,
            'verdict': self.verdict,
            'lost': self.plan.lost,
            'camera_while_carried': self.plan.look.value,
            'carried_s': self.plan.carried_s,
            'stands_s': self.plan.standing_s,
            'taken': self.taken,
            'set_down': self.set_down,
            'recovered': self.recovered,
            'recovered_s': self.trip.recovered_s,
            'sent': [
                {'off_m': metres if math.isfinite(metres) else None, 'off_rad': radians}
                for metres, radians in self.trip.resets
            ],
            'false_alarm': self.trip.false_alarm,
            'agreed_before': self.agreed,
            'refused_by_amcl': self.refused,
            'states': [[round(at, 2), state] for at, state in self.states],
            'said': [[round(at, 2), text] for at, text in self.said],
            'events': [[round(each.seconds, 2), each.what] for each in self.events],
        }
