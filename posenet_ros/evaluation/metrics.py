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

"""
How wrong poses are: errors, their quantiles, and shares within the usual thresholds.

Every figure counts all frames asked. A frame without an answer is infinitely wrong, so that
silence can never improve a median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import PosenetError
from posenet_ros.geometry import Pose


class Threshold(NamedTuple):
    """A frame counts as right when both errors are at most these."""

    metres: float
    degrees: float

    def __str__(self) -> str:
        """Return the name used in tables and as a JSON key."""
        return f'{self.metres:g}m/{self.degrees:g}deg'


# Those of the visual localization benchmarks, and one for "knows the place at all".
THRESHOLDS = (Threshold(0.05, 5), Threshold(0.25, 2), Threshold(0.5, 5), Threshold(5, 10))


@dataclass(frozen=True, eq=False)
class PoseErrors:
    """Errors of N frames: distance in metres, rotation angle in degrees; inf is no answer."""

    position_m: NDArray[np.float64]
    orientation_deg: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of frames asked."""
        return len(self.position_m)

    def within(self, threshold: Threshold) -> float:
        """Return the share of all frames asked whose errors are both within a threshold."""
        right = (self.position_m <= threshold.metres) & (self.orientation_deg <= threshold.degrees)
        return float(right.mean())


def pose_errors(truth: Sequence[Pose], estimates: Sequence[Pose | None]) -> PoseErrors:
    """
    Compare each estimate with its truth; None counts as infinitely wrong.

    The orientation error is the angle of the rotation between the two, `2 acos|<q1, q2>|` in
    [0, 180] deg: twice what the tables of 2015 say. q and -q are the same rotation.
    """
    if len(truth) != len(estimates):
        raise PosenetError(f'{len(truth)} true poses and {len(estimates)} answers do not pair up')
    pairs = [
        (math.inf, math.inf) if estimate is None else true.distance(estimate)
        for true, estimate in zip(truth, estimates)
    ]
    metres, radians = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return PoseErrors(metres, np.degrees(radians))


def quantile(values: NDArray[np.float64], share: float) -> float:
    """
    Return a quantile with linear interpolation, also where some values are infinite.

    NumPy's own answers NaN between two infinities.
    """
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    if below == above or not math.isfinite(above):
        return float(above)
    return float(below + (place - math.floor(place)) * (above - below))


@dataclass(frozen=True)
class ErrorSummary:
    """
    The figures of one method over one set of frames.

    Errors that fall on unanswered frames are infinite here, and null in JSON, which has no
    infinity. `recall` maps each of THRESHOLDS to a share of all frames asked.
    """

    frames: int
    localized: int
    median_position_m: float
    median_orientation_deg: float
    p95_position_m: float
    p95_orientation_deg: float
    recall: dict[Threshold, float]

    @classmethod
    def of(cls, errors: PoseErrors) -> ErrorSummary:
        """Sum up errors; raise PosenetError when there is no frame to sum up."""
        if not len(errors):
            raise PosenetError('there is no frame to evaluate: no image has a true pose')
        return cls(
            frames=len(errors),
            localized=int(np.isfinite(errors.position_m).sum()),
            median_position_m=quantile(errors.position_m, 0.5),
            median_orientation_deg=quantile(errors.orientation_deg, 0.5),
            p95_position_m=quantile(errors.position_m, 0.95),
            p95_orientation_deg=quantile(errors.orientation_deg, 0.95),
            recall={threshold: errors.within(threshold) for threshold in THRESHOLDS},
        )

    @property
    def localized_share(self) -> float:
        """The share of all frames asked that have an answer, right or wrong."""
        return self.localized / self.frames

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON and YAML; an infinite error is None."""
        return {
            'frames': self.frames,
            'localized': self.localized,
            'localized_share': round(self.localized_share, 6),
            'median_position_m': _plain(self.median_position_m),
            'median_orientation_deg': _plain(self.median_orientation_deg),
            'p95_position_m': _plain(self.p95_position_m),
            'p95_orientation_deg': _plain(self.p95_orientation_deg),
            'recall': {str(name): round(share, 6) for name, share in self.recall.items()},
        }


def _plain(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
