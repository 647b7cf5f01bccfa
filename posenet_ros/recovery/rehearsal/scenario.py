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

"""What is rehearsed: one world, and in each scenario something is worse than the logic is told."""

from __future__ import annotations

from dataclasses import dataclass
import math

from posenet_ros.recovery.checks import check_numbers

# What the covariances tell of the network's errors, and of verified ones: along the floor, in
# height, of tilt and of yaw.
REGRESSED_SIGMAS = (0.15, 0.03, math.radians(1.0), math.radians(3.0))
VERIFIED_SIGMAS = (0.02, 0.02, math.radians(0.5), math.radians(0.5))
_SHARES = ('refused', 'outliers', 'mistaken', 'false_verified', 'twin_verified', 'lost', 'silent')


@dataclass(frozen=True)
class Scenario:
    """
    A world, a camera and a robot, and how wrong each is.

    `errors` is how many times larger than told the errors of poses are, `odometry` the same of
    odometry's usual ones. `refused` frames are refused in bursts as by blur. Of the views
    a camera has, a share `outliers` gives a pose of anywhere; in a visit to one of the places
    that have a twin the network takes it for the other with the chance `mistaken`. The map
    verifies what it should in most views, a place of nowhere in a share `false_verified` of them,
    and where the network takes a place for its twin, that twin in a share `twin_verified` of
    views, or, with `twin_visits`, of whole visits. Odometry slips `slips` times a minute.
    `kidnapped` robots are set down in the map, or where nothing is `in_map`; a share `lost` is
    not carried away but has no localizer at the start. In a share `silent` of trips the localizer,
    which goes on well, tells nothing for 3 to 18 s.
    """

    name: str
    about: str
    errors: float = 1.0
    odometry: float = 1.0
    refused: float = 0.05
    rate_hz: float = 10.0
    outliers: float = 0.03
    mistaken: float = 0.3
    verification: bool = True
    false_verified: float = 0.001
    twin_verified: float = 0.02
    twin_visits: bool = False
    slips: float = 0.5
    kidnapped: bool = True
    in_map: bool = True
    lost: float = 0.1
    silent: float = 0.0
    regressed_resets: bool = False

    def __post_init__(self) -> None:
        """Refuse shares that are none, and rates that no camera here has."""
        check_numbers(
            self,
            at_least=0.0,
            errors=(0.0, 10.0),
            odometry=(0.0, 20.0),
            rate_hz=(1.0, 10.0),
            **dict.fromkeys(_SHARES, (0.0, 1.0)),
        )


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario('usual', 'errors as told, with longer tails'),
        Scenario('errors2', 'errors of poses twice what their covariances tell', errors=2.0),
        Scenario('odometry2', 'errors of odometry doubled', odometry=2.0),
        Scenario('slipping', 'odometry slips six times a minute', slips=6.0),
        Scenario('blurred', '20 % more frames blurred or covered', refused=0.25),
        Scenario('slow', 'camera at 5 Hz', rate_hz=5.0),
        Scenario(
            'network',
            'no verification; resets by the network allowed',
            verification=False,
            regressed_resets=True,
        ),
        Scenario(
            'network2',
            'the same, errors twice what is told',
            verification=False,
            regressed_resets=True,
            errors=2.0,
        ),
        Scenario(
            'deceived',
            'the map verifies one view in 50 falsely',
            false_verified=0.02,
            twin_verified=0.1,
        ),
        Scenario(
            'twins',
            'of visits to a place with a twin, the map verifies 2 % as of the twin all the while',
            twin_visits=True,
        ),
        Scenario('elsewhere', 'set down where nothing is in the map', in_map=False, lost=0.0),
        Scenario(
            'driving', 'a minute of driving, nobody carries the robot', kidnapped=False, lost=0.0
        ),
        Scenario(
            'silent',
            'the same, and the localizer tells nothing for 3 to 18 s of it',
            kidnapped=False,
            lost=0.0,
            silent=1.0,
        ),
    )
}
