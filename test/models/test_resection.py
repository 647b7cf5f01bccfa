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
import pytest
from scipy.spatial.transform import Rotation
import torch

CELLS = 200


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
    found = resected(points, told, rays, *start, torch.tensor(unit))
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
    metres, degrees = errors(
        resected(points, told, rays, *start, torch.tensor(1.0)), position, rotation
    )
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
    unit = torch.tensor(1.0)
    by_known, _ = errors(resected(points, known, rays, *start, unit), position, rotation)
    by_unknown, _ = errors(resected(points, unknown, rays, *start, unit), position, rotation)
    assert by_known.max() < 0.005
    assert by_unknown.max() > 4 * by_known.max()


def test_where_cells_say_nothing_the_start_stays():
    points, rays, position, rotation = scene(4)
    behind = 2 * position[:, None] - points
    start = beside(position, rotation, 0.1, 3)
    told = torch.full(rays.shape[:2], 0.01, dtype=rays.dtype)
    found = resected(behind, told, rays, *start, torch.tensor(1.0))
    torch.testing.assert_close(found.position_B3, start[0])
    torch.testing.assert_close(found.rotation_B33, start[1])


def test_elimination_solves_what_the_library_does(monkeypatch):
    points, rays, position, rotation = scene(5)
    start = beside(position, rotation, 0.1, 3)
    told = torch.full(rays.shape[:2], 0.01, dtype=rays.dtype)
    by_library = resected(points, told, rays, *start, torch.tensor(1.0))
    monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: True)
    by_elimination = resected(points, told, rays, *start, torch.tensor(1.0))
    torch.testing.assert_close(by_elimination, by_library)


def test_gradients_come_through():
    points, rays, position, rotation = scene(7)
    points = points.clone().requires_grad_()
    told = torch.full(rays.shape[:2], 0.01, dtype=rays.dtype)
    start = beside(position, rotation, 0.05, 2)
    resected(points, told, rays, *start, torch.tensor(1.0)).position_B3.sum().backward()
    assert points.grad.isfinite().all()
    assert points.grad.abs().sum() > 0
