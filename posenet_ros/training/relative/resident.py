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
Pairs of scenes whose maps all lie in the memory of one device.

A network of this size learns from tens of thousands of pairs a second on a GPU, if those are there
already: nothing of a batch is read, sent or waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from posenet_ros.models.relative import Side
from posenet_ros.training.relative.batches import pair_batch, PairBatch, Pairs, PosesAsked
from posenet_ros.training.relative.scene_maps import SceneMaps
import torch
from torch import Tensor

# Maps may take this share of what memory is free; the network's own steps need the rest.
_SHARE = 0.5


class Drawn(NamedTuple):
    """B pairs by the numbers of their images over all scenes, and by their maps' rows."""

    asked_B: Tensor
    known_B: Tensor
    asked_row_B: Tensor
    known_row_B: Tensor
    mirrored_B: Tensor


def fit_into(device: torch.device, *parts: Sequence[SceneMaps]) -> bool:
    """Tell whether a CUDA device has room for the maps of some scenes."""
    if device.type != 'cuda':
        return False
    free, _ = torch.cuda.mem_get_info(device)
    needed = sum(scene.maps_NChw.nbytes for scenes in parts for scene in scenes)
    return needed <= _SHARE * free


class ResidentScenes:
    """
    Scenes on a device, their images numbered one after another.

    Maps are half precision, as on disk; poses are double.
    """

    def __init__(self, scenes: Sequence[SceneMaps], device: torch.device) -> None:
        """Copy all there is of the scenes to the device."""
        self.device = device
        counts = np.array([len(scene) for scene in scenes])
        rows = np.array([len(scene.maps_NChw) for scene in scenes])
        firsts, first_rows = np.cumsum(counts) - counts, np.cumsum(rows) - rows
        shape = scenes[0].maps_NChw.shape[1:]
        self.maps_RChw = torch.empty(int(rows.sum()), *shape, dtype=torch.half, device=device)
        for scene, first in zip(scenes, first_rows.tolist()):
            part = torch.from_numpy(np.array(scene.maps_NChw))
            self.maps_RChw[first : first + len(part)].copy_(part)
        self.ray_S2hw = self._here([scene.ray_2hw for scene in scenes], stack=True)
        self.centres_N3 = self._here([scene.centres_N3 for scene in scenes])
        self.rotations_N33 = self._here([scene.rotations_N33 for scene in scenes])
        # Of each image its scene, how many that has, where its maps begin, and how many there are.
        self.scene_N, self.images_N, self.looks_N, self.row_N = (
            self._here([np.repeat(values, counts)])
            for values in (
                np.arange(len(scenes)),
                counts,
                np.array([scene.looks for scene in scenes]),
                first_rows - firsts,
            )
        )
        self.row_N += torch.arange(len(self.row_N), device=device)
        self.first_P = self._here([s.pairs.first_P + at for s, at in zip(scenes, firsts)])
        self.second_P = self._here([s.pairs.second_P + at for s, at in zip(scenes, firsts)])
        # Each scene is as likely as any other, whatever the number of its pairs.
        chances = np.concatenate([scene.pairs.chances() for scene in scenes])
        self.until_P = self._here([np.cumsum(chances / len(scenes))])

    def _here(self, parts: Sequence[np.ndarray], *, stack: bool = False) -> Tensor:
        joined = np.stack(parts) if stack else np.concatenate(parts)
        return torch.from_numpy(joined).to(self.device)

    def draw(self, count: int, generator: torch.Generator | None, *, mirrored: bool) -> Drawn:
        """Return so many pairs, each of a scene drawn by chance, as `DrawnPairs` draws them."""
        chance_5B = torch.rand(
            5, count, generator=generator, dtype=torch.double, device=self.device
        )
        pair_B = torch.searchsorted(self.until_P, chance_5B[0], right=True)
        pair_B = pair_B.clamp(max=len(self.until_P) - 1)
        first_B, second_B = self.first_P[pair_B], self.second_P[pair_B]
        swapped_B = chance_5B[1] < 0.5
        asked_B = torch.where(swapped_B, second_B, first_B)
        known_B = torch.where(swapped_B, first_B, second_B)
        return Drawn(
            asked_B,
            known_B,
            self.rows(asked_B, (chance_5B[2] * self.looks_N[asked_B]).long()),
            self.rows(known_B, (chance_5B[3] * self.looks_N[known_B]).long()),
            chance_5B[4] < (0.5 if mirrored else 0.0),
        )

    def rows(self, number_B: Tensor, look_B: Tensor | int = 0) -> Tensor:
        """Return where the maps of images are, at a look of theirs."""
        return self.row_N[number_B] + look_B * self.images_N[number_B]

    def batch(self, drawn: Drawn) -> PairBatch:
        """Return the pairs as `batch_of` does."""
        asked_B, known_B = drawn.asked_B, drawn.known_B
        poses = PosesAsked(
            self.centres_N3[asked_B],
            self.rotations_N33[asked_B],
            self.centres_N3[known_B],
            self.rotations_N33[known_B],
        )
        sides = [
            Side(self.maps_RChw[row_B].float(), self.ray_S2hw[self.scene_N[number_B]])
            for number_B, row_B in (
                (asked_B, drawn.asked_row_B),
                (known_B, drawn.known_row_B),
            )
        ]
        return pair_batch(*sides, poses, drawn.mirrored_B)


class ResidentPairs(Pairs[ResidentScenes]):
    """Pairs of scenes on a device, a batch in one drawing."""

    def __getitems__(self, indices: Sequence[int]) -> PairBatch:
        """Return a batch; torch's loader calls this instead of one by one."""
        generator = None
        if self._seed is not None:
            generator = torch.Generator(self._scenes.device)
            generator.manual_seed(2**32 * self._seed + indices[0])
        drawn = self._scenes.draw(len(indices), generator, mirrored=self._mirrored)
        return self._scenes.batch(drawn)
