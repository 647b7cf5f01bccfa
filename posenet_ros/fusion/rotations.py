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

from collections.abc import Callable
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.fusion.weights import cauchy_weights
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
    return _by_steps(rotations_N33, lambda off_N: 1 / np.maximum(off_N, _NEAREST_RAD))


def mean_rotation(
    rotations_N33: NDArray[np.float64], deviations_N: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return the mean of rotations, each with its deviation, in which what is off counts less.

    The weights are those of `position`, so that a mean of normal errors is nearly as good as a
    mean can be, which a median of them is not.
    """
    return _by_steps(
        rotations_N33, lambda off_N: cauchy_weights(off_N / deviations_N, 3) / deviations_N**2
    )


def _by_steps(
    rotations_N33: NDArray[np.float64],
    weights_of: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return the mean whose weights are those of the angles (N,) by which rotations are off it."""
    rotations = Rotation.from_matrix(rotations_N33)
    middle = rotations.mean()
    for _ in range(_MOST_STEPS):
        turns_N3 = (rotations * middle.inv()).as_rotvec()
        weights_N = weights_of(np.linalg.norm(turns_N3, axis=1))
        step = np.average(turns_N3, axis=0, weights=weights_N)
        middle = Rotation.from_rotvec(step) * middle
        if np.linalg.norm(step) < _ENOUGH_RAD:
            break
    return middle.as_matrix()


def agreed_rotation(rotations_N33: NDArray[np.float64], within_rad: float) -> Turned | None:
    """
    Return the median of those that agree with the one that most agree with; None of none.

    Where two have as many on their side, those on whose side they are nearer.
    """
    if not len(rotations_N33):
        return None
    side_N = _largest_side(angles_between(rotations_N33[:, None], rotations_N33[None]), within_rad)
    rotation = median_rotation(rotations_N33[side_N])
    return _turned(rotation, rotations_N33, within_rad)


def weighed_rotation(
    rotations_N33: NDArray[np.float64],
    deviations_N: NDArray[np.float64],
    within_N: NDArray[np.float64],
) -> Turned | None:
    """
    Return the mean of those that agree, by their deviations about each axis; None of none.

    As `agreed_rotation`, but each agrees within an angle of its own, radians, and the spread is
    by weights too.
    """
    if not len(rotations_N33):
        return None
    apart_NN = angles_between(rotations_N33[:, None], rotations_N33[None])
    apart_NN /= np.sqrt((within_N[:, None] ** 2 + within_N[None] ** 2) / 2)
    side_N = _largest_side(apart_NN, 1.0)
    rotation = mean_rotation(rotations_N33[side_N], deviations_N[side_N])
    return _turned(rotation, rotations_N33, within_N, deviations_N**-2.0)


def _largest_side(apart_NN: NDArray[np.float64], within: float) -> NDArray[np.bool_]:
    cost_N = np.minimum(apart_NN, within).sum(axis=1)
    sides_NN = apart_NN <= within
    counts_N = sides_NN.sum(axis=1)
    return sides_NN[min(range(len(counts_N)), key=lambda index: (-counts_N[index], cost_N[index]))]


def _turned(
    rotation_33: NDArray[np.float64],
    rotations_N33: NDArray[np.float64],
    within: float | NDArray[np.float64],
    weights_N: NDArray[np.float64] | None = None,
) -> Turned:
    off_N = angles_between(rotation_33[None], rotations_N33)
    agree_N = off_N <= within
    if not agree_N.any():
        return Turned(rotation_33, agree_N, math.nan)
    weights = None if weights_N is None else weights_N[agree_N]
    spread = math.sqrt(float(np.average(off_N[agree_N] ** 2, weights=weights)))
    return Turned(rotation_33, agree_N, spread)
