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

"""What a GPU records of a network and its preprocessing, computed on the CPU."""

import numpy as np
from posenet_ros.engines.replay import side_by_side
from posenet_ros.geometry import Camera, check_covariance
from posenet_ros.localization.outputs import Outputs
from posenet_ros.localization.replayed import Answering
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
import pytest
import torch

PREPROCESSING = Preprocessing(short_side=72, crop=(64, 96))


def made(head):
    torch.manual_seed(0)
    how = {'levels': 2, 'pool': 2, 'rotation': '6d', 'dropout': 0.0}
    model = PoseNet(Architecture('mobilenet_v3_small', head=head, **how), auxiliary=False).eval()
    model.set_extent(np.array([[-1.0, -2.0, 0.0], [3.0, 2.0, 1.0]]))
    torch.nn.init.normal_(model.regressor.weight, std=0.01)
    if model.scene is not None:
        model.set_camera(Camera(120, 90, 100.0, 100.0, 59.5, 44.5), PREPROCESSING)
        model.scene.unit.fill_(4)
        model.scene.middle_3.copy_(torch.tensor([1.0, 0.0, 6.0]))
    # What an engine's trunk wants its images as.
    model.trunk.dtype, model.trunk.channels = torch.float32, 3
    return model


@pytest.mark.parametrize('crops', [1, 4])
@pytest.mark.parametrize('head', ['linear', 'scene'])
def test_numbers_are_told_apart_as_poses_covariances_and_features(head, crops):
    model = made(head)
    rgb_BHW3 = np.random.default_rng(0).integers(0, 256, (2, 72, 108, 3), dtype=np.uint8)
    answering = Answering(model, PREPROCESSING, 72, 108, crops)
    image_BHW3 = torch.from_numpy(np.stack([rgb[answering.box] for rgb in rgb_BHW3]))
    with torch.inference_mode():
        outputs = answering.outputs(answering(image_BHW3).numpy())
        beside = torch.from_numpy(PREPROCESSING.beside_centre(108, 72, crops)).repeat(2, 1)
        told = model.numbers(answering.prepared(image_BHW3), side_by_side, beside)
    assert len(told) == (4 if head == 'scene' else 3)
    by_image = zip(*(each.double().numpy().reshape(2, crops, -1) for each in told))
    for output, each in zip(outputs, by_image, strict=True):
        expected = Outputs.of(*each)
        assert max(output.mean()[0].distance(expected.mean()[0])) < 1e-6
        np.testing.assert_allclose(output.mean_feature(), expected.mean_feature(), rtol=1e-6)
        if head == 'scene':
            check_covariance(output.covariance())
            np.testing.assert_allclose(output.covariance(), expected.covariance(), rtol=1e-6)
        else:
            assert output.covariance() is None


def test_many_crops_of_an_image_are_no_surer_than_one_of_them():
    """What one image shows is wrong together."""
    turns = np.tile([1.0, 0, 0, 0], (3, 1))
    told = np.stack([np.eye(6), np.eye(6) / 4, np.eye(6) / 4])
    several = Outputs.of(np.zeros((3, 3)), turns, np.ones((3, 2)), told)
    np.testing.assert_allclose(several.covariance(), 3 * np.eye(6))


def test_crops_that_are_apart_are_unsure_by_that():
    turns = np.array([[1.0, 0, 0, 0.1], [1, 0, 0, -0.1]])
    positions = np.array([[1.0, 0, 0], [-1, 0, 0]])
    two = Outputs.of(positions, turns, np.ones((2, 2)), np.stack([np.eye(6)] * 2))
    angle = 2 * np.arctan(0.1)
    expected = np.eye(6)
    expected[0, 0] += 1
    expected[5, 5] += angle**2
    expected[0, 5] = expected[5, 0] = angle
    np.testing.assert_allclose(two.covariance(), expected, atol=1e-12)


def test_a_crop_whose_covariance_is_not_finite_does_not_count():
    turns = np.tile([1.0, 0, 0, 0], (2, 1))
    told = np.stack([np.eye(6), np.full((6, 6), np.nan)])
    two = Outputs.of(np.array([[1.0, 0, 0], [5, 0, 0]]), turns, np.ones((2, 2)), told)
    assert two.mean()[0].translation[0] == 1
    np.testing.assert_allclose(two.covariance(), np.eye(6))
