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
from posenet_ros.errors import ConfigError
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.descriptor import Standardised
from posenet_ros.models.posenet import PoseNet
import pytest
import torch

SMALL = Architecture('mobilenet_v3_small', feature_width=16)
IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope='module')
def googlenet() -> PoseNet:
    return PoseNet(Architecture('googlenet'))


def test_googlenet_has_the_heads_and_widths_of_the_paper(googlenet):
    assert googlenet.localization[0].out_features == 2048
    assert googlenet.regressor.out_features == 7
    assert [head.fc2.out_features for head in googlenet.auxiliary] == [7, 7]
    assert googlenet.localization[2].p == 0.5
    assert [head.dropout.p for head in googlenet.auxiliary] == [0.7, 0.7]


def test_googlenet_answers_with_three_heads_in_training_and_one_at_test(googlenet):
    trained = googlenet.train()(IMAGES)
    assert len(trained.auxiliary) == 2
    for position, quaternion in trained.auxiliary:
        assert position.shape == (2, 3)
        assert quaternion.shape == (2, 4)
    assert googlenet.eval()(IMAGES).auxiliary == ()


def test_every_head_learns(googlenet):
    answer = googlenet.train()(IMAGES)
    heads = [(answer.position_B3, answer.quaternion_wxyz_B4), *answer.auxiliary]
    sum((position.sum() + quaternion.sum()) for position, quaternion in heads).backward()
    for name, value in googlenet.named_parameters():
        assert value.grad is not None, name
    googlenet.zero_grad()


@pytest.mark.parametrize('rotation', ['quaternion', '6d'])
def test_quaternions_have_unit_length_at_test(rotation):
    model = PoseNet(replace(SMALL, rotation=rotation)).eval()
    torch.nn.init.normal_(model.regressor.weight, std=3)
    lengths = model(IMAGES).quaternion_wxyz_B4.norm(dim=1)
    assert torch.allclose(lengths, torch.ones(2), atol=1e-6)


def test_untrained_head_says_the_middle_of_the_scene_unrotated(model):
    torch.nn.init.zeros_(model.regressor.weight)
    answer = model(IMAGES)
    assert torch.allclose(answer.position_B3, torch.tensor([2.0, 1, 1]).expand(2, 3))
    assert torch.allclose(answer.quaternion_wxyz_B4, torch.tensor([1.0, 0, 0, 0]).expand(2, 4))


def test_head_output_of_one_is_the_edge_of_the_scene(model):
    torch.nn.init.zeros_(model.regressor.weight)
    torch.nn.init.ones_(model.regressor.bias)
    position = model(IMAGES).position_B3[0]
    # The axis without extent has a scale of a hundredth of the largest.
    assert torch.allclose(position, torch.tensor([4, 2, 1.02]))


def test_effective_rows_are_proportional_to_the_extent():
    torch.manual_seed(0)
    model = PoseNet(Architecture('mobilenet_v3_small'))
    model.set_extent(np.array([[0.0, 0, 0], [8, 4, 2]]))
    rows = model.regressor.weight[:3] * model.position_scale[:, None]
    norms = rows.norm(dim=1)
    assert (norms[0] / norms[1]).item() == pytest.approx(2, rel=0.1)
    assert (norms[1] / norms[2]).item() == pytest.approx(2, rel=0.1)


def test_rows_of_the_papers_start_are_proportional_to_the_extent_in_all_heads():
    torch.manual_seed(0)
    model = PoseNet(Architecture('googlenet'))
    model.scale_rows(np.array([[0.0, 0, 0], [8, 4, 2]]))
    for regressor in [model.regressor, *(head.fc2 for head in model.auxiliary)]:
        norms = regressor.weight.norm(dim=1)
        assert (norms[0] / norms[1]).item() == pytest.approx(2, rel=0.1)
        assert (norms[1] / norms[2]).item() == pytest.approx(2, rel=0.1)
        assert norms[3:].min() > 0.9 * norms[0]
    assert model.position_scale.tolist() == [1, 1, 1]


def test_features_are_of_no_length_until_they_were_measured(model):
    assert torch.equal(model(IMAGES).feature_BK, torch.zeros(2, 128))


def test_the_measured_feature_of_a_training_image_is_whole_and_that_of_another_is_not(model):
    generator = torch.Generator().manual_seed(1)
    training = torch.rand(6, 3, 64, 64, generator=generator) * torch.rand(6, 3, 1, 1)
    other = torch.rand(1, 3, 64, 64, generator=generator).round()
    with torch.no_grad():
        model.place.measure(model.describe_place(training))
        own, foreign = model(training).feature_BK, model(other).feature_BK
    assert own.norm(dim=1).numpy() == pytest.approx(np.ones(6), abs=5e-3)
    assert foreign.norm() < 0.95
    assert (own @ own.T).argmax(dim=1).tolist() == list(range(6))


def test_a_grid_tells_left_from_right_and_one_cell_does_not():
    torch.manual_seed(0)
    maps = torch.rand(1, 576, 4, 4)
    for pool, same in ((1, True), (2, False)):
        model = PoseNet(replace(SMALL, pool=pool)).eval()
        pooled = [model.descriptor([m]) for m in (maps, maps.flip(3))]
        assert torch.allclose(*pooled) is same
        assert model(IMAGES).position_B3.shape == (2, 3)


def test_wide_images_are_taken_too(model):
    assert model(torch.rand(1, 3, 64, 96)).position_B3.shape == (1, 3)


@pytest.mark.parametrize(
    'values',
    [
        {'backbone': 'vgg16'},
        {'rotation': 'euler'},
        {'pool': 0},
        {'feature_width': 0},
        {'levels': 0},
        {'head': 'spherical'},
        {'dropout': 1.0},
        {'auxiliary_dropout': -0.1},
    ],
)
def test_impossible_architectures_are_refused(values):
    with pytest.raises(ConfigError):
        Architecture(**values)


LINEAR = Architecture('mobilenet_v3_small', head='linear', levels=3, pool=2, rotation='6d')


def test_a_linear_head_is_affine_in_what_several_levels_show():
    torch.manual_seed(0)
    model = PoseNet(LINEAR).eval()
    assert model.regressor.in_features == 4 * sum(model.trunk.levels(3).values())
    position = model.regressor(model.describe(IMAGES))[:, :3]
    assert torch.allclose(model(IMAGES).position_B3, position, atol=1e-6)


def test_the_descriptor_of_a_linear_head_does_not_change_with_contrast_of_features():
    torch.manual_seed(0)
    model = PoseNet(LINEAR)
    maps = [torch.rand(2, depth, 4, 4) for depth in model.trunk.levels(3).values()]
    brighter = [3 * each for each in maps]
    assert torch.allclose(model.descriptor(maps), model.descriptor(brighter), atol=1e-6)


def test_what_is_standardised_is_centred_and_its_levels_weigh_the_same():
    values = torch.rand(9, 10, generator=torch.Generator().manual_seed(0))
    values[:, 4:] *= 100
    standardised = Standardised([4, 6])
    assert torch.equal(standardised(values), values)
    standardised.measure(values)
    found = standardised(values)
    assert found.mean(dim=0).abs().max() < 1e-5
    for part in found.split([4, 6], dim=1):
        assert part.square().sum(dim=1).mean().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize('rotation', ['quaternion', '6d'])
def test_a_head_that_puts_out_its_targets_predicts_the_labels(rotation):
    model = PoseNet(replace(SMALL, rotation=rotation)).eval()
    model.set_extent(np.array([[0.0, 0, 1], [4, 2, 3]]))
    position = torch.tensor([[1.0, 1.5, 2.0]])
    quaternion = torch.nn.functional.normalize(torch.tensor([[0.9, 0.1, 0.2, 0.3]]), dim=1)
    torch.nn.init.zeros_(model.regressor.weight)
    with torch.no_grad():
        model.regressor.bias.copy_(model.targets(position, quaternion)[0])
    answer = model(IMAGES[:1])
    assert torch.allclose(answer.position_B3, position, atol=1e-6)
    assert torch.allclose(answer.quaternion_wxyz_B4, quaternion, atol=1e-6)
