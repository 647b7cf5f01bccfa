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

"""Somebody asks where the robot is: when that is answered, and what the answer says."""

from __future__ import annotations

from typing import NamedTuple

from posenet_ros.recovery.decisions import GiveUp, Mode, Recovered
from posenet_ros.recovery.fix import Fix
from posenet_ros.recovery.kidnap import State
from posenet_ros.recovery.watch import Report


class Outcome(NamedTuple):
    """How an attempt ended, and in words where the robot is, or why that is not known."""

    success: bool
    text: str


class Attempt:
    """
    One request to relocalize, from when it came to its outcome.

    Where recovery acts, it is at its end when the localizer agrees with a fix; else when there is
    a fix. Fixes of before the request are none.
    """

    def __init__(self, now_ns: int, patience_s: float) -> None:
        """Begin; it ends without success after so many seconds."""
        self._began_ns = now_ns
        self.patience_s = patience_s

    def judge(self, report: Report, mode: Mode, waited_s: float) -> Outcome | None:
        """
        Return the outcome, None while there is none.

        `waited_s` is how long somebody has waited, by a clock that does not stand still.
        """
        for decision in report.decisions:
            if isinstance(decision, Recovered):
                return Outcome(True, f'{report.told}; {self._fix_text(report)}')
            if isinstance(decision, GiveUp):
                return Outcome(False, decision.reason)
        if self._fresh(report) and (mode is not Mode.ACT or report.status.state is State.TRACKING):
            return Outcome(True, self._fix_text(report))
        if waited_s > self.patience_s:
            return Outcome(False, f'timeout after {waited_s:.0f} s: {self._missing(report, mode)}')
        return None

    def _fresh(self, report: Report) -> bool:
        return isinstance(report.found, Fix) and report.found.stamp_ns > self._began_ns

    def _fix_text(self, report: Report) -> str:
        if not isinstance(report.found, Fix):
            return report.found.text()
        told = f'robot at {report.found.text()}'
        if report.difference is not None:
            told += f'; fix and localizer are {report.difference.text()}'
        return told

    def _missing(self, report: Report, mode: Mode) -> str:
        if not isinstance(report.found, Fix):
            return report.found.text()
        if mode is not Mode.ACT:
            return f'no fix since the request; the last: {report.found.text()}'
        state = report.status.state.value
        return f'{state}: {report.status.reason}; {report.told}; {self._fix_text(report)}'
