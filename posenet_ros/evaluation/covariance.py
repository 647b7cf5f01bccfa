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
The covariance that held-out frames support: what errors were, never less.

Frames of one block of time see the same place and are wrong in the same way, so thirty frames of
two blocks are two observations, not thirty. That is enough for one size of position errors and
one of rotation errors, and not for the directions they prefer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import PosenetError
from posenet_ros.geometry import Pose
from scipy.stats import chi2

# Labels are not better than this, so no error below it can be seen: 1 cm and 0.5 deg.
FLOOR_POSITION_M = 0.01
FLOOR_ROTATION_RAD = float(np.radians(0.5))
# Squared distance at which the 95 % region of a Gaussian over six numbers ends.
_REGION_95 = float(chi2.ppf(0.95, df=6))


@dataclass(frozen=True, eq=False)
class ResidualCovariance:
    """
    A pose covariance (6, 6) measured on `frames` answered frames of `blocks` held-out blocks.

    Its diagonal has one position and one rotation variance. `inside_95` is the share of frames
    whose error lies in the 95 % region of what the other blocks give, scaled by `scale` as the
    covariance is; `inside_95_unscaled` is that share before, which tells how far one block can
    speak for another. Both are None for a single block, which nothing can be checked against.
    """

    covariance: NDArray[np.float64]
    frames: int
    blocks: int
    scale: float = 1.0
    inside_95: float | None = None
    inside_95_unscaled: float | None = None

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
        np.concatenate(
            [
                estimate.translation - true.translation,
                (estimate.rotation * true.rotation.inv()).as_rotvec(),
            ]
        )
        for true, estimate in zip(truth, estimates, strict=True)
        if estimate is not None
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 6)


def residual_covariance(blocks: Sequence[NDArray[np.float64]]) -> ResidualCovariance:
    """
    Measure the covariance of held-out errors, given as the residuals (N, 6) of each block.

    Both variances are second moments about zero, so a bias counts as uncertainty and every
    outlier stays in: a filter that trusts a wrong pose does more harm than one that trusts a
    good pose too little. Then each block is held against what the others give, and the matrix
    is scaled up until 95 % of all frames lie in the 95 % region of the other blocks'. The floor
    (1 cm, 0.5 deg) keeps variances above zero even when all errors are zero. Raises
    PosenetError when no frame was answered.
    """
    answered = [errors for errors in blocks if len(errors)]
    if not answered:
        raise PosenetError(
            'no covariance: none of the held-out frames was answered; the training has '
            'diverged, try a lower learning rate'
        )
    fitted, frames = _one_size(answered), sum(map(len, answered))
    if len(answered) == 1:
        return ResidualCovariance(fitted, frames, 1)
    distances = np.concatenate(
        [
            squared_distances(errors, _one_size(answered[:number] + answered[number + 1 :]))
            for number, errors in enumerate(answered)
        ]
    )
    reached = max(float(np.quantile(distances, 0.95, method='higher')), _REGION_95)
    scale = reached / _REGION_95
    return ResidualCovariance(
        fitted * scale,
        frames,
        len(answered),
        scale,
        inside_95=float((distances <= reached).mean()),
        inside_95_unscaled=float((distances <= _REGION_95).mean()),
    )


def _one_size(blocks: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    squares = np.concatenate(blocks) ** 2
    position = max(squares[:, :3].mean(), FLOOR_POSITION_M**2)
    rotation = max(squares[:, 3:].mean(), FLOOR_ROTATION_RAD**2)
    return np.diag(np.repeat([position, rotation], 3))


def squared_distances(
    errors: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the squared Mahalanobis distance of each error (N, 6)."""
    return np.einsum('ni,ij,nj->n', errors, np.linalg.inv(covariance), errors)


def share_inside_95(errors: NDArray[np.float64], covariance: NDArray[np.float64]) -> float | None:
    """Return the share of errors (N, 6) in the 95 % region of a covariance, None without any."""
    if not len(errors):
        return None
    return float((squared_distances(errors, covariance) <= _REGION_95).mean())
