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

"""What the node says about itself once a second on /diagnostics (REP-107)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import math

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from posenet_ros.nodes.worker import Counts
from rclpy.impl.rcutils_logger import RcutilsLogger

WARNING = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR


@dataclass(frozen=True)
class Problem:
    """Something that is wrong, one line, and how bad it is: WARNING or ERROR."""

    level: bytes
    text: str


@dataclass(frozen=True)
class Verified:
    """
    What became of the images that were looked for in the map, and `by` what, or why none was.

    Of the last seconds: `rate_hz` of verified poses, their `share` of the images looked for, and
    the time from an image to its verified pose; NaN where there was none. `last_reason` says why
    one was not verified.
    """

    by: str = ''
    counts: Counts = field(default_factory=Counts)
    rate_hz: float = 0.0
    share: float = math.nan
    latency_ms: tuple[float, float] = (math.nan, math.nan)
    last_reason: str = ''


@dataclass(frozen=True)
class Watched:
    """
    What is known of the robot and its localizer, and what recovery did about it.

    `state` with its `reason`, what recovery may do (`mode`) and what it waits for (`told`), the
    newest fix or why there is none; how far the localizer was from the last fix that was compared
    with it, NaN where none was; initial poses sent, and recoveries that succeeded.
    """

    state: str = 'unknown'
    reason: str = ''
    mode: str = 'off'
    told: str = ''
    fix: str = ''
    apart_m: float = math.nan
    apart_rad: float = math.nan
    sent: int = 0
    recovered: int = 0


@dataclass(frozen=True)
class Report:
    """
    The node's condition at one moment; latencies in milliseconds, NaN where there are none.

    `beyond_ms` is the latency without the network's own time, and `stages_ms` the median of each
    stage.
    `camera` says how images were made those of the camera of training, '' where they are as they
    come. `body` is the frame whose poses are published, '' for the camera's own; `unplaced`
    poses of the camera did not become one of it. `neighbour` is the training image that went out
    last, or why none does.
    """

    state: str
    enabled: bool = True
    model: str = ''
    loading: str = ''
    device: str = ''
    decoder: str = ''
    image_topic: str = ''
    counts: Counts = field(default_factory=Counts)
    received_hz: float = 0.0
    published_hz: float = 0.0
    latency_ms: tuple[float, float] = (math.nan, math.nan)
    age_ms: tuple[float, float] = (math.nan, math.nan)
    beyond_ms: tuple[float, float] = (math.nan, math.nan)
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    last_refusal: str = ''
    scene: str = ''
    verified: Verified = field(default_factory=Verified)
    watched: Watched = field(default_factory=Watched)
    camera: str = ''
    body: str = ''
    unplaced: int = 0
    neighbour: str = ''
    problems: tuple[Problem, ...] = ()


def diagnostic_array(report: Report, *, name: str, stamp: Time) -> DiagnosticArray:
    """Return the message for a report; `name` tells which node and what of it."""
    status = DiagnosticStatus(name=name, hardware_id=report.image_topic)
    status.level = max((problem.level for problem in report.problems), default=DiagnosticStatus.OK)
    status.message = '; '.join(problem.text for problem in report.problems) or report.state
    status.values = [KeyValue(key=key, value=value) for key, value in _values(report)]
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array


def _values(report: Report) -> list[tuple[str, str]]:
    counts = report.counts
    return [
        ('state', report.state),
        ('enabled', str(report.enabled).lower()),
        ('model', report.model),
        ('model that is loading', report.loading),
        ('device', report.device),
        ('decoder', report.decoder),
        ('image topic', report.image_topic),
        ('received', str(counts.received)),
        ('published', str(counts.published)),
        ('dropped', str(counts.dropped)),
        ('refused', str(counts.refused)),
        ('pending', str(counts.pending)),
        ('last refusal', report.last_refusal),
        ('scene', report.scene),
        ('images', report.camera or 'as they come'),
        ('poses of', report.body or 'the camera'),
        ('not sent, transform missing', str(report.unplaced)),
        ('nearest training image', report.neighbour),
        ('received [Hz]', f'{report.received_hz:.1f}'),
        ('published [Hz]', f'{report.published_hz:.1f}'),
        ('latency, image received to pose sent, median [ms]', f'{report.latency_ms[0]:.1f}'),
        ('latency, image received to pose sent, p99 [ms]', f'{report.latency_ms[1]:.1f}'),
        ('age, image stamp to pose sent, median [ms]', f'{report.age_ms[0]:.1f}'),
        ('age, image stamp to pose sent, p99 [ms]', f'{report.age_ms[1]:.1f}'),
        ('latency beyond the network, median [ms]', f'{report.beyond_ms[0]:.1f}'),
        ('latency beyond the network, p99 [ms]', f'{report.beyond_ms[1]:.1f}'),
        ('latency by stage, median [ms]', _listed(report.stages_ms)),
        *_values_of_verified(report.verified),
        *_values_of_watched(report.watched),
    ]


def _listed(figures: Mapping[str, float]) -> str:
    return ', '.join(f'{name} {value:.2f}' for name, value in figures.items())


def _values_of_verified(verified: Verified) -> list[tuple[str, str]]:
    counts, latency_ms = verified.counts, verified.latency_ms
    return [
        ('verification', verified.by),
        ('verification, received', str(counts.received)),
        ('verification, verified', str(counts.published)),
        ('verification, dropped', str(counts.dropped)),
        ('verification, not verified', str(counts.refused)),
        ('verification, pending', str(counts.pending)),
        ('verification, last reason why not', verified.last_reason),
        ('verification, verified [Hz]', f'{verified.rate_hz:.1f}'),
        ('verification, verified of those looked for [%]', f'{100 * verified.share:.0f}'),
        ('latency, image received to verified pose sent, median [ms]', f'{latency_ms[0]:.1f}'),
        ('latency, image received to verified pose sent, p99 [ms]', f'{latency_ms[1]:.1f}'),
    ]


def _values_of_watched(watched: Watched) -> list[tuple[str, str]]:
    return [
        ('robot', watched.state),
        ('robot, why', watched.reason),
        ('fix', watched.fix),
        ('fix and localizer apart [m]', f'{watched.apart_m:.2f}'),
        ('fix and localizer apart [deg]', f'{math.degrees(watched.apart_rad):.1f}'),
        ('recovery', watched.mode),
        ('recovery, what it waits for', watched.told),
        ('recovery, initial poses sent', str(watched.sent)),
        ('recovery, succeeded', str(watched.recovered)),
    ]


class ProblemLog:
    """Problems in the log: each once when it appears, not again while it lasts."""

    def __init__(self, logger: RcutilsLogger) -> None:
        """Take the logger of a node."""
        self._logger = logger
        self._known: set[str] = set()

    def tell(self, problems: Sequence[Problem]) -> None:
        """Log what is new among the problems of this moment."""
        known, self._known = self._known, {without_figures(each.text) for each in problems}
        for problem in problems:
            if without_figures(problem.text) not in known:
                # Two calls: rclpy refuses a second severity from one line of code.
                if problem.level == ERROR:
                    self._logger.error(problem.text)
                else:
                    self._logger.warning(problem.text)


def without_figures(text: str) -> str:
    """Return a text by which a problem is known again although its figures move."""
    return ''.join(character for character in text if not character.isdigit())
