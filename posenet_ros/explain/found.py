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

"""What one trial of a figure found: errors on test frames, beside the nearest training image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
import json
from pathlib import Path
from typing import Any

from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.baselines import NEAREST_IMAGE
from posenet_ros.evaluation.table import degrees, metres


@dataclass(frozen=True)
class Errors:
    """
    Median and 95th percentile of the errors over all test frames.

    Positions in the unit of the map, orientations in degrees (the angle between two rotations);
    None is infinite: too many frames without an answer.
    """

    position: float | None
    orientation_deg: float | None
    p95_position: float | None
    p95_orientation_deg: float | None

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> Errors:
        """Take them from the plain values of an `ErrorSummary`."""
        return cls(
            summary['median_position_m'],
            summary['median_orientation_deg'],
            summary['p95_position_m'],
            summary['p95_orientation_deg'],
        )

    @property
    def medians(self) -> tuple[float | None, float | None]:
        """The medians of both."""
        return self.position, self.orientation_deg

    def told(self, unit: str) -> str:
        """Return the medians in words."""
        return f'{metres(self.position)} {unit} and {degrees(self.orientation_deg)} deg'

    def cells(self) -> list[str]:
        """Return the cells of a table, under `columns`."""
        return [
            metres(self.position),
            degrees(self.orientation_deg),
            metres(self.p95_position),
            degrees(self.p95_orientation_deg),
        ]

    def to_dict(self) -> dict[str, float | None]:
        """Return plain values."""
        return asdict(self)


def columns(unit: str) -> list[str]:
    """Return the headings of `Errors.cells`."""
    return [f'median [{unit}]', 'median [deg]', f'95th percentile [{unit}]', '[deg]']


@dataclass(frozen=True)
class Found:
    """
    The errors of a trained network, and of the nearest training image by that network's features.

    `nearest` is None for a network that is not finite. `history` is what was logged after each
    epoch, None where it was not finite. `seconds` is how long training took.
    """

    errors: Errors
    nearest: Errors | None
    history: tuple[Mapping[str, float | None], ...]
    seconds: float

    @classmethod
    def read(cls, path: Path) -> Found:
        """Read a kept result; raise ConfigError for a damaged one."""
        try:
            values = json.loads(path.read_text('utf-8'))
            nearest = values['baselines'].get(NEAREST_IMAGE)
            return cls(
                Errors.of(values),
                Errors.of(nearest) if nearest else None,
                tuple(values['history']),
                float(values['seconds']),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f'{path} is damaged; remove it, and its trial is done again'
            ) from error

    def curve(self, name: str) -> list[float | None]:
        """Return a logged value after each epoch."""
        return [row.get(name) for row in self.history]
