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

"""How many different views there are among places that the robot stood in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

import numpy as np
from posenet_ros.recovery.checks import check_numbers
from posenet_ros.recovery.drift import angle_between, Reading


@dataclass(frozen=True)
class ViewOptions:
    """How far apart, in metres or in radians of turn, two views err differently."""

    apart_m: float = 0.4
    apart_rad: float = math.radians(25)

    def __post_init__(self) -> None:
        """Refuse views that are apart by nothing, since standing would make many."""
        check_numbers(self, at_least=0.01)


def count_views(readings: Sequence[Reading], options: ViewOptions) -> int:
    """
    Return how many readings of one epoch are apart from all that were counted before.

    A robot that stands gives one view, however long it does. Odometry that slips while the robot
    stands makes views that are none; poses that are moved by it then disagree.
    """
    places: list[tuple[np.ndarray, np.ndarray]] = []
    for reading in readings:
        at = reading.odom_from_base.translation
        facing = reading.matrix
        if all(
            np.linalg.norm(at - other_at) >= options.apart_m
            or angle_between(facing, other_facing) >= options.apart_rad
            for other_at, other_facing in places
        ):
            places.append((at, facing))
    return len(places)
