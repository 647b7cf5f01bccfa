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

"""What recovery may do, and what it decides: for others to publish."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from posenet_ros.recovery.belief import Difference
from posenet_ros.recovery.fix import Fix


class Mode(Enum):
    """What recovery may do: nothing, say what it would do, or do it."""

    OFF = 'off'
    ADVISE = 'advise'
    ACT = 'act'


class Stage(Enum):
    """Where a recovery is."""

    IDLE = 'idle'
    CONFIRMING = 'confirming'
    BACKING_OFF = 'backing off'
    GAVE_UP = 'gave up'


@dataclass(frozen=True, eq=False)
class SendInitialPose:
    """Publish this fix as the initial pose; the `attempt` counts from 1."""

    fix: Fix
    attempt: int


@dataclass(frozen=True)
class RequestNoMotionUpdate:
    """Call AMCL's `request_nomotion_update`: a robot that stands would never refine."""


@dataclass(frozen=True, eq=False)
class Advise:
    """What would be sent in mode `act`, and how far the localizer is from it, where known."""

    fix: Fix
    difference: Difference | None


@dataclass(frozen=True)
class Recovered:
    """The localizer is where the fix has the robot, after so many attempts and seconds."""

    attempts: int
    seconds: float
    difference: Difference


@dataclass(frozen=True)
class GiveUp:
    """Nothing more is sent until recovery is armed again."""

    reason: str


Decision: TypeAlias = SendInitialPose | RequestNoMotionUpdate | Advise | Recovered | GiveUp
