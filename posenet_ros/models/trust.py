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

"""How far a pose may be believed, by how unlike the training images its image is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ModelError

# Metres and radians: 1 cm, 0.5 deg.
FLOORS = np.repeat([0.01, math.radians(0.5)], 3)
# Added to deviations that poses tell of themselves: 5 mm, 0.25 deg.
ADDED = FLOORS / 2
# The deviation of an angle of which nothing is known, anywhere from -pi to pi.
ANY_ANGLE = math.pi / math.sqrt(3)
# From where nothing was seen on, what holds there sets in over such a share of the novelty.
_RISE, _LEAST_RISE = 0.5, 0.01


@dataclass(frozen=True, eq=False)
class CovarianceByNovelty:
    """
    A diagonal covariance whose logarithm grows with novelty, in some units.

    `typical_66` holds at the novelty `typical`. Below `lowest`, nothing was seen to be better.
    Beyond `seen` nothing was seen at all: from half as much again on, standard deviations are at
    least `unseen` (x y z in metres, about x y z in radians) a unit of novelty, and in between they
    rise to that.
    """

    typical_66: NDArray[np.float64]
    lowest: float
    typical: float
    growth_position: float
    growth_rotation: float
    seen: float = 0.0
    unseen: tuple[float, ...] = (0.0,) * 6

    def at(self, novelty_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return covariances (N, 6, 6) at novelties, in metres and radians."""
        variances_N6 = np.diagonal(self.seen_at(novelty_N), axis1=1, axis2=2)
        variances_N6 = np.maximum(variances_N6, self.unseen_at(novelty_N) ** 2)
        return variances_N6[:, :, None] * np.eye(6)

    def seen_at(self, novelty_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return covariances (N, 6, 6) at novelties, by what was seen."""
        above_N1 = (np.maximum(novelty_N, self.lowest) - self.typical)[:, None]
        logs_N6 = above_N1 * np.repeat([self.growth_position, self.growth_rotation], 3)
        variances_N6 = np.maximum(np.diag(self.typical_66) * np.exp(logs_N6), FLOORS**2)
        return variances_N6[:, :, None] * np.eye(6)

    def unseen_at(self, novelty_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the least standard deviations (N, 6) at novelties, where nothing was seen."""
        return (self._beyond(novelty_N) * novelty_N)[:, None] * np.array(self.unseen)

    def _beyond(self, novelty_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return from 0 to 1 how far images are beyond what was seen."""
        width = max(_RISE * self.seen, _LEAST_RISE)
        return np.clip((novelty_N - self.seen) / width, 0, 1)

    def scaled(self, scale: float) -> CovarianceByNovelty:
        """Return it with all variances times `scale`."""
        return replace(self, typical_66=self.typical_66 * scale)


@dataclass(frozen=True)
class Trust:
    """
    What novelty means for a model, measured on frames that it was not trained on.

    The novelty of an image is one minus the cosine of its feature with that of the nearest
    training image. The card's covariance holds at `typical`. From there, the logarithms of the
    variances of position and rotation grow by `growth_position` and `growth_rotation` a unit, and
    fall as much down to `lowest`. Beyond `seen`, which few held-out frames are, they are at least
    what `unseen` (x y z in metres, about x y z in radians), times novelty, makes them: so wrong
    are poses in stretches of the map that are left out of it; zeros where none was.

    Above `limit` an image is of nowhere in the map, and refused: so were `own_refused` of the
    held-out frames whose pose was right, also blurred and darkened ones, and all but
    `foreign_accepted` of mirrored ones, which look like another place of the same kind. Half of
    the errors are within a squared Mahalanobis distance of `half_reach`, 95 % of them within
    `most_reach`.
    """

    lowest: float
    typical: float
    growth_position: float
    growth_rotation: float
    seen: float
    unseen: tuple[float, ...]
    half_reach: float
    most_reach: float
    limit: float
    own_refused: float
    foreign_accepted: float

    def __post_init__(self) -> None:
        """Refuse what cannot have been measured."""
        if not isinstance(self.unseen, tuple) or len(self.unseen) != 6:
            raise ModelError(f'unseen of trust is six numbers, got {self.unseen!r}')
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        sizes = {f'unseen {axis}': size for axis, size in enumerate(told.pop('unseen'))}
        for name, value in {**told, **sizes}.items():
            if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
                raise ModelError(f'{name} of trust is at least zero, got {value!r}')

    def refuses(self, novelty: float) -> bool:
        """Tell whether an image of this novelty shows nowhere in the map."""
        return not novelty <= self.limit

    def by_novelty(self, typical_66: NDArray[np.float64]) -> CovarianceByNovelty:
        """Return the covariance at every novelty, from the card's."""
        return CovarianceByNovelty(
            typical_66,
            self.lowest,
            self.typical,
            self.growth_position,
            self.growth_rotation,
            self.seen,
            self.unseen,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `from_dict` reads them back."""
        told = asdict(self)
        unseen = [round(float(size), 6) for size in told.pop('unseen')]
        plain = {name: round(float(value), 6) for name, value in told.items()}
        return {**plain, 'unseen': unseen}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Trust:
        """Read what `to_dict` wrote; raise ModelError for keys or values that do not fit."""
        expected = {field.name for field in fields(cls)}
        if set(values) != expected:
            odd = ', '.join(sorted(set(values) ^ expected))
            raise ModelError(f'trust lacks or has unknown keys: {odd}')
        unseen = values['unseen']
        return cls(**{**values, 'unseen': tuple(unseen) if isinstance(unseen, list) else unseen})
