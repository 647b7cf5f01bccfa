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

"""Where the drill is: the world that a model was trained in, and others that it does not know."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from posenet_ros.errors import ConfigError
from posenet_ros.files import read_yaml
from posenet_ros.simulation.odometry import OdometryErrors
from posenet_ros.simulation.options import SimulationOptions
from posenet_ros.simulation.path import Robot
from posenet_ros.simulation.sensor import SensorErrors
from posenet_ros.simulation.simulate import FACTS
from posenet_ros.simulation.world import World

# So many foreign worlds; each takes a second to make.
_FOREIGN = 8
_PARTS: dict[str, type] = {
    'robot': Robot,
    'sensor': SensorErrors,
    'odometry': OdometryErrors,
}
Part = TypeVar('Part')


class Site:
    """A simulated world and those that are foreign to its maps: made when they are needed."""

    def __init__(self, options: SimulationOptions) -> None:
        """Take the options that the world was simulated with."""
        self.options = options
        self._made = lru_cache(maxsize=2)(lambda seed: replace(options, seed=seed).made())

    @classmethod
    def read(cls, folder: Path) -> Site:
        """
        Read what a folder of `simulate` says of itself.

        Raises ConfigError for a folder that is none, or that another version made.
        """
        facts = folder / FACTS
        if not facts.is_file():
            raise ConfigError(
                f'{folder} is no simulation: it has no {FACTS}; make one with simulate --output '
                f'{folder}, and train on its recording'
            )
        values = read_yaml(facts, ConfigError).get('options')
        return cls(_options(values, facts))

    @property
    def world(self) -> World:
        """The world."""
        return self._made(self.options.seed)

    def foreign(self, number: int) -> World:
        """Return a world of the kind that is in no map; some numbers have the same."""
        return self._made((self.options.seed + 1 + number % _FOREIGN) % 2**32)


def _options(values: Any, facts: Path) -> SimulationOptions:
    if not isinstance(values, dict):
        raise ConfigError(f'{facts} is damaged: it does not list the options of a simulation')
    parts = {
        name: _part(kind, values[name], facts) for name, kind in _PARTS.items() if name in values
    }
    return _part(SimulationOptions, {**values, **parts}, facts)


def _part(kind: type[Part], values: Any, facts: Path) -> Part:
    if not (is_dataclass(kind) and isinstance(values, dict)):
        raise ConfigError(f'{facts} is damaged: {values!r} are no options')
    unknown = set(values) - {field.name for field in fields(kind)}
    if unknown:
        raise ConfigError(
            f'{facts} has options that this version does not know: {", ".join(sorted(unknown))}; '
            'make it again with simulate'
        )
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f'{facts} is damaged: {error}') from error
