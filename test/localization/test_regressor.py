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

"""One crop or many, one answer or samples: what the network is asked, and what comes of it."""

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.localization.ensemble import Ensemble
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.posenet import PoseNet, PosePrediction
from posenet_ros.models.preprocessing import Preprocessing
import pytest
import torch

SMALL = Preprocessing(72, (64, 64), mean=(0, 0, 0), std=(1, 1, 1))


class Reads(torch.nn.Module):
    """A network that reads its pose off the red and green of the upper left corner."""

    def forward(self, image_B3HW):
        self.most = max(getattr(self, 'most', 0), len(image_B3HW))
        red, green = image_B3HW[:, 0, 0, 0], image_B3HW[:, 1, 0, 0]
        zero, one = torch.zeros_like(red), torch.ones_like(red)
        position = torch.stack([red, green, zero], dim=1)
        # Of either sign, as networks put them out.
        sign = torch.where(red > 0.2, -one, one)
        quaternion = sign[:, None] * torch.stack([one, zero, zero, 0.1 * red], dim=1)
        return PosePrediction(position, quaternion, torch.stack([one, red], dim=1))


@pytest.fixture
def ramp():
    """Return an image whose red runs from left to right and green from top to bottom."""
    rgb = np.zeros((72, 96, 3), dtype=np.uint8)
    rgb[..., 0] = np.arange(96) * 2
    rgb[..., 1] = np.arange(72)[:, None] * 2
    return rgb


def test_the_answer_to_many_crops_is_their_mean(ramp):
    one = PoseRegressor(Reads(), SMALL, 'cpu').regress([ramp])
    many = PoseRegressor(Reads(), SMALL, 'cpu', Ensemble(crops=128)).regress([ramp])
    # Crops spread evenly about the centre have their mean there.
    np.testing.assert_allclose(many.poses[0].translation, one.poses[0].translation, atol=0.005)
    assert many.poses[0].distance(one.poses[0])[1] < 0.002
    assert np.isnan(one.spreads).all()
    metres, radians = many.spreads[0]
    assert metres == pytest.approx(np.hypot(64, 16) / 255 / np.sqrt(12), rel=0.15)
    assert 0 < radians < 0.1
    np.testing.assert_allclose(many.features, one.features, atol=0.01)


class Turns(Reads):
    """A network whose features turn with the red of the image, and are 0.8 long."""

    def forward(self, image_B3HW):
        red = 6 * image_B3HW[:, 0, 0, 0]
        feature = 0.8 * torch.stack([torch.cos(red), torch.sin(red)], dim=1)
        return super().forward(image_B3HW)._replace(feature_BK=feature)


def test_an_image_is_no_newer_for_being_looked_at_in_many_crops(ramp):
    many = PoseRegressor(Turns(), SMALL, 'cpu', Ensemble(crops=128)).regress([ramp])
    np.testing.assert_allclose(np.linalg.norm(many.features, axis=1), 0.8, atol=1e-6)


def test_images_keep_their_own_answers_and_memory_stays_bounded(ramp):
    dark = np.zeros((72, 80, 3), dtype=np.uint8)
    network = Reads()
    found = PoseRegressor(network, SMALL, 'cpu', Ensemble(crops=32)).regress([ramp, dark, ramp])
    assert network.most <= 16
    assert found.poses[0].distance(found.poses[2]) == (0, 0)
    np.testing.assert_allclose(found.poses[1].translation, 0)
    assert found.spreads[1].tolist() == [0, 0]


def network(dropout):
    torch.manual_seed(0)
    architecture = Architecture('mobilenet_v3_small', feature_width=64, dropout=dropout)
    made = PoseNet(architecture, auxiliary=False)
    torch.nn.init.normal_(made.regressor.weight, std=0.5)
    return made.eval()


def test_samples_differ_by_dropout_and_their_mean_comes_near_the_answer_without(ramp):
    torch.manual_seed(1)
    model = network(0.5)
    plain = PoseRegressor(model, SMALL, 'cpu').regress([ramp])
    few = PoseRegressor(model, SMALL, 'cpu', Ensemble(samples=2)).regress([ramp, ramp])
    assert few.poses[0].distance(few.poses[1])[0] > 0
    many = PoseRegressor(model, SMALL, 'cpu', Ensemble(samples=1000)).regress([ramp])
    metres, _ = many.poses[0].distance(plain.poses[0])
    assert metres < 5 * many.spreads[0][0] / np.sqrt(1000)
    assert not model.training
    np.testing.assert_allclose(many.features, plain.features, atol=1e-5)


def test_a_network_without_dropout_has_no_samples(ramp):
    regressor = PoseRegressor(network(0.0), SMALL, 'cpu', Ensemble(samples=4))
    with pytest.raises(ConfigError, match='without dropout'):
        regressor.regress([ramp])


@pytest.mark.parametrize('how', [{'crops': 0}, {'crops': 5000}, {'samples': -1}])
def test_numbers_that_cannot_be_meant_are_refused(how):
    with pytest.raises(ConfigError, match='must be'):
        Ensemble(**how)
