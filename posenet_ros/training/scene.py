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

"""
How a scene head learns where the cells of images lie in the map, from poses and depths.

The trunk stays as it came and its maps are computed once, of a few views of every image; then
cells of all images are drawn, mixed, a thousand a step: neighbours in an image teach the same
thing, and gradients of cells from everywhere teach more (Brachmann et al., CVPR 2023). How far
away they are is learned from many views, and told at first by a map of points where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
import math
from typing import NamedTuple

import numpy as np
from posenet_ros.data.dataset import PoseBatch
from posenet_ros.data.frames import Frame
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.rotations import matrix_from_quaternion
from posenet_ros.models.scene_coordinates import SceneCoordinates
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.identity import Identity
from posenet_ros.training.module import PoseTraining
from posenet_ros.training.turned import at_shares
import torch
from torch import nn, Tensor

CELLS_A_STEP = 1024
# What is kept of the views' cells takes no more than that.
_ROOM = 2 * 1024**3
# A cell that is so many pixels off, or so many of the scene's units ahead, or behind the camera,
# is first brought to where it is seen, as far ahead as a map says, or one unit.
_ASTRAY_PX, _FAR, _NEAR = 200.0, 1000.0, 1e-3
# How far away things are is some metres, however long or short the drive is.
_LEAST_UNIT, _MOST_UNIT = 0.5, 20.0
_PULL = 40.0
# Pixels at which an error stops to count for more: at first, and less at last.
_WIDEST_PX, _NARROWEST_PX = 50.0, 1.0
# Depths are known to about so much of themselves: what lies between a map's points is guessed.
_DEPTH_WIDTH = 0.3
# Of an error that is told, no more than this is learned.
_MOST_TOLD_PX = 100.0


class CellBatch(NamedTuple):
    """
    What is seen of B cells, which ray of the camera each lies on, and its image's pose.

    `depth_B` is how far ahead of the camera a map says that it lies, zero where none does.
    """

    seen_BD: Tensor
    ray_B2: Tensor
    position_B3: Tensor
    map_from_camera_B33: Tensor
    depth_B: Tensor


class SeenCells:
    """Cells of many views in memory, given out in mixed batches, in a new order each time."""

    unit = 'cell'
    batch_size = CELLS_A_STEP

    def __init__(self, model: PoseNet, batches: Iterable[PoseBatch], views: int) -> None:
        """
        See the cells of so many views through a model's trunk; of very many, some of each.

        They stay on the device of the model.
        """
        scene = model.scene
        kept = cells_kept(scene, views)
        seen_ND = torch.empty((views * kept, scene.width), dtype=torch.half)
        self._seen_ND = seen_ND.to(scene.middle_3.device)
        ray, depth, position, rotation = [], [], [], []
        was_training = model.training
        model.eval()
        filled = 0
        for batch in batches:
            with torch.no_grad():
                seen_BCD = model.see_cells(batch.image_B3HW)
            index_BK = torch.rand(seen_BCD.shape[:2], device=seen_BCD.device).argsort(1)[:, :kept]
            at = torch.arange(len(seen_BCD), device=seen_BCD.device)[:, None]
            chosen_ND = seen_BCD[at, index_BK].flatten(0, 1)
            self._seen_ND[filled : filled + len(chosen_ND)] = chosen_ND
            filled += len(chosen_ND)
            ray_BC2, depth_BC = _rays_and_depths(scene, batch)
            ray.append(ray_BC2[at, index_BK].flatten(0, 1))
            depth.append(depth_BC[at, index_BK].flatten())
            position.append(batch.position_B3)
            rotation.append(matrix_from_quaternion(batch.quaternion_wxyz_B4))
        model.train(was_training)
        self._kept = kept
        self._ray_N2 = torch.cat(ray)
        self._depth_N = torch.cat(depth)
        self._position_V3 = torch.cat(position)
        self._rotation_V33 = torch.cat(rotation)

    def __len__(self) -> int:
        """Return the number of batches; a last one that is not full is left out."""
        return steps_an_epoch(len(self._seen_ND))

    def __iter__(self) -> Iterator[CellBatch]:
        """Yield the batches of an epoch."""
        order_N = torch.randperm(len(self._seen_ND), device=self._seen_ND.device)
        for start in range(0, len(self) * CELLS_A_STEP, CELLS_A_STEP):
            index_B = order_N[start : start + CELLS_A_STEP]
            view_B = index_B // self._kept
            yield CellBatch(
                self._seen_ND[index_B],
                self._ray_N2[index_B],
                self._position_V3[view_B],
                self._rotation_V33[view_B],
                self._depth_N[index_B],
            )


def cells_kept(scene: SceneCoordinates, views: int) -> int:
    """Return of how many cells of each view a head learns."""
    return min(len(scene.rays_C2), max(_ROOM // (2 * scene.width * max(views, 1)), 1))


def steps_an_epoch(cells: int) -> int:
    """Return in how many steps a head sees so many cells."""
    return max(cells // CELLS_A_STEP, 1)


def _rays_and_depths(scene: SceneCoordinates, batch: PoseBatch) -> tuple[Tensor, Tensor]:
    """
    Return where the cells of a batch are seen (B, C, 2), and how far ahead they lie (B, C).

    They are seen on the plane one unit ahead. Turned cameras see images warped as if there were
    no lens, and a cell shows what the lens had put where it was taken from. Depths are zero where
    nothing is known of them.
    """
    ray_BC2 = scene.rays_C2.expand(len(batch.position_B3), -1, -1)
    bent_BC2 = scene.bent_C2.expand_as(ray_BC2)
    along_BC = torch.ones_like(ray_BC2[..., 0])
    if batch.turn_B33 is not None:
        bent_BC2 = _on_plane(_ahead(bent_BC2) @ batch.turn_B33.transpose(1, 2))
        straight_BC2 = bent_BC2 if scene.lens is None else scene.lens(bent_BC2)
        turned_BC3 = _ahead(straight_BC2) @ batch.turn_B33
        along_BC = turned_BC3[..., 2]
        if scene.lens is not None:
            ray_BC2 = _on_plane(turned_BC3)
    if batch.inverse_Brc is None:
        return ray_BC2, torch.zeros_like(along_BC)
    share_B1C2 = (_ahead(bent_BC2) @ scene.image_from_bent_23.T)[:, None]
    inverse_BC = at_shares(batch.inverse_Brc, share_B1C2[..., 1], share_B1C2[..., 0])[:, 0]
    inverse_BC = inverse_BC * ((share_B1C2 >= 0) & (share_B1C2 <= 1)).all(dim=3)[:, 0]
    # What is one unit ahead of the camera that took the image is so much ahead of this one.
    return ray_BC2, torch.where(inverse_BC > 0, along_BC / inverse_BC, 0)


def _ahead(plane_BC2: Tensor) -> Tensor:
    return torch.cat([plane_BC2, torch.ones_like(plane_BC2[..., :1])], dim=-1)


def _on_plane(ahead_BC3: Tensor) -> Tensor:
    return ahead_BC3[..., :2] / ahead_BC3[..., 2:].clamp(min=_NEAR)


def start_scene(model: PoseNet, frames: Sequence[Frame]) -> None:
    """
    Let a scene head begin one unit ahead of the cameras.

    A unit is the longer side of where they went, within reason. How far away things are, labels do
    not tell; learning finds that within a few steps.
    """
    scene = model.scene
    unit = min(max(2 * float(model.position_scale.max()), _LEAST_UNIT), _MOST_UNIT)
    ahead_N3 = [frame.map_from_camera @ np.array([0, 0, unit]) for frame in frames]
    scene.unit.fill_(unit)
    scene.middle_3.copy_(torch.as_tensor(np.mean(ahead_N3, axis=0)))


class SceneTraining(PoseTraining):
    """A scene head that learns; held-out frames are measured as those of any network are."""

    def __init__(self, model: PoseNet, options: TrainOptions, identity: Identity) -> None:
        """Take the network, its recipe, and what a checkpoint must stand on."""
        super().__init__(model, options, identity)
        # Nothing else learns, and no weights of losses do.
        model.requires_grad_(requires_grad=False)
        model.scene.requires_grad_(requires_grad=True)
        self.loss = nn.Identity()

    def learning(self) -> nn.Module:
        """Return what learns."""
        return self.model.scene

    @property
    def peak_rate(self) -> float:
        """The peak of the rate at which that learns."""
        return self.options.scene_rate

    def training_step(self, batch: CellBatch, batch_index: int) -> Tensor:
        """Return the loss of a batch of cells."""
        done = self.trainer.global_step / max(int(self.trainer.estimated_stepping_batches), 1)
        depth_px = self.options.depth_px * (1 - done)
        point_B3, error_B = self.model.scene(batch.seen_BD.float())
        # In half precision, poses are worth half a pixel less.
        with torch.autocast(point_B3.device.type, enabled=False):
            total, pixels = scene_loss(self.model, point_B3, error_B, batch, done, depth_px)
        self._note({'train/loss': total, 'train/cell_px': pixels}, batch_index)
        return total


def scene_loss(
    model: PoseNet,
    point_B3: Tensor,
    error_B: Tensor,
    batch: CellBatch,
    done: float,
    depth_px: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """
    Return the loss of cells after the share `done` of all steps, and their median error in pixels.

    A point is to be seen along its cell's ray: how far away it is, views from elsewhere tell, and
    a map where there is one: a point at another depth counts as up to `depth_px` pixels off. The
    error in pixels counts by a hyperbolic tangent, which narrows as learning goes on. What a cell
    says of its error is learned by the likelihood of a Laplace distribution on the plane.
    """
    scene = model.scene
    unit, focal = scene.unit, scene.focal
    beside_B3 = (point_B3 - batch.position_B3) / unit
    camera_B3 = (beside_B3[:, None] @ batch.map_from_camera_B33)[:, 0]
    depth_B = camera_B3[:, 2]
    plane_B2 = camera_B3[:, :2] / depth_B[:, None].clamp(min=_NEAR)
    off_B = torch.linalg.vector_norm(plane_B2 - batch.ray_B2, dim=1) * focal
    astray_B = (depth_B < _NEAR) | (depth_B > _FAR) | (off_B > _ASTRAY_PX)
    ahead_B3 = torch.cat([batch.ray_B2, torch.ones_like(depth_B[:, None])], dim=1)
    ahead_B3 = (batch.map_from_camera_B33 @ ahead_B3[:, :, None])[:, :, 0]
    known_B = batch.depth_B > 0
    expected_B = torch.where(known_B, batch.depth_B / unit, 1)
    pull_B = _PULL * (beside_B3 - expected_B[:, None] * ahead_B3).abs().sum(dim=1)
    beyond_B = (depth_B.clamp(min=_NEAR) / expected_B).log().abs() * known_B
    width = _WIDEST_PX * math.sqrt(max(1 - done**2, 0)) + _NARROWEST_PX
    seen_B = width * torch.tanh(off_B / width) + depth_px * torch.tanh(beyond_B / _DEPTH_WIDTH)
    told_B = off_B.detach().clamp(max=_MOST_TOLD_PX) / error_B + 2 * error_B.log()
    total = torch.where(astray_B, pull_B, seen_B).mean() + told_B.mean()
    return total, off_B.detach().median()
