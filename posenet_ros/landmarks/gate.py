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

"""What has to be shown before a pose counts as verified, and how exact it then is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError

# A focal length is not the one told where it is so many standard deviations away.
_SURE = 3.0
# So much more of an image may be unknown to the map where it was taken beside the map's frames.
_UNKNOWN_AFAR = 2.5


@dataclass(frozen=True)
class Evidence:
    """
    What an image shows for a pose.

    `agreed` features that look like one point of the map much more than like any other go with
    the pose. Then `found` points are where the pose has them, of `expected` that it has in the
    image; chance would put `by_chance` there. They are in `cells` of the 8 x 6 parts of the image.
    Of the expected, the share `missed` is in parts in which hardly any is found; of the image's
    features, the share `strange` is in parts in which none belongs to the map.
    The pose is `afar` from the nearest of the map's frames: apart, as a share of how far things
    usually are away, and one minus the cosine between where the two look.
    With another place of the map, which shares no point with this one, `elsewhere` features agree,
    0 where they are too few to speak against the pose.
    By `zoom` the focal length seems to differ from the one told, give or take `zoom_deviation`.
    """

    agreed: int
    found: int
    expected: int
    by_chance: float
    cells: int
    elsewhere: int
    missed: float = 0.0
    strange: float = 0.0
    afar: float = 0.0
    zoom: float = 1.0
    zoom_deviation: float = math.inf

    @property
    def share(self) -> float:
        """The share of the points that should be seen and are."""
        return self.found / max(self.expected, 1)

    @property
    def unlike(self) -> float:
        """How much the image differs from what the map has there: what is missed and strange."""
        return self.missed + self.strange


@dataclass(frozen=True)
class Gate:
    """
    The least that verifies a pose, and how its covariance follows from the points.

    At least `agreed` features, and `found` points, `share` of those expected, in `cells` parts of
    the image, `over_chance` times as many as chance gives; of those expected at most the share
    `missed` in parts that hardly show any. The pose is at most `afar` from the map's frames, and
    the image at most `unlike` what the map has there, the more of it unknown to the map the
    farther away. No other place with which more than `elsewhere` of the number of features
    agree; and a focal length that is, as far as the points can tell, within a share `zoom` of the
    one told.
    The covariance is `stretch` times what the points alone would give, plus what the map itself
    is off by, `floor_m` and `floor_rad` along and about each axis: both measured on held-out
    frames.
    """

    agreed: int = 15
    found: int = 25
    share: float = 0.03
    cells: int = 6
    missed: float = 0.8
    afar: float = 0.6
    unlike: float = 0.8
    over_chance: float = 10.0
    elsewhere: float = 0.5
    zoom: float = 0.035
    stretch: float = 1.0
    floor_m: float = 0.02
    floor_rad: float = 0.01

    def __post_init__(self) -> None:
        """Refuse numbers that would verify everything, or make a covariance that lies."""
        # Nothing is less than a NaN.
        told = all(np.isfinite(value) for value in asdict(self).values())
        low = (
            min(self.missed, self.afar, self.unlike, self.over_chance) <= 0
            or self.agreed < 4
            or self.found < 6
            or self.cells < 1
            or self.zoom <= 0
        )
        if not told or low or not 0 < self.elsewhere <= 1:
            raise ConfigError(f'nothing is verified by {self}')
        if not (self.stretch > 0 and self.floor_m > 0 and self.floor_rad > 0):
            raise ConfigError(f'the covariance of {self} would be none')

    def objections(self, evidence: Evidence) -> tuple[str, ...]:
        """Return why a pose is not verified; nothing where it is."""
        said = []
        if evidence.agreed < self.agreed:
            said.append(f'{evidence.agreed} features agree with the pose, not {self.agreed}')
        if evidence.found < self.found:
            said.append(f'{evidence.found} points of the map are found, not {self.found}')
        if evidence.share < self.share:
            seen, least = 100 * evidence.share, 100 * self.share
            said.append(f'{seen:.0f} % of the points that should be seen are, not {least:.0f} %')
        if evidence.cells < self.cells:
            said.append(f'they are in {evidence.cells} parts of the image, not {self.cells}')
        if evidence.missed > self.missed:
            said.append(
                f'{100 * evidence.missed:.0f} % of the points that should be seen are in parts of '
                f'the image that hardly show any, not {100 * self.missed:.0f} %'
            )
        if evidence.afar > self.afar:
            said.append(
                f'the pose is {evidence.afar:.2f} from where the map was seen from, not '
                f'{self.afar:.2f}'
            )
        unlike = self.unlike + _UNKNOWN_AFAR * evidence.afar
        if evidence.unlike > unlike:
            said.append(
                f'{100 * evidence.missed:.0f} % of what should be seen is missing and '
                f'{100 * evidence.strange:.0f} % of what is seen is strange, in all not '
                f'{100 * unlike:.0f} %'
            )
        if evidence.found < self.over_chance * evidence.by_chance:
            said.append(f'chance alone would give {evidence.by_chance:.0f}')
        if evidence.elsewhere > self.elsewhere * evidence.agreed:
            said.append(
                f'another place of the map looks the same: {evidence.elsewhere} features agree '
                f'with it, {evidence.agreed} with this one'
            )
        off = abs(evidence.zoom - 1)
        if off > max(self.zoom, _SURE * evidence.zoom_deviation):
            said.append(
                f'the focal length seems to be {evidence.zoom:.2f} times that of the camera'
            )
        return tuple(said)

    def covariance(self, information: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """
        Return the covariance (6, 6) of a pose whose points give this information.

        Order x y z rotX rotY rotZ about the map's axes. None where the points leave it open.
        """
        try:
            spread = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            return None
        spread = (spread + spread.T) / 2
        if not (np.isfinite(spread).all() and np.linalg.eigvalsh(spread)[0] > 0):
            return None
        floor = np.array([self.floor_m] * 3 + [self.floor_rad] * 3) ** 2
        return self.stretch * spread + np.diag(floor)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Gate:
        """Read a gate; raise ConfigError for keys that it does not have, and what is no number."""
        if not isinstance(values, Mapping):
            raise ConfigError(f'a gate is numbers by name, not {values!r}')
        unknown = set(values) - {entry.name for entry in fields(cls)}
        if unknown:
            raise ConfigError(f'unknown values of a gate: {", ".join(sorted(unknown))}')
        try:
            return cls(**values)
        except TypeError as error:
            raise ConfigError(f'a gate is numbers, not {dict(values)}') from error
