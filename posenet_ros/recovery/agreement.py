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
Several uncertain poses of one body at one instant: who agrees with whom, and their mean.

Nothing here takes errors for independent. N frames of one camera in one map err alike, so their
mean is not sqrt(N) times as good as one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import covariance_at_lever, NS_PER_S, Pose
from posenet_ros.recovery.drift import Drift, Reading
from scipy.spatial.transform import Rotation

# Beyond so many deviations of an average axis a frame counts half: Cauchy's weights, for the
# squared distances of six axes, which are 6 in the mean.
_HALF_WEIGHT = 6.0
_ITERATIONS = 20
# Metres and radians.
_SETTLED = 1e-5
_NEARLY_HALF = 3.1


@dataclass(frozen=True, eq=False)
class Stack:
    """N poses `map_from_base`: positions (N, 3), rotations (N, 3, 3), covariances (N, 6, 6)."""

    positions_N3: NDArray[np.float64]
    matrices_N33: NDArray[np.float64]
    covariances_N66: NDArray[np.float64]

    @classmethod
    def of(cls, poses: Sequence[Pose], covariances: Sequence[NDArray[np.float64]]) -> Stack:
        """Stack poses with their covariances."""
        rotations = Rotation.concatenate([pose.rotation for pose in poses])
        positions_N3 = np.array([pose.translation for pose in poses])
        return cls(positions_N3, rotations.as_matrix(), np.array(covariances))

    def __len__(self) -> int:
        """Return N."""
        return len(self.positions_N3)

    def select(self, chosen: NDArray) -> Stack:
        """Return those that a mask or indices pick."""
        return Stack(
            self.positions_N3[chosen], self.matrices_N33[chosen], self.covariances_N66[chosen]
        )

    def moved(self, starts: Sequence[Reading], end: Reading, drift: Drift) -> Stack:
        """Move each from its own instant to one, as `Drift.moved` does a single pose."""
        odom_N33 = np.stack([each.matrix for each in starts])
        back_N33 = self.matrices_N33 @ np.swapaxes(odom_N33, 1, 2)
        driven_N3 = end.odom_from_base.translation - np.stack(
            [each.odom_from_base.translation for each in starts]
        )
        lever_N3 = (back_N33 @ driven_N3[:, :, None])[:, :, 0]
        measured = np.array([[each.way_m, each.turn_rad] for each in starts])
        seconds_N = np.array([abs(end.stamp_ns - each.stamp_ns) for each in starts]) / NS_PER_S
        along_N, about_N = drift.variances(
            np.abs(end.way_m - measured[:, 0]), np.abs(end.turn_rad - measured[:, 1]), seconds_N
        )
        covariances_N66 = covariance_at_lever(self.covariances_N66, lever_N3)
        axes = np.arange(6)
        covariances_N66[:, axes, axes] += np.repeat(
            np.stack([along_N, about_N], axis=1), 3, axis=1
        )
        return Stack(
            self.positions_N3 + lever_N3,
            back_N33 @ end.matrix,
            covariances_N66,
        )

    def errors_about(
        self, position: NDArray[np.float64], matrix: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return how far each is from one pose, or from N, as errors (N, 6)."""
        turned_N3 = rotation_vectors(self.matrices_N33 @ np.swapaxes(matrix, -1, -2))
        return np.concatenate([self.positions_N3 - position, turned_N3], axis=1)


def rotation_vectors(matrices_N33: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return rotation vectors (N, 3) of rotation matrices.

    As SciPy does, in a fifth of the time, since these are known to be rotations; near half a turn,
    where the formula loses its digits, SciPy does it.
    """
    skew_N3 = np.stack(
        [
            matrices_N33[:, 2, 1] - matrices_N33[:, 1, 2],
            matrices_N33[:, 0, 2] - matrices_N33[:, 2, 0],
            matrices_N33[:, 1, 0] - matrices_N33[:, 0, 1],
        ],
        axis=1,
    )
    twice_sine_N = np.sqrt((skew_N3**2).sum(axis=1))
    twice_cosine_N = np.trace(matrices_N33, axis1=1, axis2=2) - 1
    angle_N = np.arctan2(twice_sine_N, twice_cosine_N)
    # The limit of angle / (2 sin angle) at nothing is a half.
    scale_N = np.where(twice_sine_N > 1e-12, angle_N / np.maximum(twice_sine_N, 1e-12), 0.5)
    vectors_N3 = scale_N[:, None] * skew_N3
    half_turns = angle_N > _NEARLY_HALF
    if half_turns.any():
        vectors_N3[half_turns] = Rotation.from_matrix(matrices_N33[half_turns]).as_rotvec()
    return vectors_N3


def squared_distances(
    errors_N6: NDArray[np.float64], covariances_N66: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return squared Mahalanobis distances (N,) of errors, by a covariance each."""
    solved = np.linalg.solve(covariances_N66, errors_N6[:, :, None])[:, :, 0]
    return (errors_N6 * solved).sum(axis=1)


def pairwise(stack: Stack) -> NDArray[np.float64]:
    """Return squared Mahalanobis distances (N, N) of each two, by the sum of their covariances."""
    first, second = np.triu_indices(len(stack), 1)
    found = np.zeros((len(stack), len(stack)))
    if len(first):
        one, other = stack.select(first), stack.select(second)
        found[first, second] = squared_distances(
            one.errors_about(other.positions_N3, other.matrices_N33),
            one.covariances_N66 + other.covariances_N66,
        )
    return found + found.T


class Mean(NamedTuple):
    """
    A mean of N poses, how sure they have it, and how far it has them to be.

    `intersection` (6, 6) is what their covariances tell of it, `errors_N6` are those of the
    poses about it, `weights_N` how much each counts, in sum 1.
    """

    position: NDArray[np.float64]
    matrix: NDArray[np.float64]
    intersection: NDArray[np.float64]
    errors_N6: NDArray[np.float64]
    weights_N: NDArray[np.float64]

    @property
    def covariance(self) -> NDArray[np.float64]:
        """
        How sure the mean is, with what the poses scatter about it: covariances may lie.

        There all count alike, also those that the mean itself does not listen to.
        """
        scatter = self.errors_N6.T @ self.errors_N6 / len(self.errors_N6)
        return self.intersection + (scatter + scatter.T) / 2

    @property
    def spread(self) -> tuple[float, float]:
        """The root mean square distance of the poses, in metres and radians."""
        squares = (self.errors_N6**2).mean(axis=0)
        return float(np.sqrt(squares[:3].sum())), float(np.sqrt(squares[3:].sum()))


def robust_mean(stack: Stack, position: NDArray[np.float64], matrix: NDArray[np.float64]) -> Mean:
    """
    Return the mean of poses, in which those far from it for their covariance count less.

    Iteratively reweighted least squares on SE(3) by Gauss and Newton, with Cauchy's weights on
    the Mahalanobis distance, from a first guess. How sure it is comes of covariance intersection
    (Julier and Uhlmann, 1997), `inv(sum w inv(C))` for these weights of sum 1: it
    holds whatever the errors have in common, and is that of one pose where all are alike.
    """
    informations_N66 = np.linalg.inv(stack.covariances_N66)
    for _ in range(_ITERATIONS):
        errors_N6 = stack.errors_about(position, matrix)
        pulls_N6 = (informations_N66 @ errors_N6[:, :, None])[:, :, 0]
        weights_N = 1 / (1 + (errors_N6 * pulls_N6).sum(axis=1) / _HALF_WEIGHT)
        weights_N = weights_N / weights_N.sum()
        information = (weights_N[:, None, None] * informations_N66).sum(axis=0)
        step = np.linalg.solve(information, weights_N @ pulls_N6)
        position = position + step[:3]
        matrix = Rotation.from_rotvec(step[3:]).as_matrix() @ matrix
        if np.abs(step).max() < _SETTLED:
            break
    errors_N6 = stack.errors_about(position, matrix)
    sure = np.linalg.inv(information)
    return Mean(position, matrix, (sure + sure.T) / 2, errors_N6, weights_N)
