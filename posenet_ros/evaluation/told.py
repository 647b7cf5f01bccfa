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
Covariances that come with poses: how much too small they are, measured on held-out frames.

Cells of one image are wrong together, and so are neighbours of a database; what they tell as if
each were by itself is right in how it differs from image to image, and not in its size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.covariance import (
    blocks_answered,
    residual_covariance,
    ResidualCovariance,
    Seen,
)
from posenet_ros.localization.measured import whitened
from posenet_ros.models.trust import ADDED, CovarianceByNovelty
from scipy.optimize import minimize_scalar
from scipy.stats import chi2

# The logarithm of a factor is at most this.
_MOST_LOG = 20.0
_HALVINGS = 50
# Cells of a hole that nobody drove through are wrong together, and may agree all the same. Of
# heads that had learned without a stretch, positions were off by 0.1 to 1 times what the pose of
# the most similar image is off by at that novelty, rotations by less (docs/recipe.md).
_IN_HOLES = 0.5


class Settled(NamedTuple):
    """
    A covariance in units of those that were told, and what it was concluded from.

    In a hole of the map, errors that are told nothing of are by `in_holes` as large as those of
    the most similar images' poses (see `stretches`).
    """

    support: ResidualCovariance
    blocks: Sequence[Sequence[Seen]]
    in_holes: float = 0.0


# Of blocks whose frames, as they are and disturbed, came with covariances.
Settle = Callable[[Sequence[Sequence[Seen]]], Settled]


def by_axes(blocks: Sequence[Sequence[Seen]]) -> Settled:
    """
    Measure one factor for what is told of positions and one for rotations, growing by novelty.

    As `residual_covariance` does, of errors in units of the covariances that came with them.
    """
    units = [
        [seen._replace(residuals_N6=whitened(seen.residuals_N6, seen.told_N66)) for seen in block]
        for block in blocks
    ]
    return Settled(residual_covariance(units), units)


def by_one_factor(blocks: Sequence[Sequence[Seen]]) -> Settled:
    """
    Measure one factor for all that is told, beside what is added (see `grown`).

    It is the most likely one of normal errors, of all frames as they are and disturbed. Then each
    block is held against what the others give, and the factor is raised until 95 % of all frames
    as they are lie in their 95 % region. Novelty does not count but in holes: what is told goes
    with errors better. Raises PosenetError when no frame was answered.
    """
    answered = blocks_answered(blocks)
    factor = _most_likely(answered)
    own = Seen.joined([block[0] for block in answered])
    alone = _Alone.of(own)
    most = float(chi2.ppf(0.95, df=6))
    scale, checked = 1.0, {}
    factor_N = np.full(len(own.novelty_N), factor)
    if len(answered) > 1:
        others = [
            _most_likely(answered[:number] + answered[number + 1 :])
            for number in range(len(answered))
        ]
        factor_N = np.repeat(others, [len(block[0].novelty_N) for block in answered])
        needed_N = _raise_needed(alone, factor_N, most)
        scale = max(float(np.quantile(needed_N, 0.95, method='higher')), 1.0)
        checked = {
            'inside_95': float((needed_N <= scale).mean()),
            'inside_95_unscaled': float((needed_N <= 1).mean()),
        }
    distances = alone.distances(factor_N * scale)
    typical = float(np.median(own.novelty_N))
    by_novelty = CovarianceByNovelty(
        factor * scale * np.eye(6), float(own.novelty_N.min()), typical, 0.0, 0.0
    )
    support = ResidualCovariance(
        by_novelty,
        len(own.novelty_N),
        len(answered),
        float(np.median(distances)),
        most,
        scale,
        **checked,
    )
    return Settled(support, blocks, _IN_HOLES)


class _Alone(NamedTuple):
    """
    Errors along axes of their own, in which what is added is one and what is told is by itself.

    Variances that are told, and squares of the errors, (N, 6) each.
    """

    variance_N6: NDArray[np.float64]
    squares_N6: NDArray[np.float64]

    @classmethod
    def of(cls, seen: Seen) -> _Alone:
        told_N66 = seen.told_N66 / (ADDED[:, None] * ADDED)
        variance_N6, axes_N66 = np.linalg.eigh(told_N66)
        along_N6 = np.einsum('nij,ni->nj', axes_N66, seen.residuals_N6 / ADDED)
        return cls(variance_N6, along_N6**2)

    def distances(self, factor_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return squared Mahalanobis distances of errors, by so many times what is told."""
        return (self.squares_N6 / (factor_N[:, None] * self.variance_N6 + 1)).sum(axis=1)


def _most_likely(blocks: Sequence[Sequence[Seen]]) -> float:
    """Return the factor of what is told by which errors are the most likely, at least one."""
    seen = Seen.joined([each for block in blocks for each in block])
    alone = _Alone.of(seen)

    def unlikelihood(logarithm: float) -> float:
        factor = np.exp(logarithm)
        spread_N = np.log(factor * alone.variance_N6 + 1).sum(axis=1)
        each_N = alone.distances(np.full(len(spread_N), factor)) + spread_N
        return float(np.average(each_N, weights=seen.weight_N))

    found = minimize_scalar(unlikelihood, bounds=(0.0, _MOST_LOG), method='bounded')
    return float(np.exp(found.x))


def _raise_needed(alone: _Alone, factor_N: NDArray[np.float64], most: float) -> NDArray:
    """Return by how much the factor of each frame has to rise until its region holds its error."""
    low_N, high_N = np.zeros(len(factor_N)), np.full(len(factor_N), _MOST_LOG)
    for _ in range(_HALVINGS):
        middle_N = (low_N + high_N) / 2
        holds_N = alone.distances(factor_N * np.exp(middle_N)) <= most
        low_N, high_N = np.where(holds_N, low_N, middle_N), np.where(holds_N, middle_N, high_N)
    return np.where(alone.distances(factor_N) <= most, 1.0, np.exp(high_N))
