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

"""Images to maps of one of the trunk's scales, whatever camera took them."""

from __future__ import annotations

from collections.abc import Sequence
import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError
from posenet_ros.models.backbones import Trunk
from posenet_ros.models.descriptor import GridDescriptor, PLACE_LEVELS, PLACE_POOL
from posenet_ros.models.relative import Cells
import torch
from torch import nn, Tensor
from torch.nn import functional

# Width and height to which every image is brought, whole: cells are told by their rays, so that
# it does not matter that one of another shape is squeezed.
SIZE = (256, 192)
# Of the generalised mean; 3 is usual.
_POWER = 3.0


class TrunkMaps(nn.Module):
    """
    The trunk as far as one of its scales, as it came: it does not learn, and batch norms stay.

    `level` counts from the coarsest scale, 1. Of `scales` scales, this and coarser ones, maps lie
    upon each other: the finest tells where something is, a coarse one what it is. `channels` is
    the depth of the maps, and `cells` say where in the image each of their cells looks.
    `place_widths` are those of the parts of what it says of an image as a whole.
    """

    def __init__(self, trunk: Trunk, level: int, scales: int = 1) -> None:
        """Take a trunk; raise ConfigError where it has fewer scales."""
        super().__init__()
        if not 1 <= scales <= level:
            raise ConfigError(f'of level {level} and coarser there are not {scales} scales')
        chosen = dict(list(trunk.levels(level).items())[:scales])
        self.trunk = trunk.requires_grad_(False).eval()
        self.channels = sum(chosen.values())
        self.level = level
        self._names = tuple(chosen)
        compared = trunk.levels(PLACE_LEVELS)
        self._compared = tuple(compared)
        self._descriptor = GridDescriptor(
            [*compared.values()], PLACE_POOL, unit=True, power=_POWER
        )
        self.place_widths = tuple(self._descriptor.widths)
        mean, std = trunk.backbone.mean, trunk.backbone.std
        self.register_buffer('mean_311', torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer('std_311', torch.tensor(std).view(3, 1, 1), persistent=False)
        self.cells = self._measured_cells()

    def measure_cells(self) -> None:
        """Find again where cells look, after other weights were loaded."""
        self.cells = self._measured_cells()

    def _measured_cells(self) -> Cells:
        """
        Measure where cells look.

        A cell is centred where the gradient of what it says is, in the mean over channels; of two
        in the middle, which no border cuts, that tells the first and the step.
        """
        image = torch.rand(1, 3, SIZE[1], SIZE[0], generator=torch.Generator().manual_seed(0))
        image.requires_grad_(True)
        with torch.enable_grad():
            name = self._names[0]
            map_Chw = self.trunk.maps(image, {name})[name][0]
            height, width = map_Chw.shape[1:]
            step = SIZE[0] / width
            row, column = height // 2, width // 2
            (gradient_1CHW,) = torch.autograd.grad(map_Chw[:, row, column].square().sum(), image)
        weight_HW = gradient_1CHW[0].square().sum(dim=0)
        weight_HW = weight_HW / weight_HW.sum().clamp(min=1e-30)
        x = float((weight_HW.sum(dim=0) * torch.arange(SIZE[0])).sum()) - step * column
        y = float((weight_HW.sum(dim=1) * torch.arange(SIZE[1])).sum()) - step * row
        return Cells((height, width), SIZE, (x, y), step)

    @property
    def sha256(self) -> str:
        """What tells it from another: its weights, and which scale of which images it maps."""
        told = hashlib.sha256(f'{" ".join(self._names)} {SIZE}'.encode())
        for name, value in sorted(self.trunk.state_dict().items()):
            told.update(name.encode() + value.cpu().numpy().tobytes())
        return told.hexdigest()

    def train(self, mode: bool = True) -> TrunkMaps:
        """Stay as it is."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, rgb_B3HW: Tensor) -> tuple[Tensor, Tensor]:
        """
        Return maps (B, C, h, w) of images uint8 of `SIZE`, and the images as a whole (B, D).

        The latter are what PoseNet's place feature is made of, maps of three scales, averaged
        over a grid (see `PlaceFeature`), but by the generalised mean.
        """
        image_B3HW = (rgb_B3HW.float() / 255 - self.mean_311) / self.std_311
        maps = self.trunk.maps(image_B3HW, {*self._names, *self._compared})
        whole_BD = self._descriptor([maps[name] for name in self._compared])
        return _upon_each_other([maps[name] for name in self._names]), whole_BD


def _upon_each_other(maps: Sequence[Tensor]) -> Tensor:
    """
    Return maps of several scales, the finest first, as one of the finest's cells.

    Cell i of a map looks where cell 2 i of the next finer one does, and what is asked for between
    two cells lies between what they say.
    """
    finest = maps[0]
    height, width = finest.shape[2:]
    parts = [finest]
    for coarse in maps[1:]:
        times = [fine // cells for fine, cells in zip((height, width), coarse.shape[2:])]
        one_more = functional.pad(coarse, (0, 1, 0, 1), mode='replicate')
        size = [factor * cells + 1 for factor, cells in zip(times, coarse.shape[2:])]
        between = functional.interpolate(one_more, size, mode='bilinear', align_corners=True)
        parts.append(between[:, :, :height, :width])
    return torch.cat(parts, dim=1) if len(parts) > 1 else finest


def resized(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image uint8 (H, W, 3) in `SIZE`."""
    return cv2.resize(rgb, SIZE, interpolation=cv2.INTER_AREA)


def stacked(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Return images uint8 (H, W, 3) of any sizes as one tensor (B, 3, H, W) of `SIZE`."""
    return torch.from_numpy(np.stack([resized(rgb) for rgb in images])).permute(0, 3, 1, 2)
