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

"""A scene head that learns where cells lie, of poses and of depths where they are known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from posenet_ros.data.dataset import FrameDataset, PoseBatch, ResizedImages
from posenet_ros.data.depth import cells as grid_cells
from posenet_ros.data.depth import COLUMNS, ROWS
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import encode_jpeg
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera, Pose, rays_of
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.training import batches
from posenet_ros.training import scene as scene_module
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.fit import fit, make_trunk
from posenet_ros.training.refit import refit
from posenet_ros.training.scene import CellBatch, scene_loss, SeenCells, start_scene
import pytest
from scipy.spatial.transform import Rotation
import torch

from .conftest import HEIGHT, pose_at, WIDTH

CAMERA = Camera(WIDTH, HEIGHT, 60.0, 60.0, (WIDTH - 1) / 2, (HEIGHT - 1) / 2)
OPTIONS = TrainOptions(
    backbone='mobilenet_v3_small',
    weights='none',
    freeze_norms=False,
    head='scene',
    levels=3,
    pool=2,
    rotation='6d',
    dropout=0.0,
    image_size=64,
    margin=0.0,
    wide=True,
    shift=0.0,
    epochs=2,
    batch_size=8,
)


@pytest.fixture(scope='session')
def wall(tmp_path_factory) -> list[Frame]:
    """Frames of a drive along a painted wall, two metres away, as a camera does see it."""
    folder = tmp_path_factory.mktemp('wall')
    rng = np.random.default_rng(0)
    paint = cv2.resize(
        rng.integers(0, 255, (12, 40, 3), dtype=np.uint8),
        (800, 240),
        interpolation=cv2.INTER_CUBIC,
    )
    # A hundred pixels of paint a metre; its upper left corner is at (-2, -1.2, 2).
    paint_from_wall = np.array([[100, 0, 200], [0, 100, 120], [0, 0, 1.0]])
    frames = []
    for number, place in enumerate(np.linspace(0, 1, 24)):
        turn = Rotation.from_euler('y', 10 * np.sin(9 * place), degrees=True)
        pose = Pose(turn, np.array([3 * place, 0.1 * place, 0]), 'map', 'camera')
        camera_from_map = turn.as_matrix().T
        # A point (x, y, 2) of the wall: R^T (p - t) has x, y and one as its unknowns.
        seen = camera_from_map @ np.array(
            [
                [1, 0, -pose.translation[0]],
                [0, 1, -pose.translation[1]],
                [0, 0, 2 - pose.translation[2]],
            ]
        )
        image_from_paint = CAMERA.matrix @ seen @ np.linalg.inv(paint_from_wall)
        rgb = cv2.warpPerspective(paint, image_from_paint, (WIDTH, HEIGHT))
        path = folder / f'{number:03d}.jpg'
        encode_jpeg(path, rgb)
        frames.append(Frame(path, pose, number * 500_000_000))
    return frames


@pytest.fixture
def network(corridor) -> PoseNet:
    torch.manual_seed(0)
    model = PoseNet(OPTIONS.architecture())
    model.set_extent(np.array([frame.map_from_camera.translation for frame in corridor]))
    model.set_camera(CAMERA, Preprocessing(64, (64, 96)))
    start_scene(model, corridor)
    return model


def batch(count: int, seed: int = 0) -> PoseBatch:
    generator = torch.Generator().manual_seed(seed)
    quaternion = torch.nn.functional.normalize(torch.randn(count, 4, generator=generator))
    position = torch.randn(count, 3, generator=generator)
    return PoseBatch(torch.rand(count, 3, 64, 96, generator=generator), position, quaternion)


def cells_at(network: PoseNet, depth: float, count: int = 50) -> tuple[torch.Tensor, CellBatch]:
    """Return points that lie on the rays of cells, so far ahead in units of the scene."""
    generator = torch.Generator().manual_seed(1)
    ray = torch.rand(count, 2, generator=generator) - 0.5
    rotation = torch.from_numpy(pose_at(0.3).rotation.as_matrix()).float().expand(count, 3, 3)
    position = torch.tensor([1.0, 2.0, 3.0]).expand(count, 3)
    ahead = torch.cat([ray, torch.ones(count, 1)], dim=1) * depth * network.scene.unit
    point = (rotation @ ahead[:, :, None])[:, :, 0] + position
    unknown = torch.zeros(count)
    return point, CellBatch(torch.zeros(count, 1), ray, position, rotation, unknown)


def test_a_scene_begins_ahead_of_its_cameras(network, corridor):
    unit = float(network.scene.unit)
    assert unit == pytest.approx(4.0)
    ahead = [frame.map_from_camera @ np.array([0, 0, unit]) for frame in corridor]
    np.testing.assert_allclose(network.scene.middle_3, np.mean(ahead, axis=0), rtol=1e-5)


@pytest.mark.parametrize('depth', [0.1, 1.0, 5.0])
def test_a_point_on_its_ray_is_right_wherever_on_it(network, depth):
    point, cells = cells_at(network, depth)
    told = torch.full((len(point),), 2.0)
    _, pixels = scene_loss(network, point, told, cells, 0.5)
    assert pixels < 1e-2


@pytest.mark.parametrize('done', [0.0, 0.9])
def test_points_are_drawn_to_their_rays_from_near_and_from_far(network, done):
    point, cells = cells_at(network, 1.0)
    told = torch.full((len(point),), 2.0)
    for shift in (0.02, 0.5, -3.0):
        start = (point + shift * network.scene.unit).requires_grad_()
        loss, _ = scene_loss(network, start, told, cells, done)
        (slope,) = torch.autograd.grad(loss, start)
        other, _ = scene_loss(network, start - 0.01 * slope / slope.norm(), told, cells, done)
        assert slope.isfinite().all()
        assert other < loss


def test_a_point_on_its_ray_is_to_be_as_far_away_as_a_map_tells(network):
    told, unit = torch.full((50,), 2.0), network.scene.unit

    def loss(depth: float, known: float) -> float:
        point, cells = cells_at(network, depth)
        cells = cells._replace(depth_B=known * unit.expand(50))
        total, pixels = scene_loss(network, point, told, cells, 0.5, 10.0)
        assert pixels < 1e-2
        return total.item()

    assert loss(0.5, 0.5) + 2 < loss(0.55, 0.5) + 1 < loss(0.7, 0.5)
    # What is a third nearer is as wrong as what is half as far again, and no more than ten pixels.
    assert loss(0.5, 0.75) == pytest.approx(loss(0.75, 0.5), abs=1e-3)
    assert loss(5.0, 0.5) == pytest.approx(loss(0.5, 0.5) + 10, abs=0.1)
    assert loss(5.0, 0.0) == pytest.approx(loss(0.5, 0.0), abs=1e-3)


@pytest.mark.parametrize('known', [0.4, 3.0])
def test_what_is_astray_is_brought_to_where_a_map_tells(network, known):
    told, unit = torch.full((50,), 2.0), network.scene.unit
    # Behind the camera.
    point, cells = cells_at(network, -1.0)

    def away(depth: float) -> torch.Tensor:
        return (point - cells_at(network, depth)[0]).abs().sum(dim=1).mean() / unit

    unknown, _ = scene_loss(network, point, told, cells, 0.0)
    cells = cells._replace(depth_B=known * unit.expand(50))
    found, _ = scene_loss(network, point, told, cells, 0.0)
    expected = scene_module._PULL * (away(known) - away(1.0))
    assert abs(expected) > 10
    torch.testing.assert_close(found - unknown, expected, rtol=1e-3, atol=1e-3)


def test_the_error_that_is_told_is_half_of_the_mean_of_those_that_are_made(network):
    # Of e exp(-e / s) / s^2, the length of a two-dimensional Laplace error.
    point, cells = cells_at(network, 1.0, 4000)
    unit, focal = network.scene.unit, network.scene.focal
    generator = torch.Generator().manual_seed(2)
    off = torch.rand(4000, 1, generator=generator) * 20 / focal
    aside = cells.map_from_camera_B33[:, :, 0]
    told = torch.tensor(3.0, requires_grad=True)
    for _ in range(300):
        loss, _ = scene_loss(network, point + off * unit * aside, told.expand(4000), cells, 0.5)
        (slope,) = torch.autograd.grad(loss, told)
        told = (told - 0.5 * slope).detach().requires_grad_()
    assert told.item() == pytest.approx(10 / 2, rel=0.05)


def test_cells_are_given_out_once_an_epoch_with_their_own_poses(network, monkeypatch):
    monkeypatch.setattr(scene_module, 'CELLS_A_STEP', 16)
    views = batch(4)
    cells = SeenCells(network, [views], 4)
    assert len(cells) == 4 * 24 // 16
    batches = [*cells]
    # Every view has all 24 of its cells in an epoch, mixed with those of others.
    places = torch.cat([each.position_B3 for each in batches])
    assert [(places == place).all(dim=1).sum() for place in views.position_B3] == [24] * 4
    assert len(batches[0].position_B3.unique(dim=0)) > 1
    with torch.inference_mode():
        expected = network.eval().see_cells(views.image_B3HW)
    first = batches[0]
    view = (views.position_B3 == first.position_B3[0]).all(dim=1).nonzero()[0, 0]
    cell = (network.scene.rays_C2 == first.ray_B2[0]).all(dim=1).nonzero()[0, 0]
    torch.testing.assert_close(first.seen_BD[0].float(), expected[view, cell], atol=2e-3, rtol=0)


def test_of_very_many_views_some_cells_of_each_are_kept(network, monkeypatch):
    monkeypatch.setattr(scene_module, '_ROOM', 2 * network.scene.width * 4 * 5)
    monkeypatch.setattr(scene_module, 'CELLS_A_STEP', 4)
    cells = SeenCells(network, [batch(2), batch(2, seed=3)], 4)
    places = torch.cat([each.position_B3 for each in cells])
    assert len(places) == 4 * 5
    assert len(places.unique(dim=0)) == 4


def test_a_scene_head_learns_and_the_trunk_stays(wall, tmp_path, monkeypatch):
    monkeypatch.setattr(scene_module, 'CELLS_A_STEP', 256)
    options = replace(OPTIONS, epochs=30, turn_deg=5.0)
    trunk = make_trunk(options)
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    # On its own frames: a trunk that knows nothing cannot tell what is between them.
    fitted = fit(wall, wall[1::2], options, tmp_path, trunk=trunk, camera=CAMERA)
    for name, value in fitted.model.trunk.state_dict().items():
        assert torch.equal(value, before[name]), name
    history = fitted.history
    assert len(history) == 30
    assert history[-1]['train/cell_px'] < 0.5 * history[0]['train/cell_px']
    assert history[-1]['held_out/position_m'] < 0.2
    assert history[-1]['held_out/orientation_deg'] < 5
    learned = fitted.model.scene.point.weight.clone()
    refit(fitted.model, fitted.preprocessing, wall, options, CAMERA)
    assert not torch.equal(fitted.model.scene.point.weight, learned)
    assert not fitted.model.training


def test_cells_that_are_learned_know_how_far_away_the_wall_is(wall):
    depths = {}
    rays = np.ones((ROWS * COLUMNS, 3))
    rays[:, :2] = rays_of(CAMERA, grid_cells(WIDTH, HEIGHT))
    for frame in wall[::2]:
        # The wall is two metres in front of where the map begins, along its z axis.
        ahead = rays @ frame.map_from_camera.rotation.as_matrix()[2]
        inverse = ahead / (2 - frame.map_from_camera.translation[2])
        depths[frame.image] = inverse.reshape(ROWS, COLUMNS).astype(np.float32)
    torch.manual_seed(0)
    preprocessing = OPTIONS.preprocessing(HEIGHT, WIDTH)
    model = PoseNet(OPTIONS.architecture())
    model.set_camera(CAMERA, preprocessing)
    images = ResizedImages(wall, preprocessing)
    turned = replace(OPTIONS, turn_deg=5.0).augmentation()
    frames = FrameDataset(wall, images, preprocessing, turned, CAMERA, depths)
    seen = torch.cat([_on_wall(each) for each in batches.seen_cells(model, frames, 8)])
    places = torch.from_numpy(frames.positions_N3).float()
    told = [places[number] for number, frame in enumerate(wall) if frame.image in depths]
    assert 0.4 < len(seen) / (8 * 24 * len(wall)) < 0.5
    assert {tuple(place.tolist()) for place in seen[:, 1:]} == {
        tuple(place.tolist()) for place in told
    }
    torch.testing.assert_close(seen[:, 0], torch.full_like(seen[:, 0], 2.0), rtol=0.01, atol=0)


def _on_wall(cells: CellBatch) -> torch.Tensor:
    """Return where cells of known depth lie along the map's z axis, and their cameras (N, 4)."""
    ahead = torch.cat([cells.ray_B2, torch.ones_like(cells.ray_B2[:, :1])], dim=1)
    ahead = (cells.map_from_camera_B33 @ ahead[:, :, None])[:, 2] * cells.depth_B[:, None]
    found = torch.cat([ahead + cells.position_B3[:, 2:], cells.position_B3], dim=1)
    return found[cells.depth_B > 0]


def test_a_stopped_training_goes_on(corridor, tmp_path):
    trunk = make_trunk(OPTIONS)
    fit(corridor[::2], corridor[1::2], OPTIONS, tmp_path, trunk=trunk, camera=CAMERA)
    more = replace(OPTIONS, epochs=3)
    fitted = fit(corridor[::2], corridor[1::2], more, tmp_path, trunk=trunk, camera=CAMERA)
    assert len(fitted.history) == 3


def test_without_a_camera_there_are_no_cells(corridor, tmp_path):
    with pytest.raises(ConfigError, match='intrinsics'):
        fit(corridor[::2], corridor[1::2], OPTIONS, tmp_path, trunk=make_trunk(OPTIONS))


def test_cells_of_turned_views_lie_where_the_lens_had_put_them(corridor):
    bent = replace(CAMERA, distortion='plumb_bob', coefficients=(-0.3, 0.08, 0.0, 0.0, 0.0))
    model = PoseNet(OPTIONS.architecture())
    model.set_camera(bent, Preprocessing(64, (64, 96)))
    turn = Rotation.from_euler('xyz', [6, -8, 5], degrees=True).as_matrix()
    views = batch(1)._replace(turn_B33=torch.from_numpy(turn).float()[None])
    found = scene_module._rays_and_depths(model.scene, views)[0][0].double().numpy()
    # A cell of the warped image shows a pixel of the one that was taken, whose ray the lens tells.
    warped = np.column_stack([model.scene.bent_C2.double().numpy(), np.ones(24)]) @ turn.T
    focal, centre = np.array([bent.fx, bent.fy]), np.array([bent.cx, bent.cy])
    taken = rays_of(bent, warped[:, :2] / warped[:, 2:] * focal + centre)
    expected = np.column_stack([taken, np.ones(24)]) @ turn
    np.testing.assert_allclose(found, expected[:, :2] / expected[:, 2:], atol=1e-5)
    # What is not turned lies where the model's cells do at run time.
    still = batch(1)._replace(turn_B33=torch.eye(3)[None])
    torch.testing.assert_close(
        scene_module._rays_and_depths(model.scene, still)[0][0],
        model.scene.rays_C2,
        atol=1e-5,
        rtol=0,
    )


@pytest.mark.parametrize('lens', [(), (-0.3, 0.08, 0.0, 0.0, 0.0)])
def test_cells_of_turned_views_lie_as_far_away_as_the_image_tells(lens):
    camera = replace(CAMERA, distortion='plumb_bob' if lens else 'none', coefficients=lens)
    model = PoseNet(OPTIONS.architecture())
    model.set_camera(camera, Preprocessing(64, (64, 96)))
    # A plane that is no nearer to one side than to another would not tell places apart.
    normal = np.array([0.15, -0.1, 0.5])
    places = grid_cells(camera.width, camera.height)
    inverse = np.column_stack([rays_of(camera, places), np.ones(len(places))]) @ normal
    grid = torch.from_numpy(inverse.reshape(ROWS, COLUMNS)).float()
    turns = Rotation.from_euler('xyz', [[6, -8, 5], [0, 0, 0]], degrees=True).as_matrix()
    views = batch(2)._replace(
        turn_B33=torch.from_numpy(turns).float(), inverse_Brc=grid.expand(2, -1, -1)
    )
    for some in (views, views._replace(turn_B33=None)):
        ray_BC2, depth_BC = scene_module._rays_and_depths(model.scene, some)
        for number, turn in enumerate(turns if some is views else np.eye(3)[None]):
            ahead = np.column_stack([ray_BC2[number].double().numpy(), np.ones(24)]) @ turn.T
            # n . p is one on the plane, and p is the ray's depth times the ray.
            expected = 1 / (ahead @ normal)
            found = depth_BC[number].double().numpy()
            seen = found > 0
            assert seen.sum() >= 15
            # Between the grid's cells, and beyond the outer ones, it is not quite what it is.
            assert np.median(np.abs(found[seen] / expected[seen] - 1)) < 0.002
            np.testing.assert_allclose(found[seen], expected[seen], rtol=0.03)
    unknown = views._replace(inverse_Brc=torch.zeros(2, ROWS, COLUMNS))
    assert not scene_module._rays_and_depths(model.scene, unknown)[1].any()


@pytest.mark.parametrize('unit', [3.0, 20.0])
def test_learning_in_half_precision_rounds_no_point(network, unit):
    network.scene.unit.fill_(unit)
    with torch.autocast('cpu', torch.bfloat16):
        point, _ = network.scene(torch.rand(50, network.scene.width))
    assert point.dtype == torch.float32
    assert not torch.equal(point, point.bfloat16().float())


def test_of_very_many_images_every_one_is_seen(corridor, monkeypatch):
    monkeypatch.setattr(batches, '_MOST_SEEN', 8)
    torch.manual_seed(0)
    model = PoseNet(OPTIONS.architecture())
    preprocessing = OPTIONS.preprocessing(HEIGHT, WIDTH)
    model.set_camera(CAMERA, preprocessing)
    images = ResizedImages(corridor, preprocessing)
    frames = FrameDataset(corridor, images, preprocessing, None, CAMERA)
    monkeypatch.setattr(scene_module, 'CELLS_A_STEP', 24)
    cells = batches.seen_cells(model, frames, 8)
    seen = torch.cat([each.position_B3 for each in cells]).unique(dim=0)
    assert len(seen) == len(corridor)
    assert batches.steps_of(model, frames, OPTIONS) == len(cells)


def test_one_device_at_a_time():
    with pytest.raises(ConfigError, match='one device'):
        replace(OPTIONS, devices=2)


def test_what_is_not_known_makes_the_head_linear():
    known = replace(OPTIONS, weights='imagenet')
    assert known.for_what_is_known(camera=True) is known
    assert known.for_what_is_known(camera=False).head == 'linear'
    assert OPTIONS.for_what_is_known(camera=True).head == 'linear'
    assert replace(known, epochs=0).for_what_is_known(camera=True).head == 'linear'
    plain = Architecture('mobilenet_v3_small')
    assert not plain.solved
    assert known.architecture().solved


def test_crops_are_not_shifted_under_their_labels():
    with pytest.raises(ConfigError, match='shift'):
        replace(OPTIONS, shift=1.0)
