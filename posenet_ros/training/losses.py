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
How wrong a predicted pose is, as one number to make small.

Quaternions q and -q are the same rotation. Labels have w >= 0, but a camera that turns around
passes w = 0, where such labels jump to their negative; so each label takes the sign that is
nearer to the prediction before it is compared. For every other frame that changes nothing once
training has begun.
"""

from __future__ import annotations

from typing import NamedTuple

from posenet_ros.models.posenet import PosePrediction
import torch
from torch import nn, Tensor
from torch.nn import functional

# Auxiliary heads of GoogLeNet, the earlier first, and the last head (the authors' release).
HEAD_WEIGHTS = (0.3, 0.3, 1.0)


class LossParts(NamedTuple):
    """The loss to minimise, and the last head's mean distances in metres and of quaternions."""

    total: Tensor
    position: Tensor
    quaternion: Tensor


def position_distance(predicted_B3: Tensor, true_B3: Tensor) -> Tensor:
    """Return the mean Euclidean distance in metres, not squared, as in eq. (2)."""
    return torch.linalg.vector_norm(predicted_B3 - true_B3, dim=1).mean()


def quaternion_distance(predicted_wxyz_B4: Tensor, true_wxyz_B4: Tensor) -> Tensor:
    """Return the mean distance of the normalised prediction from the label or its negative."""
    predicted = functional.normalize(predicted_wxyz_B4, dim=1)
    nearer = on_same_side(predicted, true_wxyz_B4)
    return torch.linalg.vector_norm(predicted - nearer, dim=1).mean()


def on_same_side(predicted_wxyz_B4: Tensor, true_wxyz_B4: Tensor) -> Tensor:
    """Return the label or its negative, whichever is nearer to the prediction."""
    same_side = (predicted_wxyz_B4 * true_wxyz_B4).sum(dim=1, keepdim=True) >= 0
    return torch.where(same_side, true_wxyz_B4, -true_wxyz_B4)


class PoseLoss(nn.Module):
    """Sum `weigh` of position and quaternion distances over all heads, by `HEAD_WEIGHTS`."""

    def forward(
        self, prediction: PosePrediction, position_B3: Tensor, quaternion_wxyz_B4: Tensor
    ) -> LossParts:
        """Compare a batch with its labels `map_from_camera`."""
        last = (prediction.position_B3, prediction.quaternion_wxyz_B4)
        heads = [*prediction.auxiliary, last]
        weights = HEAD_WEIGHTS[-len(heads) :]
        label = position_B3, quaternion_wxyz_B4
        total = position_B3.new_zeros(())
        for weight, head in zip(weights, heads, strict=True):
            total = total + weight * self.weigh(*self.distances(head, label))
        metres = position_distance(last[0], position_B3)
        turned = quaternion_distance(last[1], quaternion_wxyz_B4)
        return LossParts(total, metres.detach(), turned.detach())

    def distances(
        self, prediction: tuple[Tensor, Tensor], label: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return how far the positions and the quaternions of one head are from the labels."""
        return (
            position_distance(prediction[0], label[0]),
            quaternion_distance(prediction[1], label[1]),
        )

    def weigh(self, position: Tensor, quaternion: Tensor) -> Tensor:
        """Balance metres against quaternion distance."""
        raise NotImplementedError


class PaperLoss(PoseLoss):
    """
    Eq. (2): `|x^ - x| + beta |q^ - q / |q||` with a fixed beta.

    The paper found 120 to 750 indoors and 250 to 2000 outdoors by search.
    """

    def __init__(self, beta: float) -> None:
        """Fix the balance."""
        super().__init__()
        self.beta = beta

    def weigh(self, position: Tensor, quaternion: Tensor) -> Tensor:
        """Return eq. (2)."""
        return position + self.beta * quaternion


class SquaredLoss(PaperLoss):
    """
    What the authors' release minimises in place of eq. (2): `(|x^ - x|^2 + beta |q^ - q|^2) / 2`.

    The quaternion is not normalised. Their weights of 150, 150 and 500 are those of the heads
    times a beta of 500.
    """

    def distances(
        self, prediction: tuple[Tensor, Tensor], label: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return half the mean squares."""
        position, quaternion = prediction
        return (
            _half_square(position - label[0]),
            _half_square(quaternion - on_same_side(quaternion, label[1])),
        )


def _half_square(difference: Tensor) -> Tensor:
    return 0.5 * difference.square().sum(dim=1).mean()


class PositionLoss(PoseLoss):
    """`|x^ - x|` alone: one of the separate networks of section 3.1, which learns no rotation."""

    def weigh(self, position: Tensor, quaternion: Tensor) -> Tensor:
        """Return the position's distance."""
        return position


class OrientationLoss(PoseLoss):
    """`|q^ - q / |q||` alone: the other network of section 3.1, which learns no position."""

    def weigh(self, position: Tensor, quaternion: Tensor) -> Tensor:
        """Return the quaternion's distance."""
        return quaternion


class LearnedLoss(PoseLoss):
    """
    `L_x exp(-s_x) + s_x + L_q exp(-s_q) + s_q`, the balance learned along with the network.

    Kendall and Cipolla, Geometric Loss Functions for Camera Pose Regression with Deep Learning,
    CVPR 2017, with their start s_x = 0, s_q = -3. Both s are logarithms of the scale of their
    error, so that each term is about as large as the other whatever the units.
    """

    def __init__(self) -> None:
        """Start from the authors' balance."""
        super().__init__()
        self.s_position = nn.Parameter(torch.tensor(0.0))
        self.s_quaternion = nn.Parameter(torch.tensor(-3.0))

    def weigh(self, position: Tensor, quaternion: Tensor) -> Tensor:
        """Return the sum with the current weights."""
        return (
            position * torch.exp(-self.s_position)
            + self.s_position
            + quaternion * torch.exp(-self.s_quaternion)
            + self.s_quaternion
        )
