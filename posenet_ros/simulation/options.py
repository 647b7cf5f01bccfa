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

"""What a user can choose about a simulation."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
import math
from typing import Any

from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera
from posenet_ros.simulation.odometry import OdometryErrors
from posenet_ros.simulation.path import Robot
from posenet_ros.simulation.sensor import SensorErrors
from posenet_ros.simulation.world import World
from posenet_ros.simulation.worlds import Setting, SETTINGS


@dataclass(frozen=True)
class SimulationOptions:
    """
    A world, the drives through it, and the sensors that record them.

    The same options give the same recordings. `world` is one of `worlds.SETTINGS`. `laps` are
    driven in one recording to train on; each of `test_laps` is driven between two of those, in
    another. `field_of_view` is horizontal, in degrees. Images are JPEG of `jpeg_quality` when
    `compressed`, else raw rgb8. `textures` is the seed of another world of the kind, whose
    textures are taken in place of its own.
    """

    world: str = 'room'
    seed: int = 0
    laps: int = 3
    test_laps: int = 1
    rate_hz: float = 15.0
    odometry_rate_hz: float = 50.0
    width: int = 640
    height: int = 480
    field_of_view: float = 75.0
    compressed: bool = True
    jpeg_quality: int = 90
    robot: Robot = field(default_factory=Robot)
    sensor: SensorErrors = field(default_factory=SensorErrors)
    odometry: OdometryErrors = field(default_factory=OdometryErrors)
    textures: int | None = None

    def __post_init__(self) -> None:
        """Refuse values that nothing can be rendered or driven with."""
        _setting(self.world)
        _within('seed', self.seed, 0, 2**32 - 1)
        if self.textures is not None:
            _within('seed of the textures', self.textures, 0, 2**32 - 1)
            if not self.setting.paintable:
                raise ConfigError(
                    'only a room can be painted with the textures of another; '
                    f'leave --textures out of --world {self.world}'
                )
        _within('laps', self.laps, 1, 50)
        _within('test laps', self.test_laps, 0, 50)
        _within('rate', self.rate_hz, 0.5, 120, 'Hz')
        _within('odometry rate', self.odometry_rate_hz, 1, 1000, 'Hz')
        _within('width', self.width, 64, 4096, 'pixels')
        _within('height', self.height, 48, 4096, 'pixels')
        _within('field of view', self.field_of_view, 20, 130, 'degrees')
        _within('JPEG quality', self.jpeg_quality, 10, 100)
        _within('speed', self.robot.speed, 0.15, 2, 'm/s')

    @classmethod
    def usual(cls, world: str = 'room', **chosen: Any) -> SimulationOptions:
        """Return options with the robot and the odometry that a world usually has."""
        setting = _setting(world)
        return cls(world, **{'robot': setting.robot, 'odometry': setting.odometry, **chosen})

    @property
    def setting(self) -> Setting:
        """How the world is made and driven through."""
        return _setting(self.world)

    def made(self) -> World:
        """Make the world."""
        textures = {} if self.textures is None else {'textures': self.textures}
        return self.setting.make(self.seed, **textures)

    @property
    def camera(self) -> Camera:
        """The ideal camera that the images are rendered with."""
        focal = self.width / 2 / math.tan(math.radians(self.field_of_view) / 2)
        centre = ((self.width - 1) / 2, (self.height - 1) / 2)
        return Camera(self.width, self.height, focal, focal, *centre)

    def to_dict(self) -> dict[str, Any]:
        """
        Return plain values for YAML, by which two simulations are compared.

        A world in its own textures says nothing of them, as one did before there was a choice.
        """
        values = asdict(self)
        if self.textures in (None, self.seed):
            del values['textures']
        return values


def _setting(world: str) -> Setting:
    if world not in SETTINGS:
        *others, last = SETTINGS
        raise ConfigError(f'the world must be {", ".join(others)} or {last}, not {world}')
    return SETTINGS[world]


def _within(name: str, value: float, low: float, high: float, unit: str = '') -> None:
    if not low <= value <= high:
        raise ConfigError(f'the {name} must be {low} to {high} {unit}'.rstrip() + f', not {value}')
