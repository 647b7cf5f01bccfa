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

"""The network of relative poses: what goes in, what comes out, and what it can see."""

from dataclasses import replace
import math

import cv2
import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera
from posenet_ros.models.backbones import build_backbone
from posenet_ros.models.relative import (
    _found,
    cell_rays,
    Cells,
    FARTHEST_M,
    RelativeArchitecture,
    RelativePoseNet,
    Side,
)
from posenet_ros.models.trunk_maps import _upon_each_other, SIZE, TrunkMaps
import pytest
import torch

CAMERA = Camera(64, 48, 40.0, 40.0, 31.5, 23.5)
SMALL = RelativeArchitecture(key=8, width=8, dropout=0.0, looks=4)


def side(seed, channels=12, shape=(6, 8), count=3):
    generator = torch.Generator().manual_seed(seed)
    cells = Cells(shape, (64, 48), (3.5, 3.5), 8.0)
    rays = torch.from_numpy(cell_rays(CAMERA, cells)).expand(count, -1, -1, -1)
    return Side(torch.randn(count, channels, *shape, generator=generator), rays)


@pytest.fixture(params=['matching', 'pooled'])
def network(request):
    torch.manual_seed(0)
    return RelativePoseNet(replace(SMALL, matcher=request.param), 12).eval()


def test_what_comes_out_is_a_direction_and_a_rotation(network):
    found = network(side(1), side(2))
    assert found.direction_B3.norm(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert found.log_distance_B.shape == (3,)
    eye = found.rotation_B33 @ found.rotation_B33.transpose(1, 2)
    torch.testing.assert_close(eye, torch.eye(3).expand(3, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(found.rotation_B33), torch.ones(3))


def test_each_pair_is_answered_by_itself(network):
    asked, known = side(1), side(2)
    together = network(asked, known)
    alone = network(Side(*(part[1:2] for part in asked)), Side(*(part[1:2] for part in known)))
    for all_of_it, part in zip(together, alone, strict=True):
        torch.testing.assert_close(all_of_it[1:2], part, atol=1e-5, rtol=1e-4)


def test_a_database_has_to_keep_no_more_than_what_is_described(network):
    asked, known = side(1), side(2)
    kept = [each._replace(map_BChw=network.describe(each.map_BChw)) for each in (asked, known)]
    for one, other in zip(network(asked, known), network.compare(*kept), strict=True):
        torch.testing.assert_close(one, other)
    assert kept[0].map_BChw.shape[1:] == network.described_shape(6, 8)
    # The published network knows an image as a whole.
    shapes = {'matching': (8 + 4, 6, 8), 'pooled': (12, 1, 1)}
    assert network.described_shape(6, 8) == shapes[network.architecture.matcher]
    # In half precision nothing is lost that matters.
    halved = [each._replace(map_BChw=each.map_BChw.half().float()) for each in kept]
    for one, other in zip(network(asked, known), network.compare(*halved), strict=True):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=2e-3)


def test_what_describes_is_known_by_its_weights(network):
    names = {'matching': {'key', 'looks'}, 'pooled': set()}[network.architecture.matcher]
    assert {name.partition('.')[0] for name in network.describing} == names


def test_it_matters_which_camera_is_asked_for(network):
    there, back = network(side(1), side(2)), network(side(2), side(1))
    assert (there.direction_B3 - back.direction_B3).abs().max() > 1e-4


def test_gradients_are_finite_also_for_maps_of_nothing(network):
    network.train()
    nothing = side(1)._replace(map_BChw=torch.zeros(3, 12, 6, 8))
    found = network(nothing, side(2))
    sum(part.sum() for part in found).backward()
    for name, parameter in network.named_parameters():
        if parameter.grad is not None:
            assert torch.isfinite(parameter.grad).all(), name


def test_a_cell_is_found_where_the_other_image_shows_the_same():
    torch.manual_seed(0)
    network = RelativePoseNet(SMALL, 12).matcher
    known = side(2, count=1)
    # What is asked shows the same, two cells to the left.
    moved = Side(known.map_BChw.roll(-2, dims=3), known.ray_B2hw)
    keys = [
        torch.nn.functional.normalize(network.key(each.map_BChw), dim=1).flatten(2)
        for each in (moved, known)
    ]
    found = _found(200 * keys[0], keys[1], network.nowhere, known.ray_B2hw.flatten(2))
    mean_B2N, deviation_B2N, mass_BN = found
    expected = known.ray_B2hw.roll(-2, dims=3).flatten(2)
    torch.testing.assert_close(mean_B2N, expected, atol=1e-2, rtol=0)
    assert deviation_B2N.max() < 0.05
    assert mass_BN.min() > 0.99


def test_what_cells_look_like_can_be_left_out():
    """Then nothing but matches tells: keys of another length are the same."""
    torch.manual_seed(0)
    network = RelativePoseNet(replace(SMALL, looks=0, hidden=32), 12).eval()
    assert not any('looks' in name for name in network.state_dict())
    assert network.regressor[0].out_features == 32
    asked, known = side(1), side(2)
    plain = network(asked, known)
    with torch.no_grad():
        network.matcher.key.weight.mul_(3)
        network.matcher.key.bias.mul_(3)
    for one, other in zip(plain, network(asked, known), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize('width', [7, 8, 64])
def test_what_is_found_is_the_softmax_of_how_alike_cells_are_and_the_rest_nowhere(width):
    """As written down in full; and gradients arrive at all that is learned."""
    generator = torch.Generator().manual_seed(3)
    query, key = (torch.randn(2, width, n, generator=generator) / width for n in (15, 20))
    query, key = (4 * query).requires_grad_(), (4 * key).requires_grad_()
    ray = torch.randn(2, 2, 20, generator=generator)
    nowhere = torch.tensor(0.7, requires_grad=True)
    found = _found(query, key, nowhere, ray)
    alike = torch.einsum('bdn,bdm->bnm', query, key)
    all_of_it = torch.cat([alike, nowhere.expand(2, 15, 1)], dim=2).softmax(dim=2)[:, :, :-1]
    mass = all_of_it.sum(dim=2)
    torch.testing.assert_close(found.mass_BN, mass)
    share = (all_of_it / (mass[:, :, None] + 1e-3)).transpose(1, 2)
    mean = ray @ share
    torch.testing.assert_close(found.ray_B2N, mean)
    spread = (ray**2 @ share - mean**2).clamp(min=1e-8).sqrt()
    torch.testing.assert_close(found.spread_B2N, spread, atol=1e-4, rtol=1e-4)
    learned = (query, key, nowhere)
    ours = torch.autograd.grad((found.ray_B2N**2).sum() + found.mass_BN.sum(), learned)
    plain = torch.autograd.grad((mean**2).sum() + mass.sum(), learned)
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


def test_what_can_be_told_of_errors_has_bounds(network):
    for bias, expected in ((1e4, math.log(FARTHEST_M)), (-1e4, math.log(1e-3))):
        with torch.no_grad():
            network.doubts[-1].bias.fill_(bias)
        told = network(side(1), side(2)).log_error_B3
        torch.testing.assert_close(told, torch.full((3, 3), expected))


def test_how_wrong_an_answer_is_changes_no_answer(network):
    """What errors are told by learns from the features, and these do not learn from it."""
    network(side(1), side(2)).log_error_B3.sum().backward()
    learns = {name.split('.')[0] for name, p in network.named_parameters() if p.grad is not None}
    assert learns == {'doubts'}


def test_under_half_precision_answers_are_whole_and_about_the_same(network):
    exact = network(side(1), side(2))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = network(side(1), side(2))
    for one, other in zip(exact, half, strict=True):
        assert other.dtype == torch.float32
        torch.testing.assert_close(one, other, atol=0.03, rtol=0.03)
    eye = half.rotation_B33 @ half.rotation_B33.transpose(1, 2)
    torch.testing.assert_close(eye, torch.eye(3).expand(3, 3, 3), atol=1e-5, rtol=0)


def test_coarser_cells_lie_where_finer_ones_look():
    """A cell of the coarser scale is every second one of the finer; between, it is between."""
    coarse = torch.arange(12.0).view(1, 1, 3, 4)
    joined = _upon_each_other([torch.zeros(1, 2, 6, 8), coarse])
    assert joined.shape == (1, 3, 6, 8)
    torch.testing.assert_close(joined[:, 2:, ::2, ::2], coarse)
    assert joined[0, 2, 0, 1] == pytest.approx(0.5)
    assert joined[0, 2, 3, 0] == pytest.approx(6)
    # Beyond the last there is nothing to be between.
    assert joined[0, 2, 0, 7] == pytest.approx(3)


def test_scales_lie_upon_each_other_from_the_finest_on():
    trunks = [
        TrunkMaps(build_backbone('mobilenet_v3_small'), *numbers)
        for numbers in ((2,), (3,), (3, 2))
    ]
    assert trunks[2].channels == trunks[0].channels + trunks[1].channels
    assert trunks[2].cells.shape == trunks[1].cells.shape == (24, 32)
    trunks[1].trunk.load_state_dict(trunks[2].trunk.state_dict())
    assert trunks[1].sha256 != trunks[2].sha256
    rgb = torch.randint(0, 256, (1, 3, SIZE[1], SIZE[0]), dtype=torch.uint8)
    both, fine = trunks[2](rgb)[0], trunks[1](rgb)[0]
    torch.testing.assert_close(both[:, : fine.shape[1]], fine)
    with pytest.raises(ConfigError, match='not 3 scales'):
        TrunkMaps(build_backbone('mobilenet_v3_small'), 2, 3)


def test_rays_are_those_of_cell_centres():
    cells = Cells((2, 2), (64, 48), (15.5, 11.5), 32.0)
    rays = cell_rays(CAMERA, cells)
    # Centres at 15.5 and 47.5 across, 11.5 and 43.5 down.
    np.testing.assert_allclose(rays[0], [[-0.4, 0.4]] * 2, atol=1e-6)
    np.testing.assert_allclose(rays[1], [[-0.3, -0.3], [0.5, 0.5]], atol=1e-6)
    # Twice the pixels are the same rays.
    np.testing.assert_allclose(cell_rays(CAMERA.resized(128, 96), cells), rays, atol=1e-6)


@pytest.mark.parametrize(
    ('distortion', 'coefficients'),
    [
        ('plumb_bob', (-0.3, 0.1, 0.001, -0.002, 0.0)),
        ('rational_polynomial', (-0.2, 0.03, 0.001, -0.002, 0.0, 0.1, 0.0, 0.0)),
        ('equidistant', (-0.01, 0.002, 0.0, 0.0)),
    ],
)
def test_a_lens_is_taken_out_of_the_rays(distortion, coefficients):
    camera = Camera(640, 480, 400.0, 400.0, 319.5, 239.5, distortion, coefficients)
    cells = Cells((12, 16), (256, 192), (0.0, 0.0), 16.0)
    rays = cell_rays(camera, cells).reshape(2, -1).T
    points = np.concatenate([rays, np.ones((len(rays), 1))], axis=1)[:, None].astype(np.float64)
    project = cv2.fisheye.projectPoints if distortion == 'equidistant' else cv2.projectPoints
    zero, inputs = np.zeros(3), (camera.matrix, np.array(coefficients))
    pixels, _ = project(points, zero, zero, *inputs)
    expected = cells.pixels(camera).reshape(-1, 2)
    np.testing.assert_allclose(pixels.reshape(-1, 2), expected, atol=0.05)


@pytest.mark.parametrize('backbone', ['mobilenet_v2', 'resnet18'])
def test_cells_are_where_the_trunk_looks(backbone):
    """What a bright spot changes is centred on the cell that is said to look there."""
    torch.manual_seed(0)
    trunk = TrunkMaps(build_backbone(backbone), 2)
    assert trunk.cells.shape == (12, 16)
    assert trunk.cells.step == 16
    # Trunks that halve from the first pixel on.
    assert trunk.cells.first == pytest.approx((0, 0), abs=2)
    grey = torch.full((1, 3, SIZE[1], SIZE[0]), 128, dtype=torch.uint8)
    before, _ = trunk(grey)
    # A cell's centre half a cell off would be found half a cell off.
    for row, column in ((4, 5), (7, 11)):
        x, y = (round(trunk.cells.first[axis] + 16 * at) for axis, at in ((0, column), (1, row)))
        spot = grey.clone()
        spot[:, :, y - 3 : y + 4, x - 3 : x + 4] = 255
        change_hw = (trunk(spot)[0] - before)[0].square().sum(dim=0)
        change_hw = change_hw / change_hw.sum()
        found_row = float((change_hw.sum(dim=1) * torch.arange(12)).sum())
        found_column = float((change_hw.sum(dim=0) * torch.arange(16)).sum())
        assert (found_row, found_column) == pytest.approx((row, column), abs=0.4)


@pytest.mark.parametrize(
    'values', [{'matcher': 'guess'}, {'key': 0}, {'dropout': 1.0}, {'looks': -1}]
)
def test_what_cannot_be_built_is_refused(values):
    with pytest.raises(ConfigError):
        RelativeArchitecture(**values)
