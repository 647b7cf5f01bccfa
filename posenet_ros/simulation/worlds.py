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

"""The worlds that can be simulated: how each is made, and what usually drives in it, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import math

from posenet_ros.geometry import Trajectory
from posenet_ros.simulation.corridor import make_corridor
from posenet_ros.simulation.halls import make_twins
from posenet_ros.simulation.odometry import OdometryErrors
from posenet_ros.simulation.path import drive, Robot
from posenet_ros.simulation.tour import tour
from posenet_ros.simulation.world import make_world, World


@dataclass(frozen=True)
class Setting:
    """
    A kind of world.

    `make` takes a seed, and as `textures` the seed of another world of the kind to paint it with
    where it is `paintable`; `drive` is called as `path.drive` is. `robot` and `odometry` are
    those that are usual there.
    """

    make: Callable[..., World]
    drive: Callable[..., Trajectory]
    robot: Robot = field(default_factory=Robot)
    odometry: OdometryErrors = field(default_factory=OdometryErrors)
    paintable: bool = False


# Faster round its corners. The way is ten times that in a room: a gyroscope that let the
# heading drift there as wheels do would have it turned around by the end.
_LONG = (Robot(speed=0.65, turn_rate=1.1), OdometryErrors(heading_drift=math.radians(0.05)))

SETTINGS: Mapping[str, Setting] = {
    'room': Setting(make_world, drive, paintable=True),
    'corridor': Setting(make_corridor, tour, *_LONG),
    'twins': Setting(make_twins, tour, *_LONG),
}
