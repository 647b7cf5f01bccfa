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

"""Metres per unit of the reconstruction, from motions over short windows."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import LabellingError
from posenet_ros.sfm.motions import Motions

# What is believed of odometry over a window of seconds, before looking at it.
_NOISE_METRES = 0.01
_NOISE_SHARE = 0.05
# How well the camera's place on the robot is known.
_LEVER_ARM_METRES = 0.05
_ROUNDS = 20
# Tukey's biweight: what is further off than this many deviations counts nothing.
_TUKEY = 4.7
_BLOCKS = 10
_CLEARLY_BETTER = 0.9


@dataclass(frozen=True, eq=False)
class ScaleFit:
    """
    Metres per unit of the reconstruction.

    `standard_error` is in the same unit as `scale` and comes from leaving out one tenth of the
    recording at a time; `spread` is half the range of the middle 68 % of windows taken singly.
    `lever_arm` (3,) in metres is where the camera seems to be, seen from where it was said to be.
    """

    scale: float
    standard_error: float
    spread: float
    lever_arm: NDArray[np.float64]


def fit_scale(seen: Motions, told: Motions) -> ScaleFit:
    """
    Fit `told = scale * seen + turns @ lever_arm`, robustly.

    `seen` are the camera's motions in the reconstruction, `told` the same in metres by the
    reference, in order of time. Noise of the reference does not bias the fit, as it would bias
    a ratio of lengths; a window with a slipping wheel counts nothing. On a steady circle a lever
    arm is as good an explanation as a scale, so it is taken to be none unless that is clearly
    worse. Raises LabellingError where nothing moves.
    """
    if not (np.isfinite(seen.steps).all() and seen.lengths.max(initial=0.0) > 0):
        raise LabellingError('the camera does not move in the reconstruction: no scale fits')
    start = _weighted_median_ratio(seen, told)
    everything = np.ones(len(seen.steps), dtype=bool)
    held = math.sqrt(len(seen.steps))
    scale, lever_arm = _robust_fit(seen, told, everything, start, firmness=held)
    free = _robust_fit(seen, told, everything, start, firmness=1.0)
    if _left(seen, told, *free) < _CLEARLY_BETTER * _left(seen, told, scale, lever_arm):
        (scale, lever_arm), held = free, 1.0
    blocks = np.arange(len(seen.steps)) * _BLOCKS // len(seen.steps)
    without = [
        _robust_fit(seen, told, blocks != block, scale, firmness=held)[0]
        for block in range(_BLOCKS)
        if (blocks != block).any()
    ]
    count = len(without)
    error = float(np.sqrt((count - 1) / count * ((without - np.mean(without)) ** 2).sum()))
    ratios = _ratios(seen, told.steps - seen.turns @ lever_arm)
    low, high = np.percentile(ratios, [16, 84])
    return ScaleFit(scale, error, float(high - low) / 2, lever_arm)


def _left(seen: Motions, told: Motions, scale: float, lever_arm: NDArray[np.float64]) -> float:
    """Return the median of what a fit leaves unexplained, in deviations."""
    sigma = _NOISE_METRES + _NOISE_SHARE * abs(scale) * seen.lengths
    left = told.steps - scale * seen.steps - seen.turns @ lever_arm
    return float(np.median(np.linalg.norm(left, axis=1) / sigma))


def _ratios(seen: Motions, steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scale of each window that has a long enough step to have one."""
    long_enough = seen.lengths >= 0.5 * np.median(seen.lengths)
    along = (steps[long_enough] * seen.steps[long_enough]).sum(axis=1)
    return along / np.maximum(seen.lengths[long_enough], 1e-12) ** 2


def _weighted_median_ratio(seen: Motions, told: Motions) -> float:
    squared = np.maximum(seen.lengths**2, 1e-24)
    ratios = (told.steps * seen.steps).sum(axis=1) / squared
    order = np.argsort(ratios)
    cumulated = np.cumsum(squared[order])
    return float(ratios[order][np.searchsorted(cumulated, cumulated[-1] / 2)])


def _robust_fit(
    seen: Motions, told: Motions, use: NDArray[np.bool_], start: float, *, firmness: float
) -> tuple[float, NDArray[np.float64]]:
    """
    Reweight least squares over (scale, lever arm) until the weights settle.

    The lever arm is taken to be zero to within centimetres, as firmly as `firmness` says.
    """
    steps, turns, target = seen.steps[use], seen.turns[use], told.steps[use]
    scale, lever_arm = start, np.zeros(3)
    for _ in range(_ROUNDS):
        sigma = _NOISE_METRES + _NOISE_SHARE * abs(scale) * np.linalg.norm(steps, axis=1)
        left = np.linalg.norm(target - scale * steps - turns @ lever_arm, axis=1) / sigma
        # The median length of a normal vector in space is 1.54 deviations.
        deviation = max(float(np.median(left)) / 1.54, 0.1)
        weights = np.maximum(1 - (left / (_TUKEY * deviation)) ** 2, 0.0) / sigma
        rows = np.concatenate([steps[:, :, None], turns], axis=2) * weights[:, None, None]
        wanted = target * weights[:, None]
        prior = np.diag([0.0, *[firmness * deviation / _LEVER_ARM_METRES] * 3])
        solution, *_ = np.linalg.lstsq(
            np.concatenate([rows.reshape(-1, 4), prior]),
            np.concatenate([wanted.ravel(), np.zeros(4)]),
            rcond=None,
        )
        settled = abs(solution[0] - scale) <= 1e-9 * abs(scale)
        scale, lever_arm = float(solution[0]), solution[1:]
        if settled:
            break
    return scale, lever_arm
