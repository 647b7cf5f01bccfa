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

"""What of the engine for GPUs can be told without one, and all of it where there is one."""

from concurrent.futures import ThreadPoolExecutor
import copy

import numpy as np
from posenet_ros.engines.by_cuda import (
    CudaTrunk,
    lanes,
    ReluConvolution,
    SideBySide,
    widen_input,
)
from posenet_ros.engines.choose import choose_engine, make_engine
from posenet_ros.engines.difference import TOLERANCE
from posenet_ros.errors import ConfigError
from posenet_ros.localization.ensemble import Ensemble
from posenet_ros.localization.outputs import Outputs
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.localization.replayed import Replayed
from posenet_ros.models.device_preprocessing import DevicePreprocessing
from posenet_ros.performance.images import camera_images
import pytest
import torch
from torch import fx, nn

CPU = torch.device('cpu')
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU')


class Branches(nn.Module):
    """Two branches of one input, one of which forks again."""

    def forward(self, value):
        a = value + 1
        b = a * 2
        c = a * 3
        d = c - 1
        e = c + 1
        return b + d + e


def test_a_lane_is_a_chain_and_every_node_comes_after_what_it_needs():
    graph = fx.symbolic_trace(Branches()).graph
    found = lanes(graph)
    by_lane = {}
    for node in graph.nodes:
        by_lane.setdefault(found[node], []).append(node)
    # Three things can be done at once, and no more lanes are there than that.
    assert len(by_lane) == 3
    assert found[next(iter(graph.nodes))] == 0
    names = {node.name: lane for node, lane in found.items()}
    assert names['add'] == names['mul'] == 0
    assert names['mul_1'] != names['mul']
    assert names['sub'] != names['add_1']
    assert found[[*graph.nodes][-1]] == 0


def test_without_branches_there_is_one_lane():
    graph = fx.symbolic_trace(nn.Sequential(nn.ReLU(), nn.Tanh())).graph
    assert set(lanes(graph).values()) == {0}


def test_what_has_no_input_starts_with_the_recording():
    class Adds(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, value):
            return value.abs() + self.weight

    graph = fx.symbolic_trace(Adds()).graph
    assert {found for node, found in lanes(graph).items() if not node.all_input_nodes} == {0}


@pytest.mark.parametrize('backbone', ['googlenet', 'resnet18', 'mobilenet_v2'])
def test_activations_are_part_of_convolutions_and_nothing_changes(
    make_network, preprocessing, backbone
):
    model = make_network(backbone, head='linear', levels=2)
    trunk = CudaTrunk(model, preprocessing.crop)
    joined = [each for each in trunk._graph.modules() if isinstance(each, ReluConvolution)]
    # MobileNetV2's are cut off at six, which is another step.
    assert bool(joined) == (backbone != 'mobilenet_v2')
    assert make_engine(model, preprocessing, 'cuda').difference < TOLERANCE


@pytest.mark.parametrize('backbone', ['googlenet', 'mobilenet_v2'])
def test_halves_come_with_a_fourth_channel(make_network, preprocessing, backbone):
    model = make_network(backbone, head='linear', levels=2)
    whole = CudaTrunk(model, preprocessing.crop)
    half = CudaTrunk(model, preprocessing.crop, torch.float16)
    assert (whole.channels, half.channels) == (3, 4)
    assert half.dtype == torch.float16
    image = torch.randn(2, 3, *preprocessing.crop)
    with torch.inference_mode():
        expected, found = whole.run(image), half.run(image)
        wide = half.run(torch.nn.functional.pad(image, (0, 0, 0, 0, 0, 1)).half())
    for one, other, third in zip(expected, found, wide, strict=True):
        assert (one - other).norm() < 0.06 * one.norm()
        assert torch.equal(other, third)


def test_an_image_that_something_else_looks_at_keeps_its_channels():
    class Looks(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, image):
            return self.layer(image) + image

    assert widen_input(fx.symbolic_trace(Looks())) == 3


def test_an_engine_for_another_device_is_refused(network, preprocessing):
    with pytest.raises(ConfigError, match='does not run on cpu, where there are auto, eager, to'):
        choose_engine(network, preprocessing, CPU, 'cuda')


def test_what_cannot_be_recorded_is_computed_and_told_once(network, preprocessing, caplog):
    if torch.cuda.is_available():
        pytest.skip('here it can')
    engine = make_engine(network, preprocessing, 'cuda')
    images = camera_images(3)
    images[2] = images[2][:300]
    how = preprocessing, 'cpu', Ensemble(crops=4)
    expected = PoseRegressor(network, *how).regress(images)
    regressor = PoseRegressor(engine.model, *how)
    first = regressor.regress(images)
    assert not caplog.records
    found = regressor.regress(images)
    _check_same(first, found, 1e-9)
    told = [record.getMessage() for record in caplog.records]
    assert len([message for message in told if 'not recorded, and slower' in message]) == 1
    _check_same(expected, found, 2e-2)


@torch.inference_mode()
def test_few_recordings_are_kept(network, preprocessing):
    engine = make_engine(network, preprocessing, 'cuda')
    replayed = Replayed(engine.model, preprocessing, CPU, crops=2)
    images = camera_images(1)
    for height in range(300, 480, 30):
        (output,) = replayed([images[0][:height]])
        assert len(output.positions_N3) == 2
    assert [shape[1] for shape in replayed._kept] == [360, 390, 420, 450]


def _check_same(expected, found, tolerance):
    """Compare answers to images whose pixels differ by a level here and there."""
    for one, other in zip(expected.poses, found.poses, strict=True):
        assert max(one.distance(other)) < tolerance
    np.testing.assert_allclose(found.features, expected.features, atol=tolerance)
    np.testing.assert_allclose(found.spreads, expected.spreads, atol=tolerance)


@needs_gpu
@pytest.mark.parametrize(('name', 'tolerance'), [('cuda', 1e-3), ('cuda-half', 0.1)])
@pytest.mark.parametrize('backbone', ['googlenet', 'resnet18', 'mobilenet_v2'])
@pytest.mark.parametrize('crops', [1, 6])
def test_a_recording_answers_as_the_layers_do(
    make_network, preprocessing, name, tolerance, backbone, crops, caplog
):
    model = make_network(backbone, head='linear', levels=2, pool=2, rotation='6d', dropout=0.0)
    images = camera_images(5)
    images[2] = images[2][:300]
    model = model.to('cuda')
    engine = make_engine(model, preprocessing, name)
    found = PoseRegressor(engine.model, preprocessing, 'cuda', Ensemble(crops=crops))
    # By the same pixels: a level here and there is more to such networks than arithmetic.
    expected = [_by_layers(model, preprocessing, rgb, crops) for rgb in images]
    for _ in range(3):
        for output, pose in zip(expected, found.regress(images).poses, strict=True):
            assert max(output.mean()[0].distance(pose)) < tolerance
    assert not caplog.records


@torch.inference_mode()
def _by_layers(model, preprocessing, rgb, crops):
    prepare = DevicePreprocessing(preprocessing, *rgb.shape[:2], crops).to('cuda')
    seen = torch.from_numpy(np.ascontiguousarray(rgb[prepare.box]))[None].to('cuda')
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        found = model(prepare(seen))
    numbers = (found.position_B3, found.quaternion_wxyz_B4, found.feature_BK)
    return Outputs.of(*(each.double().cpu().numpy() for each in numbers))


@needs_gpu
def test_recordings_of_two_threads_do_not_meet(network, preprocessing):
    engine = make_engine(copy.deepcopy(network).to('cuda'), preprocessing, 'cuda')
    images = camera_images(8)
    expected = PoseRegressor(engine.model, preprocessing, 'cuda').regress(images).poses

    def ask(size):
        regressor = PoseRegressor(engine.model, preprocessing, 'cuda')
        return [
            pose
            for _ in range(20)
            for start in range(0, len(images), size)
            for pose in regressor.regress(images[start : start + size]).poses
        ]

    with ThreadPoolExecutor(3) as threads:
        for answers in threads.map(ask, (1, 2, 4)):
            for number, pose in enumerate(answers):
                assert max(pose.distance(expected[number % len(images)])) < 1e-3


@needs_gpu
def test_branches_side_by_side_compute_the_same():
    graph = fx.symbolic_trace(Branches())
    value = torch.randn(1000, device='cuda')
    found = SideBySide(graph).run(value)
    torch.testing.assert_close(found, Branches()(value))
