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

from dataclasses import replace

import numpy as np
from posenet_ros.data.augmentation import Augmentation
from posenet_ros.data.dataset import FrameDataset, ResizedImages
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.training import closed_form
from posenet_ros.training.closed_form import solve_last_layer, views, views_of
import pytest
import torch

LINEAR = Architecture('mobilenet_v3_small', head='linear', levels=2, pool=3, rotation='6d')


@pytest.fixture
def dataset(corridor) -> FrameDataset:
    preprocessing = Preprocessing(48, (48, 64))
    return FrameDataset(corridor, ResizedImages(corridor, preprocessing), preprocessing)


@pytest.mark.parametrize('pool', [3, 1])
def test_the_first_fit_knows_the_training_images_and_is_a_minimum(dataset, pool):
    torch.manual_seed(0)
    model = PoseNet(replace(LINEAR, pool=pool)).eval()
    model.set_extent(dataset.positions_N3)
    before = model.trunk.state_dict()
    solve_last_layer(model, [dataset.__getitems__(range(len(dataset)))])
    batch = dataset.__getitems__(range(len(dataset)))
    with torch.no_grad():
        answer = model(batch.image_B3HW)
    errors = (answer.position_B3 - batch.position_B3).norm(dim=1)
    spread = (batch.position_B3 - batch.position_B3.mean(dim=0)).norm(dim=1)
    assert errors.median() < 0.3 * spread.median()
    assert all(torch.equal(value, model.trunk.state_dict()[key]) for key, value in before.items())
    assert objective_slope(model, batch) < 1e-4


def objective_slope(model: PoseNet, batch) -> float:
    """Return the largest slope of the ridge objective by the weights, a frame's share."""
    with torch.inference_mode():
        inputs = model.localization[0](model.describe(batch.image_B3HW)).double()
        targets = model.targets(batch.position_B3, batch.quaternion_wxyz_B4).double()
        weight = model.regressor.weight.double()
        residuals = inputs @ weight.T + model.regressor.bias.double() - targets
        ridge = closed_form._RIDGE * inputs.square().sum(dim=1).mean()
        slope = inputs.T @ residuals + ridge * weight.T
    return float(slope.abs().max()) / len(inputs)


def test_images_are_shown_several_times_and_changed_each_time(corridor):
    preprocessing = Preprocessing(48, (48, 48))
    images = ResizedImages(corridor, preprocessing)
    dataset = FrameDataset(corridor, images, preprocessing, Augmentation())
    shown = torch.cat([batch.image_B3HW for batch in views(dataset, 16)])
    assert len(shown) == 8 * len(corridor)
    assert not torch.equal(shown[0], shown[len(corridor)])
    unchanged = dataset.as_taken().__getitems__(range(len(corridor))).image_B3HW
    same = (shown[:, None] == unchanged).flatten(2).all(dim=2).any(dim=1)
    assert 0.25 < same.float().mean() < 0.45
    few = list(views(dataset, 16, 10))
    assert views_of(dataset, 10) == 10
    assert views_of(dataset) == len(shown)
    assert len(few) == 1
    positions = np.array([frame.map_from_camera.translation for frame in corridor[::4]])
    assert few[0].position_B3.numpy() == pytest.approx(positions, abs=1e-6)
