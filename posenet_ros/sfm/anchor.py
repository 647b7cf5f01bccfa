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

"""Place a reconstruction in the map of a localizer that ran while the robot recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import fit_similarity, Sim3, Trajectory

_ROUNDS = 20
# Orientations count as points this far from the camera: little beside a path of metres, all
# there is where the path is a straight line.
_TIP_METRES = 0.3
# A localizer that jumps or was lost for a while is left out: what is further off than this many
# medians, and further than its own noise.
_OUTLIER_MEDIANS = 4.0
_NOISE_METRES = 0.1


@dataclass(frozen=True)
class AnchorFit:
    """
    How far the camera's poses are from the localizer's after the fit, over the checked frames.

    Distances in metres and degrees; `left_out` is the share of frames that the fit ignored.
    """

    median_m: float
    p95_m: float
    median_deg: float
    left_out: float


def anchor(sfm: Trajectory, told: Trajectory, *, scale: float) -> tuple[Sim3, AnchorFit]:
    """
    Fit the similarity `map_from_sfm` over all frames at once, robustly.

    `told` is `map_from_camera` of the localizer at the stamps of `sfm`. A localizer does not
    drift, so unlike odometry it may be fitted as a whole (Umeyama, PAMI 1991, on the frames that
    agree). `scale` in metres per unit, from motions, weighs orientations against positions.
    """
    source = _tips(sfm, _TIP_METRES / scale)
    target = _tips(told, _TIP_METRES)

    def fitted(use: NDArray[np.bool_]) -> tuple[Sim3, NDArray[np.float64]]:
        rows = np.tile(use, 4)
        fit = fit_similarity(source[rows], target[rows], target='map', source='sfm')
        return fit, np.linalg.norm(fit.apply(sfm.translations) - told.translations, axis=1)

    use = min(_beginnings(len(sfm)), key=lambda some: float(np.median(fitted(some)[1])))
    for _ in range(_ROUNDS):
        fit, off = fitted(use)
        inside = off <= max(_OUTLIER_MEDIANS * float(np.median(off)), _NOISE_METRES)
        if (inside == use).all():
            break
        use = inside
    placed = fit.apply_to(sfm)
    degrees = np.degrees((placed.rotations.inv() * told.rotations).magnitude())
    return fit, AnchorFit(
        median_m=float(np.median(off)),
        p95_m=float(np.percentile(off, 95)),
        median_deg=float(np.median(degrees)),
        left_out=1.0 - float(use.mean()),
    )


def _tips(poses: Trajectory, length: float) -> NDArray[np.float64]:
    """Return the cameras' centres and a point along each of their axes (4 N, 3)."""
    axes = [poses.rotations.apply(length * axis) for axis in np.eye(3)]
    return np.concatenate([poses.translations, *(poses.translations + each for each in axes)])


def _beginnings(count: int) -> Iterator[NDArray[np.bool_]]:
    """Yield masks of frames to begin with: all, and each stretch of a third of the time."""
    yield np.ones(count, dtype=bool)
    third = max(count // 3, 1)
    for start in range(0, count - third + 1, max(third // 3, 1)):
        mask = np.zeros(count, dtype=bool)
        mask[start : start + third] = True
        yield mask
