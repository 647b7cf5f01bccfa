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

"""What is drilled: who does what to the robot, and what is worse than usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import math
from typing import Any

from posenet_ros.errors import ConfigError

KIDNAPPED, ELSEWHERE, DRIVING = 'kidnapped', 'elsewhere', 'driving'
SCENARIOS: Mapping[str, str] = {
    KIDNAPPED: 'carried to another place of its lane, or (one in ten) without a localizer',
    ELSEWHERE: 'set down in a room that is not in the map',
    DRIVING: 'a minute each, nobody carries the robot',
}
SAME_MAP = '0 0 0 0 0 0'


@dataclass(frozen=True)
class DrillOptions:
    """
    One drill.

    `trips` are kidnappings, or minutes of driving. `odometry` is how many times as large as
    usual the errors of odometry are, `spoilt` the share of images that are blurred or covered,
    `rate_hz` how many the camera takes. Without `verification` the node has the network alone,
    and may reset the localizer by that. With `publish_tf_odom` there is no localizer but the
    node. `pace` is how fast time passes at most, 1 for as on the wall. `map_from_model` and
    `parameters` go to the node.
    """

    scenario: str = KIDNAPPED
    trips: int = 20
    seed: int = 0
    odometry: float = 1.0
    spoilt: float = 0.0
    rate_hz: float = 8.0
    verification: bool = True
    publish_tf_odom: bool = False
    pace: float = 1.0
    map_from_model: str = SAME_MAP
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be driven."""
        if self.scenario not in SCENARIOS:
            raise ConfigError(
                f'no such scenario: {self.scenario}; there are {", ".join(SCENARIOS)}'
            )
        _within('trips', self.trips, 1, 100_000)
        _within('seed', self.seed, 0, 2**32 - 1)
        _within('odometry-noise', self.odometry, 0, 20)
        _within('spoilt', self.spoilt, 0, 0.9)
        _within('rate', self.rate_hz, 1, 30)
        _within('pace', self.pace, 0.05, 10)

    def node_parameters(self) -> dict[str, str]:
        """Return the parameters of the node under test, as after -p."""
        return {
            'base_frame': 'base_link',
            'recovery': 'act',
            'map_from_model': _quoted(self.map_from_model),
            'publish_tf': 'odom' if self.publish_tf_odom else 'none',
            'use_sim_time': 'true',
            **({} if self.verification else {'refine': 'off', 'unverified_resets': 'true'}),
            **self.parameters,
        }

    @property
    def about(self) -> str:
        """What is drilled, for a person."""
        worse = [
            f'{self.odometry:g} times the usual errors of odometry' if self.odometry != 1 else '',
            f'{100 * self.spoilt:.0f} % of images blurred or covered' if self.spoilt else '',
            '' if self.verification else 'no verification, resets by the network allowed',
            'the node is the localizer' if self.publish_tf_odom else '',
        ]
        said = [SCENARIOS[self.scenario], f'{self.rate_hz:g} images a second']
        return '; '.join([*said, *filter(None, worse)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), 'parameters': dict(self.parameters)}


def _quoted(text: str) -> str:
    """Return a text as YAML that is a string and not a list or a number."""
    return f'"{text}"'


def _within(option: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ConfigError(f'--{option} must be {low:g} to {high:g}, not {value:g}')
