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

"""Saliency of networks whose derivatives are known."""

from dataclasses import replace
import math

import numpy as np
from posenet_ros.explain.saliency import draw
from posenet_ros.explain.sensitivity import plainer_half, saliency_maps
from posenet_ros.models.posenet import PosePrediction
import pytest
import torch

STD = 0.25
PATCH = (slice(4, 8), slice(10, 14))


class Linear(torch.nn.Module):
    """
    Look at a patch alone: x is 3 times its red, y 4 times its blue, and it turns by its red.

    The turn is about the optical axis, half a radian for each unit. `sign` is that of the
    quaternion, which is no other rotation.
    """

    def __init__(self, sign=1):
        super().__init__()
        self.sign = sign

    def forward(self, image_B3HW):
        patch_B3hw = image_B3HW[(..., *PATCH)]
        red, _, blue = patch_B3hw.sum(dim=(2, 3)).unbind(dim=1)
        none = torch.zeros_like(red)
        half = red / 4
        turned = [half.cos(), none, none, half.sin()]
        return PosePrediction(
            torch.stack([3 * red, 4 * blue, none], dim=1),
            self.sign * torch.stack(turned, dim=1),
            torch.zeros(len(red), 1),
        )


@pytest.fixture(scope='module')
def looking(subject):
    """Return a function that has a network look at the images of the subject."""
    preprocessing = replace(subject.loaded.card.preprocessing, mean=(0.4,) * 3, std=(STD,) * 3)
    card = replace(subject.loaded.card, preprocessing=preprocessing)

    def make(model):
        return replace(subject, loaded=replace(subject.loaded, model=model, card=card))

    return make


def images():
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize('sign', [1, -1])
def test_saliency_of_a_linear_network_is_its_weights(looking, sign):
    position, orientation = saliency_maps(looking(Linear(sign)), images())
    inside = np.zeros((32, 32), dtype=bool)
    inside[PATCH] = True
    # A grey level of 255 is 1 / (255 STD) of the input: 3 of x by red, 4 of y by blue.
    np.testing.assert_allclose(position[inside], 5 / (255 * STD), rtol=1e-5)
    np.testing.assert_allclose(orientation[inside], 0.5 / (255 * STD), rtol=1e-4)
    assert (position[~inside] == 0).all()
    assert (orientation[~inside] == 0).all()


class Kinked(torch.nn.Module):
    """A position with a kink where the colour of a pixel is the mean, beside one without."""

    def forward(self, image_B3HW):
        kinked, straight = image_B3HW[:, 0, 0, 0].abs(), image_B3HW[:, 0, 0, 1]
        none = torch.zeros_like(kinked)
        quaternion = torch.stack([none + 1, none, none, none * kinked], dim=1)
        position = torch.stack([kinked, straight, none], dim=1)
        return PosePrediction(position, quaternion, torch.zeros(len(kinked), 1))


def test_derivatives_of_opposite_signs_in_noisy_copies_cancel(looking):
    at_mean = np.full((32, 32, 3), 102, dtype=np.uint8)
    position, _ = saliency_maps(looking(Kinked()), at_mean)
    slope = 1 / (255 * STD)
    assert position[0, 1] == pytest.approx(slope, rel=1e-5)
    # Some copies have 1 and others -1.
    assert 0 <= position[0, 0] <= 0.76 * slope


def test_the_maps_are_the_same_again(subject):
    crop = images()
    for first, second in zip(saliency_maps(subject, crop), saliency_maps(subject, crop)):
        assert first.max() > 0
        np.testing.assert_array_equal(first, second)


def test_the_plainer_half_is_the_side_without_texture():
    image = np.full((32, 32, 3), 90, dtype=np.uint8)
    image[:, 16:] = images()[:, 16:]
    half = plainer_half(image)
    assert half.sum() == 32 * 32 / 2
    assert half[:, :14].all()
    # What is missing to a half are the two columns whose neighbours are textured.
    assert half[:, 14:].sum() == 64


def test_the_figure_tells_shares_of_what_the_network_sees(looking):
    exhibit = draw(looking(Linear()))
    assert len(exhibit.rows) == 6
    assert len(exhibit.picture.axes) == 18
    told = exhibit.numbers['images'][0]
    assert told['image'] == 'frame-000008.color.jpg'
    position = told['position']
    cells = np.array(position['cells'])
    assert cells.sum() == pytest.approx(1, abs=1e-3)
    # The patch is rows 4 to 8 of 32, columns 10 to 14: cells of 3.6 rows and 2.7 columns.
    assert cells[1:3, 3:6].sum() == pytest.approx(1, abs=1e-3)
    assert 0 <= position['plainer_half'] <= 1
    mean = 255 * (5 / (255 * STD)) * 16 / 32**2
    assert position['mean_of_all_grey_levels'] == pytest.approx(mean, rel=1e-4)
    assert not math.isnan(told['position_error'])
