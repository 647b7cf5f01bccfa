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

"""Trips added up, and between which bounds a share lies that was seen so often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from posenet_ros.recovery.rehearsal.trip import RIGHT_M, RIGHT_RAD, Trip, WRONG_M
from scipy.stats import beta

_CONFIDENCE = 0.95


def share(times: int, of: int) -> tuple[float, float]:
    """
    Return the bounds of a chance, with 95 % confidence, where something came so many times.

    The exact bounds of Clopper and Pearson (1934). What never came in 10,000 trips may still come
    once in 2,700.
    """
    if of < 1:
        return 0.0, 1.0
    rest = (1 - _CONFIDENCE) / 2
    low = 0.0 if times == 0 else float(beta.ppf(rest, times, of - times + 1))
    high = 1.0 if times == of else float(beta.ppf(1 - rest, times + 1, of - times))
    return low, high


@dataclass
class Tally:
    """What came of the trips of one scenario."""

    scenario: str
    trips: int = 0
    right: int = 0
    late: int = 0
    wrong: int = 0
    resets: int = 0
    inexact: int = 0
    false_alarms: int = 0
    gave_up: int = 0
    driven_s: float = 0.0
    recovered_s: list[float] = field(default_factory=list)

    def add(self, trips: Iterable[Trip]) -> None:
        """Count some more."""
        for trip in trips:
            self.trips += 1
            self.resets += len(trip.resets)
            self.wrong += trip.wrong > 0
            self.right += trip.right
            asked = (trip.kidnapped or trip.lost) and trip.in_map
            self.late += asked and not trip.right and not trip.wrong
            self.inexact += any(
                metres <= WRONG_M and (metres > RIGHT_M or radians > RIGHT_RAD)
                for metres, radians in trip.resets
            )
            self.false_alarms += trip.false_alarm
            self.gave_up += trip.gave_up
            self.driven_s += trip.driven_s
            if trip.recovered_s is not None:
                self.recovered_s.append(trip.recovered_s)

    def percentile_s(self, percent: float) -> float | None:
        """Return within how many seconds so many of those that recovered did."""
        if not self.recovered_s:
            return None
        return float(np.percentile(self.recovered_s, percent))

    def to_dict(self) -> dict[str, Any]:
        """Return figures for programs: counts, and shares with their bounds."""
        counted = ('right', 'late', 'wrong', 'false_alarms')
        figures: dict[str, Any] = {
            name: {
                'trips': getattr(self, name),
                'share': getattr(self, name) / max(self.trips, 1),
                'bounds_95': list(share(getattr(self, name), self.trips)),
            }
            for name in counted
        }
        return {
            'scenario': self.scenario,
            'trips': self.trips,
            **figures,
            'resets': self.resets,
            'trips_with_inexact_resets': self.inexact,
            'gave_up': self.gave_up,
            'hours_right_before_or_after': self.driven_s / 3600,
            'recovered_s': {
                'p50': self.percentile_s(50),
                'p95': self.percentile_s(95),
                'p99': self.percentile_s(99),
            },
        }
