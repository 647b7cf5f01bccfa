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

"""Pairs of images for a network of relative poses, drawn anew for every step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from posenet_ros.models.relative import Side
from posenet_ros.training.relative.scene_maps import SceneMaps
import torch
from torch import Tensor
from torch.utils.data import Dataset

# A batch is of pairs of so many scenes, so that each is read in one place of its file.
_SCENES = 8

Source = TypeVar('Source')


class RelativeTarget(NamedTuple):
    """What a `RelativePrediction` should be."""

    direction_B3: Tensor
    log_distance_B: Tensor
    rotation_B33: Tensor


class PairBatch(NamedTuple):
    """Images asked, known images, and where the former are as the latter see them."""

    asked: Side
    known: Side
    target: RelativeTarget


class PosesAsked(NamedTuple):
    """Poses `map_from_camera` of the cameras asked for and of the known ones, double."""

    asked_B3: Tensor
    asked_B33: Tensor
    known_B3: Tensor
    known_B33: Tensor


class Pairs(Dataset, Generic[Source]):
    """
    `count` pairs an epoch, in batches, drawn by chance of scenes of a kind; see subclasses.

    With `mirrored` half of them are of a mirrored room: cells, rays and pose. What each cell shows
    is as it was, in both images alike: the trunk is not asked again.
    """

    def __init__(
        self, scenes: Source, count: int, *, mirrored: bool = True, seed: int | None = None
    ) -> None:
        """Take the scenes; with a `seed` the same numbers are always the same pairs."""
        self._scenes = scenes
        self._count = count
        self._mirrored = mirrored
        self._seed = seed

    def __len__(self) -> int:
        """Return how many pairs there are in an epoch."""
        return self._count

    def __getitem__(self, index: int) -> PairBatch:
        """Return a batch of one."""
        return self.__getitems__([index])

    @abstractmethod
    def __getitems__(self, indices: Sequence[int]) -> PairBatch:
        """Return a batch; torch's loader calls this instead of one by one."""


class DrawnPairs(Pairs[Sequence[SceneMaps]]):
    """Pairs out of files, each drawn by chance from a scene drawn by chance."""

    def __getitems__(self, indices: Sequence[int]) -> PairBatch:
        """Return a batch; torch's loader calls this instead of one by one."""
        if self._seed is None:
            # Drawn from torch's generator, which Lightning seeds, differently in every worker.
            rng = np.random.default_rng(int(torch.randint(2**31 - 1, ())))
        else:
            rng = np.random.default_rng([self._seed, *indices[:1]])
        parts = []
        for share in np.array_split(np.arange(len(indices)), min(_SCENES, len(indices))):
            scene = self._scenes[int(rng.integers(len(self._scenes)))]
            asked, known = scene.pairs.draw(len(share), rng)
            mirrored = rng.random(len(share)) < (0.5 if self._mirrored else 0.0)
            seen = rng.integers(scene.looks, size=(2, len(share))) if scene.looks > 1 else (0, 0)
            parts.append(batch_of(scene, asked, known, mirrored, *seen))
        return joined(parts)


def joined(parts: Sequence[PairBatch]) -> PairBatch:
    """Return several batches as one."""
    sides = [Side(*map(torch.cat, zip(*each))) for each in zip(*(part[:2] for part in parts))]
    return PairBatch(
        *sides, RelativeTarget(*map(torch.cat, zip(*(part.target for part in parts))))
    )


def batch_of(
    scene: SceneMaps,
    asked_B: NDArray[np.int64],
    known_B: NDArray[np.int64],
    mirrored_B: NDArray[np.bool_] | None = None,
    asked_look_B: NDArray[np.int64] | int = 0,
    known_look_B: NDArray[np.int64] | int = 0,
) -> PairBatch:
    """Return pairs of a scene by their numbers and looks, some of them as in a mirror."""
    centres_N3, rotations_N33 = map(torch.from_numpy, (scene.centres_N3, scene.rotations_N33))
    asked, known = torch.from_numpy(asked_B), torch.from_numpy(known_B)
    poses = PosesAsked(
        centres_N3[asked], rotations_N33[asked], centres_N3[known], rotations_N33[known]
    )
    some = mirrored_B is not None and mirrored_B.any()
    return pair_batch(
        _side(scene, asked_B + len(scene) * asked_look_B),
        _side(scene, known_B + len(scene) * known_look_B),
        poses,
        torch.from_numpy(mirrored_B) if some else None,
    )


def pair_batch(
    asked: Side, known: Side, poses: PosesAsked, mirrored_B: Tensor | None = None
) -> PairBatch:
    """
    Return pairs with what is to be found, some of them as in a mirror.

    All tensors are of one device, and nothing waits for it.
    """
    inverse_B33 = poses.known_B33.transpose(1, 2)
    between_B31 = (poses.asked_B3 - poses.known_B3)[:, :, None]
    offset_B3 = (inverse_B33 @ between_B31)[:, :, 0].float()
    rotation_B33 = (inverse_B33 @ poses.asked_B33).float()
    if mirrored_B is not None:
        asked, known = (_mirrored_side(side, mirrored_B) for side in (asked, known))
        offset_B3 = _where(mirrored_B, _flipped(offset_B3, 1), offset_B3)
        flipped_B33 = _flipped(_flipped(rotation_B33, 1), 2)
        rotation_B33 = _where(mirrored_B, flipped_B33, rotation_B33)
    distance_B1 = offset_B3.norm(dim=1, keepdim=True)
    target = RelativeTarget(offset_B3 / distance_B1, distance_B1[:, 0].log(), rotation_B33)
    return PairBatch(asked, known, target)


def _side(scene: SceneMaps, rows_B: NDArray[np.int64]) -> Side:
    maps = torch.from_numpy(np.array(scene.maps_NChw[rows_B])).float()
    ray = torch.from_numpy(scene.ray_2hw)
    return Side(maps, ray.expand(len(rows_B), -1, -1, -1))


def _mirrored_side(side: Side, mirrored_B: Tensor) -> Side:
    """Return what a mirror shows of some: cells from right to left, and rays to the other side."""
    maps, rays = side
    return Side(
        _where(mirrored_B, maps.flip(3), maps),
        _where(mirrored_B, _flipped(rays.flip(3), 1), rays),
    )


def _flipped(value: Tensor, axis: int) -> Tensor:
    """Return vectors whose x, the first along an axis, has the other sign."""
    x, rest = value.split([1, value.shape[axis] - 1], dim=axis)
    return torch.cat([-x, rest], dim=axis)


def _where(chosen_B: Tensor, one: Tensor, other: Tensor) -> Tensor:
    # Not by indices: to count them, a GPU would have to be waited for.
    return torch.where(chosen_B.view(-1, *[1] * (one.ndim - 1)), one, other)
