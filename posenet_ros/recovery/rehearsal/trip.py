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

"""One trip: what happened to a robot that was carried away, by the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
import math

import numpy as np
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.recovery.decisions import (
    GiveUp,
    Mode,
    RequestNoMotionUpdate,
    SendInitialPose,
)
from posenet_ros.recovery.demands import ResetOptions
from posenet_ros.recovery.kidnap import KidnapOptions, State
from posenet_ros.recovery.rehearsal.camera import draw_images
from posenet_ros.recovery.rehearsal.drive import draw_drive, Drive, RATE_HZ
from posenet_ros.recovery.rehearsal.localizer import LocalizerStandIn
from posenet_ros.recovery.rehearsal.scenario import Scenario
from posenet_ros.recovery.watch import Report, Watch, WatchOptions
from scipy.spatial.transform import Rotation

RIGHT_M, RIGHT_RAD = 0.3, math.radians(6)
WRONG_M = 1.0
LATE_S = 20.0
# The state must not say kidnapped while the localizer is this near the truth.
_FINE_M, _FINE_RAD = 0.5, math.radians(15)
_STEP_NS = NS_PER_S // 2
_SAMPLE_NS = NS_PER_S // RATE_HZ
# Odometry is there so much later than it is of.
_LAG_NS = NS_PER_S // 50
# How long is watched after all is well again.
_AFTERWARDS_NS = 2 * NS_PER_S
_SPOKE_S = 2
_LEAST_SILENT_S, _MOST_SILENT_S = 3.0, 18.0


@dataclass(eq=False)
class Trip:
    """
    What happened.

    `recovered_s` after the robot was set down, or lost from the start, a reset had the localizer
    within 0.3 m and 6 degrees of the truth, None where none did. `resets` are how far off each
    was, metres and radians, infinite where the robot is not in the map; `false_alarm` says that
    the state was kidnapped, or a reset was sent, while the localizer was fine, in `driven_s` of
    that.
    """

    kidnapped: bool
    lost: bool
    in_map: bool
    recovered_s: float | None = None
    resets: list[tuple[float, float]] = field(default_factory=list)
    false_alarm: bool = False
    driven_s: float = 0.0
    gave_up: bool = False

    @property
    def wrong(self) -> int:
        """How many resets were more than a metre off, or of a place that is not in the map."""
        return sum(1 for metres, _ in self.resets if metres > WRONG_M)

    @property
    def right(self) -> bool:
        """Whether the robot was recovered in time, and never sent to a wrong place."""
        in_time = self.recovered_s is not None and self.recovered_s <= LATE_S
        return in_time and not self.wrong


def usual_options(scenario: Scenario) -> WatchOptions:
    """Return the defaults, but for what a scenario allows."""
    allowed = scenario.regressed_resets
    return WatchOptions(
        kidnap=KidnapOptions(regressed=allowed), reset=ResetOptions(regressed=allowed)
    )


def take_trip(
    scenario: Scenario, rng: np.random.Generator, options: WatchOptions | None = None
) -> Trip:
    """Draw a trip and have the logic watch over it."""
    drive = draw_drive(scenario, rng)
    trip = Trip(scenario.kidnapped, drive.set_down == 0, scenario.in_map)
    watch = Watch(options or usual_options(scenario), mode=Mode.ACT, same_map=True)
    localizer = LocalizerStandIn(drive, rng)
    images = draw_images(drive, scenario, rng)
    rotations = Rotation.from_euler('z', drive.odometry_N3[:, 2:])
    silent = _silence(drive, scenario, rng)
    fed = seen = 0
    done_ns: int | None = None
    for now_ns in range(_STEP_NS, len(drive) * _SAMPLE_NS, _STEP_NS):
        while fed < len(drive) and fed * _SAMPLE_NS + _LAG_NS <= now_ns:
            x, y = drive.odometry_N3[fed, :2]
            watch.move(
                fed * _SAMPLE_NS, Pose(rotations[fed], np.array([x, y, 0.0]), 'odom', 'base')
            )
            fed += 1
        while seen < len(images) and images[seen].arrives_ns <= now_ns:
            watch.observe(images[seen].observation())
            seen += 1
        sample = fed - 1
        # Before it is lifted the laser keeps the localizer in place.
        if sample < drive.lifted:
            localizer.update(sample)
        told = sample not in silent
        belief = localizer.belief(sample, sample * _SAMPLE_NS) if told else None
        report = watch.step(now_ns, belief, listeners=1)
        _watch_state(trip, report, localizer, drive, sample)
        _obey(trip, report, localizer, drive, sample)
        done_ns = _well(trip, localizer, drive, sample, now_ns, done_ns)
        if done_ns is not None and now_ns > done_ns + _AFTERWARDS_NS:
            break
    return trip


def _silence(drive: Drive, scenario: Scenario, rng: np.random.Generator) -> range:
    """Return the samples at which the localizer tells nothing."""
    if not scenario.silent or rng.random() >= scenario.silent:
        return range(0)
    # One that never spoke is another matter: it has no pose.
    begins = int(rng.integers(_SPOKE_S * RATE_HZ, len(drive)))
    return range(begins, begins + round(rng.uniform(_LEAST_SILENT_S, _MOST_SILENT_S) * RATE_HZ))


def _watch_state(
    trip: Trip, report: Report, localizer: LocalizerStandIn, drive: Drive, sample: int
) -> None:
    believed = localizer.believed(sample)
    in_the_air = drive.lifted <= sample < drive.set_down
    if believed is None or in_the_air:
        return
    metres, radians = believed.off(drive.at(sample))
    if metres < _FINE_M and radians < _FINE_RAD:
        trip.driven_s += _STEP_NS / NS_PER_S
        sent = any(isinstance(each, SendInitialPose) for each in report.decisions)
        trip.false_alarm |= sent or report.status.state is State.KIDNAPPED


def _obey(
    trip: Trip, report: Report, localizer: LocalizerStandIn, drive: Drive, sample: int
) -> None:
    for decision in report.decisions:
        if isinstance(decision, SendInitialPose):
            fix = decision.fix
            x, y = fix.map_from_base.translation[:2]
            at = round(fix.stamp_ns / _SAMPLE_NS)
            truth = drive.at(at)
            yaw = float(fix.map_from_base.rotation.as_euler('ZYX')[0])
            turned = abs(math.remainder(yaw - truth.yaw, 2 * math.pi))
            gone = not trip.in_map and at >= drive.set_down
            metres = math.inf if gone else math.hypot(x - truth.x, y - truth.y)
            trip.resets.append((metres, turned))
            localizer.take(fix, at)
        elif isinstance(decision, RequestNoMotionUpdate):
            localizer.update(sample)
        elif isinstance(decision, GiveUp):
            trip.gave_up = True


def _well(
    trip: Trip,
    localizer: LocalizerStandIn,
    drive: Drive,
    sample: int,
    now_ns: int,
    done_ns: int | None,
) -> int | None:
    """Return since when the localizer is right again after a reset."""
    believed = localizer.believed(sample)
    if not trip.resets or believed is None or sample < drive.set_down:
        return None
    metres, radians = believed.off(drive.at(sample))
    if metres > RIGHT_M or radians > RIGHT_RAD:
        return None
    if trip.recovered_s is None:
        trip.recovered_s = (now_ns - drive.set_down * _SAMPLE_NS) / NS_PER_S
    return now_ns if done_ns is None else done_ns
