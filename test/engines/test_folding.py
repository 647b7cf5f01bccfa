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

import math

from posenet_ros.engines.by_torch import TorchTrunk
from posenet_ros.engines.difference import difference_of, largest_difference, TOLERANCE
from posenet_ros.engines.folding import folded
from posenet_ros.engines.packing import packed
from posenet_ros.engines.trunk import FastTrunk, with_trunk
from posenet_ros.models.posenet import PosePrediction
import pytest
import torch
from torch import fx, nn

# GoogLeNet's blocks branch, ResNet's add, MobileNets have other activations.
BACKBONES = ['googlenet', 'resnet18', 'mobilenet_v2', 'mobilenet_v3_small']


@pytest.mark.parametrize('backbone', BACKBONES)
def test_a_trunk_without_norms_computes_the_same_maps(make_network, backbone):
    model = make_network(backbone)
    graph = folded(model.trunk, model.map_names)
    assert not [each for each in graph.modules() if isinstance(each, nn.BatchNorm2d)]
    image = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        expected = model.trunk.maps(image, model.map_names)
        for name, found in zip(model.map_names, graph(image), strict=True):
            largest = float(expected[name].abs().max())
            assert float((found - expected[name]).abs().max()) < 1e-4 * largest
    # The model itself is as it was.
    assert [each for each in model.trunk.modules() if isinstance(each, nn.BatchNorm2d)]


@pytest.mark.parametrize('backbone', BACKBONES)
def test_what_torch_runs_answers_as_the_model_does(make_network, preprocessing, backbone):
    model = make_network(backbone)
    fast = with_trunk(model, TorchTrunk(model, (64, 96)))
    assert difference_of(model, fast, preprocessing) < TOLERANCE
    assert ('packed' in fast.trunk.detail) == torch.backends.mkldnn.is_available()


@pytest.mark.parametrize('after', [nn.ReLU, nn.ReLU6, nn.Hardswish, nn.SiLU, nn.Sigmoid])
def test_a_packed_layer_does_what_comes_after_it(after):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, groups=1), after())
    layers.append(nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)).eval()
    graph = fx.symbolic_trace(layers.requires_grad_(requires_grad=False))
    image = 9 * torch.randn(2, 3, 20, 30)
    image = image.to(memory_format=torch.channels_last)
    found = packed(graph, image[:1])(image)
    torch.testing.assert_close(found, layers(image), rtol=1e-4, atol=1e-4)


def test_a_build_of_torch_without_packed_layers_answers_all_the_same(
    network, preprocessing, monkeypatch
):
    def refuse(*_):
        raise NotImplementedError('not in this build')

    monkeypatch.setattr('posenet_ros.engines.by_torch.packed', refuse)
    fast = with_trunk(network, TorchTrunk(network, (64, 96)))
    assert fast.trunk.detail == ', weights as they are'
    assert difference_of(network, fast, preprocessing) < TOLERANCE


def test_half_precision_is_near_and_not_the_same(network, preprocessing):
    fast = with_trunk(network, TorchTrunk(network, (64, 96), torch.bfloat16))
    assert TOLERANCE < difference_of(network, fast, preprocessing) < 0.2


def test_samples_and_descriptions_come_by_the_same_trunk(make_network):
    model = make_network(feature_width=32, dropout=0.5)
    fast = with_trunk(model, TorchTrunk(model, (64, 96)))
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(
            fast.describe_place(image), model.describe_place(image), rtol=1e-3, atol=1e-4
        )
        assert fast.sample(image, 3).position_B3.shape == (1, 3, 3)


def test_one_that_puts_out_something_else_is_told_by_how_much(network, preprocessing):
    class Off(FastTrunk):
        def run(self, image_B3HW):
            found = network.trunk.maps(image_B3HW, network.map_names)
            return [1.1 * found[name] for name in network.map_names[:-1]] + [
                found[network.map_names[-1]].flip(1)
            ]

    off = with_trunk(network, Off(network.map_names))
    assert difference_of(network, off, preprocessing) > 0.01


def prediction(position, quaternion, feature):
    return PosePrediction(*(torch.tensor([each]) for each in (position, quaternion, feature)))


def test_a_difference_is_relative_to_the_scene_and_knows_no_sign_of_quaternions(network):
    # Its scene has its middle at (1, 0, 0.5), and half sides of 2 m.
    one = prediction([1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0], [0.6, 0.8])
    assert largest_difference(one, one._replace(quaternion_wxyz_B4=-one[1]), network) == 0
    moved = one._replace(position_B3=one.position_B3 + 0.5)
    assert largest_difference(one, moved, network) == pytest.approx(0.25)
    far = one._replace(position_B3=torch.tensor([[1.0, 10.0, 0.5]]))
    moved = one._replace(position_B3=torch.tensor([[1.0, 10.5, 0.5]]))
    assert largest_difference(far, moved, network) == pytest.approx(0.05)
    other = one._replace(feature_BK=torch.tensor([[0.6, 0.7]]))
    assert largest_difference(one, other, network) == pytest.approx(0.1)
    lost = one._replace(position_B3=torch.full((1, 3), math.nan))
    assert largest_difference(one, lost, network) == math.inf
