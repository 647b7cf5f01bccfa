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

"""The covariance that held-out frames support: what errors were, never less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import PosenetError
from posenet_ros.geometry import Pose
from scipy.stats import chi2

# Labels are not better than this, so no error below it can be seen: 1 cm and 0.5 deg.
FLOOR_POSITION_M = 0.01
FLOOR_ROTATION_RAD = float(np.radians(0.5))
# Fewer frames than this tell how large errors are, not which way they point.
FRAMES_FOR_DIRECTIONS = 30


@dataclass(frozen=True, eq=False)
class ResidualCovariance:
    """
    A pose covariance (6, 6) measured on `frames` held-out frames.

    `inside_95` is the share of those frames whose error lies in its 95 % region. Errors of a
    regressor have heavier tails than a Gaussian, so it is the check on reading the matrix as
    one.
    """

    covariance: NDArray[np.float64]
    frames: int
    inside_95: float


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


def residual_covariance(
    truth: Sequence[Pose], estimates: Sequence[Pose | None]
) -> ResidualCovariance:
    """
    Measure the covariance of held-out errors.

    It is the second moment about zero, so a bias counts as uncertainty, and it keeps every
    outlier: trimming them would state the width of the good answers only, and a filter that
    trusts a wrong pose does more harm than one that trusts a good pose too little. From fewer
    than 30 frames it is the same in all directions. The floor (1 cm, 0.5 deg in every
    direction) keeps it positive definite even when all errors are zero. Raises PosenetError
    when no frame was answered.
    """
    errors = residuals(truth, estimates)
    if not len(errors):
        raise PosenetError(
            f'no covariance: none of the {len(truth)} held-out frames was answered; '
            'the training has diverged, try a lower learning rate'
        )
    moment = errors.T @ errors / len(errors)
    if len(errors) < FRAMES_FOR_DIRECTIONS:
        moment = _isotropic(moment)
    covariance = with_floor(moment)
    distances = np.einsum('ni,ij,nj->n', errors, np.linalg.inv(covariance), errors)
    inside = float((distances <= chi2.ppf(0.95, df=6)).mean())
    return ResidualCovariance(covariance, len(errors), inside)


def _isotropic(moment: NDArray[np.float64]) -> NDArray[np.float64]:
    variances = np.diag(moment)
    return np.diag(np.repeat([variances[:3].mean(), variances[3:].mean()], 3))


def with_floor(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Raise every direction of a covariance (6, 6) to at least the floor.

    Metres and radians do not mix, so eigenvalues are taken in units of the floor.
    """
    unit = np.repeat([FLOOR_POSITION_M, FLOOR_ROTATION_RAD], 3)
    values, vectors = np.linalg.eigh(covariance / np.outer(unit, unit))
    raised = (vectors * np.maximum(values, 1.0)) @ vectors.T
    return (raised + raised.T) / 2 * np.outer(unit, unit)
