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
The covariance that held-out frames support: how large errors were, by how new a frame looked.

Frames of one block of time see the same place and are wrong in the same way, so thirty frames of
two blocks are two observations, not thirty. That is enough for one size of position errors and
one of rotation errors, and not for the directions they prefer, but for those in which nothing
moves at all: a robot on a floor has no errors of height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import PosenetError
from posenet_ros.geometry import Pose, pose_error
from posenet_ros.models.trust import CovarianceByNovelty, FLOORS
from scipy.optimize import minimize_scalar
from scipy.stats import chi2

PARTS = (slice(0, 3), slice(3, 6))
# An axis whose errors are below a tenth of the largest is one that the camera does not move along.
_STILL = 0.1**2
_STEEPEST = 50.0


class Seen(NamedTuple):
    """
    Novelties (N,) of answered frames, their residuals (N, 6), and how much each counts (N,).

    `told_N66` are the covariances that came with the answers, None where none did.
    """

    novelty_N: NDArray[np.float64]
    residuals_N6: NDArray[np.float64]
    weight_N: NDArray[np.float64]
    told_N66: NDArray[np.float64] | None = None

    @classmethod
    def joined(cls, parts: Sequence[Seen]) -> Seen:
        """Return several of a kind as one."""
        every = zip(*parts)
        return cls(*(None if each[0] is None else np.concatenate(each) for each in every))

    def where(self, chosen_N: NDArray[np.bool_]) -> Seen:
        """Return those that are chosen."""
        return Seen(*(None if each is None else each[chosen_N] for each in self))


@dataclass(frozen=True, eq=False)
class ResidualCovariance:
    """
    What was measured on `frames` answered frames of `blocks` held-out blocks.

    `inside_95` is the share of frames whose error lies in the 95 % region of what the other
    blocks give, scaled by `scale` as `by_novelty` is; `inside_95_unscaled` is that share before,
    which tells how far one block can speak for another. Both are None for a single block, which
    nothing can be checked against. The 95 % region reaches to a squared Mahalanobis distance of
    `most_reach`, the normal distribution's for as many axes as have errors at all. Half of the
    frames are within `half_reach`, which is less than its: errors have longer tails.
    """

    by_novelty: CovarianceByNovelty
    frames: int
    blocks: int
    half_reach: float
    most_reach: float
    scale: float = 1.0
    inside_95: float | None = None
    inside_95_unscaled: float | None = None

    @property
    def covariance(self) -> NDArray[np.float64]:
        """The covariance (6, 6) at the usual novelty of held-out frames."""
        return self.by_novelty.at(np.array([self.by_novelty.typical]))[0]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the model card; the matrix is a field of its own there."""
        shares = (self.inside_95, self.inside_95_unscaled)
        inside, unscaled = (None if share is None else round(share, 4) for share in shares)
        return {
            'frames': self.frames,
            'blocks': self.blocks,
            'scale': round(self.scale, 4),
            'inside_95': inside,
            'inside_95_unscaled': unscaled,
        }


def residuals(truth: Sequence[Pose], estimates: Sequence[Pose | None]) -> NDArray[np.float64]:
    """
    Return the errors (N, 6) of the answered frames: x y z rotX rotY rotZ.

    Metres and radians along and about the fixed axes of the map, as a covariance in ROS is
    meant: `estimate = exp(rot) true` for the rotation, `estimate - true` for the position.
    """
    rows = [
        pose_error(estimate, true)
        for true, estimate in zip(truth, estimates, strict=True)
        if estimate is not None
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 6)


def residual_covariance(blocks: Sequence[Sequence[Seen]]) -> ResidualCovariance:
    """
    Measure the covariance of held-out errors.

    Each block is what was seen of its frames as they are, and what of the same frames disturbed,
    which tell how errors grow with novelty. Variances are second moments about zero, so a bias
    counts as uncertainty and every outlier stays in: a filter that trusts a wrong pose does more
    harm than one that trusts a good pose too little. Then each block is held against what the
    others give, and the variances are scaled up until 95 % of all frames as they are lie in the
    95 % region of the other blocks'. The floor (1 cm, 0.5 deg) keeps variances above zero even
    when all errors are zero. Raises PosenetError when no frame was answered.
    """
    answered = blocks_answered(blocks)
    fitted = _fit(answered)
    frames = sum(len(block[0].novelty_N) for block in answered)
    errors = np.concatenate([block[0].residuals_N6 for block in answered])
    both = Seen.joined([seen for block in answered for seen in block])
    most = float(chi2.ppf(0.95, df=_freedom(both)))
    if len(answered) == 1:
        own = squared_distances(errors, fitted.at(answered[0][0].novelty_N))
        return ResidualCovariance(fitted, frames, 1, float(np.median(own)), most)
    by_others = np.concatenate(
        [
            _fit(answered[:number] + answered[number + 1 :]).at(block[0].novelty_N)
            for number, block in enumerate(answered)
        ]
    )
    distances = squared_distances(errors, by_others)
    reached = max(float(np.quantile(distances, 0.95, method='higher')), most)
    scale = reached / most
    return ResidualCovariance(
        fitted.scaled(scale),
        frames,
        len(answered),
        float(np.median(distances)) / scale,
        most,
        scale,
        inside_95=float((distances <= reached).mean()),
        inside_95_unscaled=float((distances <= most).mean()),
    )


def blocks_answered(blocks: Sequence[Sequence[Seen]]) -> list[Sequence[Seen]]:
    """Return the blocks of which some frame was answered; raise PosenetError when none was."""
    answered = [block for block in blocks if len(block[0].novelty_N)]
    if not answered:
        raise PosenetError(
            'no covariance: none of the held-out frames was answered; the training has '
            'diverged, try a lower learning rate'
        )
    return answered


def _fit(blocks: Sequence[Sequence[Seen]]) -> CovarianceByNovelty:
    """Return the most likely covariance with these restrictions."""
    own = Seen.joined([block[0] for block in blocks])
    both = Seen.joined([seen for block in blocks for seen in block])
    typical = float(np.median(own.novelty_N))
    above_N = both.novelty_N - typical
    variances, growths = np.zeros(6), []
    for part in PARTS:
        squares_N3 = both.residuals_N6[:, part] ** 2
        growth = _growth(above_N, squares_N3.mean(axis=1), both.weight_N)
        settled_N3 = squares_N3 * np.exp(-growth * above_N)[:, None]
        variances[part] = _one_size(np.average(settled_N3, axis=0, weights=both.weight_N))
        growths.append(growth)
    floored = np.diag(np.maximum(variances, FLOORS**2))
    return CovarianceByNovelty(floored, float(own.novelty_N.min()), typical, *growths)


def _growth(above_N: NDArray, mean_squares_N: NDArray, weight_N: NDArray) -> float:
    """Return the most likely growth of the logarithm of a variance by novelty, at least zero."""

    def unlikelihood(growth: float) -> float:
        settled = np.average(mean_squares_N * np.exp(-growth * above_N), weights=weight_N)
        return float(growth * np.average(above_N, weights=weight_N) + np.log(settled + 1e-12))

    found = minimize_scalar(unlikelihood, bounds=(0.0, _STEEPEST), method='bounded')
    return float(found.x) if unlikelihood(found.x) < unlikelihood(0.0) else 0.0


def _one_size(variances_3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give all axes that move one variance; one that stays still keeps its own."""
    moves = moving(variances_3)
    return np.where(moves, variances_3[moves].mean(), variances_3)


def moving(variances_3: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell along or about which axes there are errors worth the name."""
    return variances_3 >= _STILL * variances_3.max()


def _freedom(seen: Seen) -> int:
    """Return how many axes move."""
    variances = np.average(seen.residuals_N6**2, axis=0, weights=seen.weight_N)
    return sum(int(moving(variances[part]).sum()) for part in PARTS)


def squared_distances(
    errors: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return squared Mahalanobis distances of errors (N, D) by one covariance, or one each."""
    inverse = np.broadcast_to(np.linalg.inv(covariance), (len(errors), *covariance.shape[-2:]))
    return np.einsum('ni,nij,nj->n', errors, inverse, errors)
