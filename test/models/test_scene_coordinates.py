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

"""What cells of images show of the map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.models.scene_coordinates import cell_rays, SceneCoordinates
import pytest
import torch

CAMERA = Camera(640, 480, 500.0, 500.0, 319.5, 239.5)
PREPROCESSING = Preprocessing(72, (64, 96))
ARCHITECTURE = Architecture(
    'mobilenet_v3_small', head='scene', levels=3, pool=2, rotation='6d', dropout=0.0
)


@pytest.fixture
def network() -> PoseNet:
    torch.manual_seed(0)
    model = PoseNet(ARCHITECTURE)
    model.set_extent(np.array([[0.0, 0, 1], [4, 2, 1]]))
    model.set_camera(CAMERA, PREPROCESSING)
    # Cells show a bent wall ahead of the camera, so that there is a pose to be found.
    rays = model.scene.rays_C2
    depth = 6 + 9 * rays[:, :1] ** 2 + rays[:, 1:]
    wall = torch.cat([rays, torch.ones_like(depth)], dim=1) * depth + torch.tensor([2.0, 1, 1])
    told = torch.full((len(wall),), 2.0)
    model.scene.forward = lambda seen: (wall.expand(len(seen), -1, 3), told.expand(len(seen), -1))
    return model.eval()


def images(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def test_rays_of_cells_are_those_of_their_middles_in_the_original_image():
    rays, focal = cell_rays(CAMERA, PREPROCESSING, 4, 6)
    assert rays.shape == (4 * 6, 2)
    assert focal == pytest.approx(500 * 72 / 480)
    # The crop is in the middle, and so is what its cells are on both sides of.
    np.testing.assert_allclose(rays.mean(axis=0), 0, atol=1e-12)
    # Neighbours are 16 pixels apart, row by row.
    np.testing.assert_allclose(rays[1] - rays[0], [16 / focal, 0], atol=1e-12)
    np.testing.assert_allclose(rays[6] - rays[0], [0, 16 / focal], atol=1e-12)


@pytest.mark.parametrize('size', [100, 196, 225, 250])
@pytest.mark.parametrize('backbone', ['googlenet', 'resnet18'])
def test_there_are_as_many_rays_as_cells_whatever_the_size(backbone, size):
    model = PoseNet(replace(ARCHITECTURE, backbone=backbone)).eval()
    preprocessing = Preprocessing(size, (size, size + 28))
    model.set_camera(CAMERA, preprocessing)
    with torch.inference_mode():
        seen = model.see_cells(torch.zeros(1, 3, *preprocessing.crop))
        assert model(torch.zeros(1, 3, *preprocessing.crop)).position_B3.shape == (1, 3)
    assert len(model.scene.rays_C2) == seen.shape[1]


def test_rays_leave_the_lens_out():
    bent = replace(CAMERA, distortion='plumb_bob', coefficients=(-0.3, 0.1, 0.0, 0.0, 0.0))
    straight, _ = cell_rays(CAMERA, PREPROCESSING, 4, 6)
    found, _ = cell_rays(bent, PREPROCESSING, 4, 6)
    # A barrel shows more at the edges.
    assert np.linalg.norm(found[0]) > 1.02 * np.linalg.norm(straight[0])


def test_cells_are_seen_one_by_one():
    head = SceneCoordinates([4, 6])
    fine, coarse = torch.rand(1, 4, 8, 12), torch.rand(1, 6, 4, 6)
    seen = head.seen(fine, coarse)
    assert seen.shape == (1, 24, 22)
    other = coarse.clone()
    other[..., 2, 3] = torch.rand(1, 6)
    changed = (head.seen(fine, other) != seen).any(dim=2)[0]
    assert changed.nonzero().flatten().tolist() == [2 * 6 + 3]


def test_maps_that_are_not_of_twice_the_size_are_made_so():
    head = SceneCoordinates([4, 6])
    assert head.seen(torch.rand(1, 4, 7, 11), torch.rand(1, 6, 4, 6)).shape == (1, 24, 22)


def test_wide_maps_are_seen_as_means():
    head = SceneCoordinates([480, 6])
    assert head.width == 480 + 6
    fine, coarse = torch.rand(1, 480, 8, 12), torch.rand(1, 6, 4, 6)
    other = fine.clone()
    # Within a cell, what is where does not matter.
    other[..., :2, :2] = fine[..., :2, :2].flip(2)
    torch.testing.assert_close(head.seen(other, coarse), head.seen(fine, coarse))


def test_what_learns_of_errors_does_not_pull_at_points():
    head = SceneCoordinates([4, 6])
    _, error = head(torch.rand(5, 22))
    error.sum().backward()
    assert all(value.grad is None for value in head.first.parameters())
    assert all(value.grad is not None for value in head.error.parameters())


def test_both_ways_to_answer_agree(network):
    one_by_one = network.numbers(images(), lambda *calls: [call() for call in calls])
    position, columns, feature, information = one_by_one
    found = network(images())
    torch.testing.assert_close(position, found.position_B3)
    torch.testing.assert_close(feature, found.feature_BK)
    told = found.information_B66.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(information[:, ::7], told, rtol=0.01, atol=0)
    torch.testing.assert_close(columns.norm(dim=1), torch.full((2,), 2.0).sqrt())


def test_crops_beside_the_middle_look_another_way(network):
    beside = torch.tensor([[8.0, 0.0], [0.0, 0.0]])
    with torch.inference_mode():
        middle, moved = network(images()), network(images(), beside)
    torch.testing.assert_close(middle.position_B3[1], moved.position_B3[1])
    assert (middle.position_B3[0] - moved.position_B3[0]).norm() > 1e-4


def test_no_dropout_before_cells():
    with pytest.raises(ConfigError, match='dropout'):
        replace(ARCHITECTURE, dropout=0.5)


def test_samples_are_refused(network):
    with pytest.raises(ConfigError, match='without dropout'):
        network.sample(images(), 3)
