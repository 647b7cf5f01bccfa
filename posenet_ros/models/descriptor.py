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

# Places are compared by three levels on a grid of 2 x 2, which tells other rooms from dark or
# blurred views of this one, as the mean of the last map does not.
PLACE_LEVELS, PLACE_POOL = 3, 2
_LEAST = 1e-6
# Of a map that is averaged as a product, with a matrix of as many rows.
_MOST_CELLS = 4096


class GridDescriptor(nn.Module):
    """
    Maps of one level or several (B, C, h, w) to one vector (B, `width`) an image.

    Each map is averaged over a grid of `pool` x `pool` cells: by the mean, or with a `power` above
    1 by the generalised mean of what is positive (GeM: Radenovic, Tolias, Chum, 2018), in which
    what stands out counts for more. With `unit`, each level is brought to unit length, so that no
    level outweighs another, nor light darkness.
    """

    def __init__(
        self, channels: Sequence[int], pool: int, *, unit: bool = False, power: float = 1.0
    ) -> None:
        """Take the depth of each level's map."""
        super().__init__()
        self.widths = [depth * pool**2 for depth in channels]
        self.width = sum(self.widths)
        self.pool = nn.AdaptiveAvgPool2d(pool)
        self.unit = unit
        self.power = power
        self._shares: dict[tuple[torch.Size, torch.dtype, torch.device], Tensor] = {}

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Describe a batch of images by their maps, one a level."""
        return torch.cat([self.level(map_BChw) for map_BChw in maps], dim=1)

    def level(self, map_BChw: Tensor) -> Tensor:
        """Return the part of the vectors (B, C * cells) that is of one level."""
        pooled_BD = torch.flatten(self._pooled(map_BChw), 1)
        return functional.normalize(pooled_BD.float(), dim=1) if self.unit else pooled_BD

    def _pooled(self, map_BChw: Tensor) -> Tensor:
        if self.power == 1:
            return self._mean(map_BChw)
        raised = map_BChw.float().clamp(min=_LEAST) ** self.power
        return self._mean(raised) ** (1 / self.power)

    def _mean(self, map_BChw: Tensor) -> Tensor:
        """Return the means over cells; on a GPU as one product, which takes a tenth as long."""
        shape = map_BChw.shape[2:]
        precise = map_BChw.dtype in (torch.float32, torch.float16)
        by_product = map_BChw.is_cuda and precise and shape.numel() <= _MOST_CELLS
        if torch.is_grad_enabled() or not by_product:
            return self.pool(map_BChw)
        kind = shape, map_BChw.dtype, map_BChw.device
        if kind not in self._shares:
            # The mean of a map that is one at one pixel is what that pixel counts for.
            ones_NNhw = torch.eye(shape.numel()).view(1, -1, *shape)
            self._shares[kind] = self.pool(ones_NNhw).flatten(2)[0].to(map_BChw)
        return (map_BChw.flatten(2) @ self._shares[kind]).float()


class Standardised(nn.Module):
    """Centres vectors (B, D), and scales each level's part of them, as training images ask."""

    mean_D: Tensor
    scale_D: Tensor

    def __init__(self, widths: Sequence[int]) -> None:
        """Take the width of each level's part; change nothing until `measure`."""
        super().__init__()
        self._widths = list(widths)
        self.register_buffer('mean_D', torch.zeros(sum(widths)))
        self.register_buffer('scale_D', torch.ones(sum(widths)))

    def forward(self, value_BD: Tensor) -> Tensor:
        """Centre and scale."""
        return (value_BD - self.mean_D) * self.scale_D

    def measure(self, value_ND: Tensor) -> None:
        """Centre on these vectors, and scale each level to a mean square length of one."""
        self.mean_D.copy_(value_ND.mean(dim=0))
        spread = (value_ND - self.mean_D).square().mean(dim=0)
        for part, level in zip(self.scale_D.split(self._widths), spread.split(self._widths)):
            part.fill_(float(level.sum().clamp(min=1e-12)) ** -0.5)


class PlaceFeature(nn.Module):
    """
    What images are compared by: the cosine of two features tells how alike two places look.

    A standardised vector (B, D) of unit length is projected to the `width` directions in which
    the training images differ most. What it has besides is in none of them, so a feature is
    shorter than one by how little an image has to do with the training images, and its cosines
    with theirs are small.
    """

    components_KD: Tensor

    def __init__(self, widths: Sequence[int], width: int = 256) -> None:
        """Take the width of each level's part of the vectors; `measure` makes it of use."""
        super().__init__()
        self.width = width
        self.standardised = Standardised(widths)
        # Half precision: a direction is as good with three digits, and the file half as large.
        components = torch.zeros(width, sum(widths), dtype=torch.float16)
        self.register_buffer('components_KD', components)

    def forward(self, value_BD: Tensor) -> Tensor:
        """Return the features (B, K)."""
        unit_BD = functional.normalize(self.standardised(value_BD.float()), dim=1)
        return unit_BD @ self.components_KD.float().T

    def measure(self, value_ND: Tensor) -> None:
        """Take mean, scale and directions from what training images look like."""
        self.standardised.measure(value_ND)
        unit_ND = functional.normalize(self.standardised(value_ND), dim=1)
        _, _, directions = torch.linalg.svd(unit_ND, full_matrices=False)
        found = directions[: self.width]
        self.components_KD.zero_()
        self.components_KD[: len(found)] = found.half()
