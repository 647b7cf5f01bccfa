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

"""A pose that a robot may act on, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import check_covariance, Pose
from posenet_ros.recovery.drift import Reading
from posenet_ros.recovery.observation import Kind


@dataclass(frozen=True, eq=False)
class Fix:
    """
    Where the robot was at the stamp of the newest frame that agrees.

    `covariance` (6, 6) is in axes of the map, and in no direction surer than the surest frame. It
    rests on `frames` of `of_frames` answered ones, all of one `kind` where that is verified, that
    were taken within `span_ns` from so many different `views`; they lie `spread_m` and
    `spread_rad` about the pose, root mean square. Of the network's frames `seconded` agree with
    a verified fix. `reading` is odometry at the stamp, by which the fix can be moved.
    """

    stamp_ns: int
    map_from_base: Pose
    covariance: NDArray[np.float64]
    kind: Kind
    frames: int
    of_frames: int
    views: int
    span_ns: int
    spread_m: float
    spread_rad: float
    seconded: int
    reading: Reading

    def __post_init__(self) -> None:
        """Refuse a covariance that lies."""
        object.__setattr__(self, 'covariance', check_covariance(self.covariance))

    def text(self) -> str:
        """Say it on a line."""
        x, y, z = self.map_from_base.translation
        yaw = math.degrees(self.map_from_base.rotation.as_euler('ZYX')[0])
        return (
            f'({x:.2f}, {y:.2f}, {z:.2f}) m, {yaw:.0f} deg by {self.frames} of {self.of_frames} '
            f'frames ({self.kind.value}, {self.views} views, spread {self.spread_m:.2f} m '
            f'{math.degrees(self.spread_rad):.1f} deg)'
        )


class Lack(Enum):
    """What a fix is missing."""

    TOO_FEW = 'too few frames'
    TOO_OLD = 'too old'
    OUT_OF_MAP = 'out of map'
    NO_ODOMETRY = 'no odometry'
    DISAGREE = 'frames disagree'
    ONE_VIEW = 'one view'
    TILTED = 'not on the floor'


@dataclass(frozen=True)
class NoFix:
    """That there is no fix, what it is missing, and that in words with numbers."""

    lack: Lack
    reason: str

    def text(self) -> str:
        """Say it on a line."""
        return f'{self.lack.value}: {self.reason}'
