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

"""Poses of batches from points and rays, against poses that are known."""

from __future__ import annotations

import numpy as np
from posenet_ros.models.resection import resected
from posenet_ros.models.trust import ANY_ANGLE
import pytest
from scipy.spatial.transform import Rotation
import torch

CELLS = 200
UNIT = torch.tensor(1.0)
# Pixels are units of the plane ahead.
FOCAL = torch.tensor(1.0)


def scene(seed: int, images: int = 3, unit: float = 1.0):
    """Return points (B, C, 3), rays (B, C, 2), and positions and rotations of cameras."""
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(images, rng).as_matrix()
    position = rng.normal(size=(images, 3)) * unit
    rays = rng.uniform(-0.5, 0.5, (images, CELLS, 2))
    depth = rng.uniform(1, 4, (images, CELLS, 1)) * unit
    seen = np.concatenate([rays, np.ones_like(depth)], axis=2) * depth
    points = np.einsum('bij,bcj->bci', rotation, seen) + position[:, None]
    return tuple(torch.from_numpy(value) for value in (points, rays, position, rotation))


def beside(position, rotation, metres: float, degrees: float, seed: int = 0):
    """Return poses so far from others."""
    rng = np.random.default_rng(seed)
    move, turn = rng.normal(size=(2, len(position), 3))
    move *= metres / np.linalg.norm(move, axis=1, keepdims=True)
    turn *= np.radians(degrees) / np.linalg.norm(turn, axis=1, keepdims=True)
    turned = torch.from_numpy(Rotation.from_rotvec(turn).as_matrix()) @ rotation
    return position + torch.from_numpy(move), turned


def errors(found, position, rotation):
    turned = (found.rotation_B33.transpose(1, 2) @ rotation).double().numpy()
    degrees = np.degrees(Rotation.from_matrix(turned).magnitude())
    return (found.position_B3 - position).norm(dim=1).numpy(), degrees


@pytest.mark.parametrize('unit', [0.05, 1.0, 300.0])
def test_poses_are_found_from_starts_that_are_roughly_right_in_any_unit(unit):
    points, rays, position, rotation = scene(0, unit=unit)
    start = beside(position, rotation, 0.4 * unit, 12)
    told = torch.full(rays.shape[:2], 0.01, dtype=rays.dtype)
    found = resected(points, told, rays, *start, torch.tensor(unit), FOCAL)
    metres, degrees = errors(found, position, rotation)
    assert metres.max() < 1e-3 * unit
    assert degrees.max() < 0.05


def test_cells_that_show_something_else_do_not_count():
    points, rays, position, rotation = scene(1)
    points = points.clone()
    # A third of all, and all in the same way: a moved cupboard.
    points[:, : CELLS // 3] += torch.tensor([1.5, -1.0, 0.5])
    start = beside(position, rotation, 0.2, 5)
    told = torch.full(rays.shape[:2], 0.01, dtype=rays.dtype)
    metres, degrees = errors(resected(points, told, rays, *start, UNIT, FOCAL), position, rotation)
    assert metres.max() < 0.03
    assert degrees.max() < 0.6


def test_a_cell_that_tells_of_a_large_error_counts_for_little():
    points, rays, position, rotation = scene(2)
    noise = torch.from_numpy(np.random.default_rng(3).normal(size=points.shape))
    vague = torch.arange(CELLS) % 2 == 0
    points = points + noise * torch.where(vague, 0.5, 0.0)[:, None]
    start = beside(position, rotation, 0.1, 3)
    known = torch.where(vague, 0.3, 0.003).to(rays.dtype).expand(len(points), -1)
    unknown = torch.full_like(known, 0.3)
    by_known, _ = errors(resected(points, known, rays, *start, UNIT, FOCAL), position, rotation)
    by_unknown, _ = errors(
        resected(points, unknown, rays, *start, UNIT, FOCAL), position, rotation
    )
    assert by_known.max() < 0.005
    assert by_unknown.max() > 4 * by_known.max()


def test_where_cells_say_nothing_the_start_stays():
    points, rays, position, rotation = scene(4)
    behind = 2 * position[:, None] - points
    start = beside(position, rotation, 0.1, 3)
    told = torch.full(rays.shape[:2], 0.01, dtype=rays.dtype)
    found = resected(behind, told, rays, *start, UNIT, FOCAL)
    torch.testing.assert_close(found.position_B3, start[0])
    torch.testing.assert_close(found.rotation_B33, start[1])


def test_elimination_solves_what_the_library_does(monkeypatch):
    points, rays, position, rotation = scene(5)
    start = beside(position, rotation, 0.1, 3)
    told = torch.full(rays.shape[:2], 0.01, dtype=rays.dtype)
    by_library = resected(points, told, rays, *start, UNIT, FOCAL)
    monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: True)
    by_elimination = resected(points, told, rays, *start, UNIT, FOCAL)
    torch.testing.assert_close(by_elimination, by_library)


def test_gradients_come_through():
    points, rays, position, rotation = scene(7)
    points = points.clone().requires_grad_()
    told = torch.full(rays.shape[:2], 0.01, dtype=rays.dtype)
    start = beside(position, rotation, 0.05, 2)
    resected(points, told, rays, *start, UNIT, FOCAL).position_B3.sum().backward()
    assert points.grad.isfinite().all()
    assert points.grad.abs().sum() > 0


def noisy(deviation: float, draws: int = 600):
    """Return one scene asked about many times, with rays that are off by so much."""
    points, rays, position, rotation = (each[:1] for each in scene(8))
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn((draws, CELLS, 2), generator=generator, dtype=rays.dtype)
    several = (each.expand(draws, *each.shape[1:]) for each in (points, position, rotation))
    points, position, rotation = several
    told = torch.full((draws, CELLS), deviation * 300, dtype=rays.dtype)
    focal = torch.tensor(300.0)
    off = rays + deviation * noise
    return resected(points, told, off, position, rotation, UNIT, focal), position, rotation


def test_the_inverse_of_the_information_is_as_errors_are_but_for_a_factor():
    found, position, rotation = noisy(0.01)
    moved = (found.position_B3 - position).numpy()
    turned = (found.rotation_B33 @ rotation.transpose(1, 2)).numpy()
    errors_N6 = np.hstack([moved, Rotation.from_matrix(turned).as_rotvec()])
    information_66 = found.information_B66.mean(dim=0).numpy()
    root_66 = np.linalg.cholesky(information_66)
    # In units of it, errors are of one size whichever way, and independent.
    units_66 = np.cov((errors_N6 @ root_66).T)
    factor = np.trace(units_66) / 6
    np.testing.assert_allclose(units_66 / factor, np.eye(6), atol=0.2)
    assert 0.05 < factor < 5


def test_the_more_cells_disagree_the_less_is_known():
    small, large = (noisy(deviation)[0].information_B66.mean(dim=0) for deviation in (0.01, 0.04))
    # Four times the error told makes 1/16 of it; what cells are off by counts on top, a little
    # less for the half pixel that is added.
    ratio = (small.diagonal() / large.diagonal()).numpy()
    np.testing.assert_allclose(ratio, 16 * 4**1.5, rtol=0.25)


def test_where_cells_say_nothing_a_pose_may_be_anywhere_in_the_scene():
    points, rays, position, rotation = scene(4)
    behind = 2 * position[:, None] - points
    told = torch.full(rays.shape[:2], 1.0, dtype=rays.dtype)
    unit = torch.tensor(4.0)
    found = resected(behind, told, rays, position, rotation, unit, torch.tensor(300.0))
    deviations = found.information_B66.diagonal(dim1=1, dim2=2) ** -0.5
    expected = torch.tensor([12.0] * 3 + [ANY_ANGLE] * 3, dtype=rays.dtype).expand(3, 6)
    torch.testing.assert_close(deviations, expected)
