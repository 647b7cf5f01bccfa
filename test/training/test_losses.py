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

from __future__ import annotations

import math

from posenet_ros.models.architecture import Architecture
from posenet_ros.models.posenet import PoseNet, PosePrediction
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.losses import (
    LearnedLoss,
    OrientationLoss,
    PaperLoss,
    position_distance,
    PositionLoss,
    quaternion_distance,
    SquaredLoss,
)
from posenet_ros.training.module import make_loss
import pytest
import torch

# The first is half a turn about z, the label of both is no rotation.
POSITION = torch.tensor([[3.0, 4, 0], [0, 0, 0]])
QUATERNION = torch.tensor([[0.0, 0, 0, 1], [1, 0, 0, 0]])
TRUE_POSITION = torch.zeros(2, 3)
TRUE_QUATERNION = torch.tensor([[1.0, 0, 0, 0]]).repeat(2, 1)


def prediction(position=POSITION, quaternion=QUATERNION, auxiliary=()):
    return PosePrediction(position, quaternion, torch.zeros(2, 4), auxiliary)


def test_position_distance_is_not_squared():
    assert position_distance(POSITION, TRUE_POSITION) == pytest.approx(2.5)


def test_quaternion_distance_by_hand():
    assert quaternion_distance(QUATERNION, TRUE_QUATERNION) == pytest.approx(math.sqrt(2) / 2)


@pytest.mark.parametrize('factor', [-1, 0.2, -7])
def test_sign_and_length_of_the_prediction_do_not_matter(factor):
    scaled = quaternion_distance(QUATERNION * factor, TRUE_QUATERNION)
    assert scaled == pytest.approx(math.sqrt(2) / 2)


def test_paper_loss_is_equation_2():
    parts = PaperLoss(beta=100)(prediction(), TRUE_POSITION, TRUE_QUATERNION)
    assert parts.total == pytest.approx(2.5 + 100 * math.sqrt(2) / 2)
    assert parts.position == pytest.approx(2.5)
    assert parts.quaternion == pytest.approx(math.sqrt(2) / 2)


def test_the_released_solver_minimises_half_squares_of_what_nothing_normalises():
    twice = prediction(quaternion=2 * QUATERNION)
    parts = SquaredLoss(beta=10)(twice, TRUE_POSITION, TRUE_QUATERNION)
    # |(3, 4, 0)|^2 and 0; |(-1, 0, 0, 2)|^2 and |(1, 0, 0, 0)|^2.
    assert parts.total == pytest.approx((25 + 0) / 4 + 10 * (5 + 1) / 4)
    assert parts.position == pytest.approx(2.5)
    opposite = SquaredLoss(beta=10)(
        prediction(quaternion=-QUATERNION), TRUE_POSITION, TRUE_QUATERNION
    )
    same = SquaredLoss(beta=10)(prediction(), TRUE_POSITION, TRUE_QUATERNION)
    assert opposite.total == pytest.approx(same.total)


def test_heads_weigh_as_in_the_authors_release():
    early = (POSITION + torch.tensor([0.0, 0, 5]), TRUE_QUATERNION)
    late = (TRUE_POSITION, QUATERNION)
    parts = PaperLoss(beta=10)(
        prediction(TRUE_POSITION, TRUE_QUATERNION, (early, late)), TRUE_POSITION, TRUE_QUATERNION
    )
    expected = 0.3 * (math.sqrt(50) + 5) / 2 + 0.3 * 10 * math.sqrt(2) / 2
    assert parts.total == pytest.approx(expected)
    assert parts.position == 0


def test_learned_loss_starts_where_its_authors_did():
    parts = LearnedLoss()(prediction(), TRUE_POSITION, TRUE_QUATERNION)
    expected = 2.5 + math.exp(3) * math.sqrt(2) / 2 - 3
    assert parts.total.item() == pytest.approx(expected, rel=1e-6)


def test_learned_balance_settles_at_the_logarithms_of_the_errors():
    loss = LearnedLoss()
    optimizer = torch.optim.Adam(loss.parameters(), 0.05)
    for _ in range(400):
        optimizer.zero_grad()
        loss(prediction(), TRUE_POSITION, TRUE_QUATERNION).total.backward()
        optimizer.step()
    assert loss.s_position.item() == pytest.approx(math.log(2.5), abs=0.02)
    assert loss.s_quaternion.item() == pytest.approx(math.log(math.sqrt(0.5)), abs=0.02)


def test_gradients_are_finite_at_zero_error():
    position, quaternion = TRUE_POSITION.clone(), TRUE_QUATERNION.clone()
    position.requires_grad_()
    quaternion.requires_grad_()
    loss = PaperLoss(10)(prediction(position, quaternion), TRUE_POSITION, TRUE_QUATERNION)
    loss.total.backward()
    assert torch.isfinite(position.grad).all()
    assert torch.isfinite(quaternion.grad).all()


def test_losses_of_one_part_are_its_distance_alone():
    whole = prediction(), TRUE_POSITION, TRUE_QUATERNION
    assert PositionLoss()(*whole).total == pytest.approx(2.5)
    assert OrientationLoss()(*whole).total == pytest.approx(math.sqrt(2) / 2)
    assert PositionLoss()(*whole).quaternion == pytest.approx(math.sqrt(2) / 2)


@pytest.mark.parametrize(
    ('name', 'learned', 'left'),
    [
        ('position', slice(0, 3), slice(3, 7)),
        ('orientation', slice(3, 7), slice(0, 3)),
    ],
)
def test_a_network_for_one_part_gets_no_gradient_from_the_other(name, learned, left):
    torch.manual_seed(0)
    model = PoseNet(Architecture('mobilenet_v3_small', feature_width=8)).train()
    loss = make_loss(TrainOptions(loss=name))
    parts = loss(model(torch.rand(2, 3, 32, 32)), POSITION, QUATERNION)
    parts.total.backward()
    assert model.regressor.weight.grad[learned].abs().max() > 0
    assert not model.regressor.weight.grad[left].any()
    assert next(model.trunk.parameters()).grad.abs().max() > 0
