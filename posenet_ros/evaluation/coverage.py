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

"""Are published covariances true: how many errors lie in the regions that they promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.covariance import residuals, squared_distances
from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.geometry import NS_PER_S
from posenet_ros.models.trust import Trust
from scipy.stats import chi2

# Frames within so many seconds are wrong together, and are drawn together.
_BLOCK_S = 10.0
_DRAWS = 2000


@dataclass(frozen=True)
class Share:
    """A share, and the interval that it is in with 95 %; the same where nothing tells."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return it for a person."""
        return f'{100 * self.value:.1f} % ({100 * self.low:.0f} to {100 * self.high:.0f})'

    def to_list(self) -> list[float]:
        """Return value, low and high as plain values."""
        return [round(each, 4) for each in (self.value, self.low, self.high)]


@dataclass(frozen=True)
class Coverage:
    """The shares of answers in the regions for half of the errors, and for 95 % of them."""

    half: Share
    most: Share

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {'inside_50': self.half.to_list(), 'inside_95': self.most.to_list()}


def coverage(evaluation: Evaluation, trust: Trust) -> Coverage | None:
    """Return how true the network's covariances of its answers were, None without any."""
    return _covered(evaluation, False, trust.half_reach, trust.most_reach)


def coverage_of_verified(evaluation: Evaluation) -> Coverage | None:
    """Return how true the covariances of verified poses were, None without any."""
    half_reach, most_reach = (float(chi2.ppf(share, df=6)) for share in (0.5, 0.95))
    return _covered(evaluation, True, half_reach, most_reach)


def _covered(
    evaluation: Evaluation, verified: bool, half_reach: float, most_reach: float
) -> Coverage | None:
    confirmed = evaluation.verified or (False,) * len(evaluation.truth)
    told = [
        (stamp_ns, true, estimate, covariance)
        for stamp_ns, true, estimate, covariance, each in zip(
            evaluation.stamps_ns,
            evaluation.truth,
            evaluation.estimates,
            evaluation.covariances,
            confirmed,
        )
        if estimate is not None and covariance is not None and each == verified
    ]
    if not told:
        return None
    stamps, truth, estimates, covariances = zip(*told)
    errors, covariance_N66 = residuals(truth, estimates), np.stack(covariances)
    distances = squared_distances(errors, covariance_N66)
    blocks = np.array(stamps, dtype=np.int64) // round(_BLOCK_S * NS_PER_S)
    half, most = (_bootstrapped(distances <= reach, blocks) for reach in (half_reach, most_reach))
    return Coverage(half, most)


def _bootstrapped(inside_N: NDArray[np.bool_], block_N: NDArray[np.int64]) -> Share:
    """Return the share of true values, with its interval by drawing whole blocks."""
    _, number_N = np.unique(block_N, return_inverse=True)
    inside = np.bincount(number_N, weights=inside_N)
    sizes = np.bincount(number_N)
    drawn = np.random.default_rng(0).integers(0, len(sizes), (_DRAWS, len(sizes)))
    shares = inside[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return Share(float(inside_N.mean()), float(low), float(high))
