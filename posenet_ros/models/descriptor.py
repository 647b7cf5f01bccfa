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

"""What the heads see of an image: the trunk's maps, averaged over the cells of a grid."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn, Tensor
from torch.nn import functional


class GridDescriptor(nn.Module):
    """
    Maps of one level or several (B, C, h, w) to one vector (B, `width`) an image.

    Each map is averaged over a grid of `pool` x `pool` cells. `standardised`, each level is
    brought to unit length, so that no lighting counts, and then centred and scaled by what
    `measure` found on training images, so that all levels weigh the same.
    """

    mean_D: Tensor
    scale_D: Tensor

    def __init__(self, channels: Sequence[int], pool: int, *, standardised: bool = False) -> None:
        """Take the depth of each level's map."""
        super().__init__()
        self._widths = [depth * pool**2 for depth in channels]
        self.width = sum(self._widths)
        self.pool = nn.AdaptiveAvgPool2d(pool)
        self.standardised = standardised
        if standardised:
            self.register_buffer('mean_D', torch.zeros(self.width))
            self.register_buffer('scale_D', torch.ones(self.width))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Describe a batch of images by their maps, one a level."""
        described = self.unscaled(maps)
        return (described - self.mean_D) * self.scale_D if self.standardised else described

    def unscaled(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the vectors before they are centred and scaled."""
        levels = [torch.flatten(self.pool(map_BChw), 1) for map_BChw in maps]
        if self.standardised:
            levels = [functional.normalize(level.float(), dim=1) for level in levels]
        return torch.cat(levels, dim=1)

    def measure(self, unscaled_ND: Tensor) -> None:
        """Centre on these vectors, and scale each level to a mean square length of one."""
        self.mean_D.copy_(unscaled_ND.mean(dim=0))
        spread = (unscaled_ND - self.mean_D).square().mean(dim=0)
        for part, level in zip(self.scale_D.split(self._widths), spread.split(self._widths)):
            part.fill_(float(level.sum().clamp(min=1e-12)) ** -0.5)
