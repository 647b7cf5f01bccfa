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

"""One rotation of several, of which some are wrong."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

_MOST_STEPS = 50
_ENOUGH_RAD = 1e-10
# Nearer than this a rotation weighs no more.
_NEAREST_RAD = 1e-9


class Turned(NamedTuple):
    """A rotation (3, 3), which of N agree with it, and how far those are off, root mean square."""

    rotation_33: NDArray[np.float64]
    agree_N: NDArray[np.bool_]
    spread_rad: float


def angles_between(
    first_33: NDArray[np.float64], second_33: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the angles of the rotations between two, or two stacks that go together."""
    turn = np.swapaxes(first_33, -1, -2) @ second_33
    # By sine and cosine, each exact where the other is not.
    twice_sine = np.stack(
        [
            turn[..., 2, 1] - turn[..., 1, 2],
            turn[..., 0, 2] - turn[..., 2, 0],
            turn[..., 1, 0] - turn[..., 0, 1],
        ]
    )
    cosine = (np.trace(turn, axis1=-2, axis2=-1) - 1) / 2
    return np.arctan2(np.linalg.norm(twice_sine, axis=0) / 2, cosine)


def median_rotation(rotations_N33: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the rotation with the least sum of angles to others, by Weiszfeld's steps on SO(3).

    After Hartley, Aftab, Trumpf, L1 Rotation Averaging Using the Weiszfeld Algorithm, 2011. A
    rotation that others disagree with moves it little, however far away it is.
    """
    rotations = Rotation.from_matrix(rotations_N33)
    median = rotations.mean()
    for _ in range(_MOST_STEPS):
        turns_N3 = (rotations * median.inv()).as_rotvec()
        weights = 1 / np.maximum(np.linalg.norm(turns_N3, axis=1), _NEAREST_RAD)
        step = np.average(turns_N3, axis=0, weights=weights)
        median = Rotation.from_rotvec(step) * median
        if np.linalg.norm(step) < _ENOUGH_RAD:
            break
    return median.as_matrix()


def agreed_rotation(rotations_N33: NDArray[np.float64], within_rad: float) -> Turned | None:
    """
    Return the median of those that agree with the one that most agree with; None of none.

    Where two have as many on their side, those on whose side they are nearer.
    """
    if not len(rotations_N33):
        return None
    apart_NN = angles_between(rotations_N33[:, None], rotations_N33[None])
    cost_N = np.minimum(apart_NN, within_rad).sum(axis=1)
    sides_NN = apart_NN <= within_rad
    counts_N = sides_NN.sum(axis=1)
    best = min(range(len(counts_N)), key=lambda index: (-counts_N[index], cost_N[index]))
    rotation = median_rotation(rotations_N33[sides_NN[best]])
    off_N = angles_between(rotation[None], rotations_N33)
    agree_N = off_N <= within_rad
    spread = math.sqrt(float(np.mean(off_N[agree_N] ** 2))) if agree_N.any() else math.nan
    return Turned(rotation, agree_N, spread)
