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

"""A trunk that something else than its own layers computes: the one thing engines differ in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Sequence
import copy

from posenet_ros.models.backbones import Trunk
from posenet_ros.models.posenet import PoseNet
import torch
from torch import nn, Tensor


class FastTrunk(nn.Module, ABC):
    """
    Stands in for a network's trunk where it answers: maps of the same names, as float32.

    The heads stay as they are, in single precision: they are a hundredth of the work, and
    positions in half of it would be rounded to a thousandth of the scene. `detail` is what is to
    be known of how it runs here.
    """

    detail = ''

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names of the maps that `run` returns, in its order."""
        super().__init__()
        self._names = tuple(names)

    def maps(self, image_B3HW: Tensor, names: Container[str]) -> dict[str, Tensor]:
        """Return feature maps (B, C, h, w) by name, as `Trunk.maps` does."""
        found = zip(self._names, self.run(image_B3HW), strict=True)
        return {name: map_BChw.float() for name, map_BChw in found if name in names}

    @abstractmethod
    def run(self, image_B3HW: Tensor) -> Sequence[Tensor]:
        """Compute all maps of a batch."""


class Maps(nn.Module):
    """The maps of a trunk in a row, for what traces a module or compiles it."""

    def __init__(self, trunk: Trunk, names: Sequence[str]) -> None:
        """Take a trunk in evaluation mode, and the names of the maps."""
        super().__init__()
        self.trunk = trunk
        self._names = tuple(names)

    def forward(self, image_B3HW: Tensor) -> tuple[Tensor, ...]:
        """Return the maps (B, C, h, w) of a batch."""
        found = self.trunk.maps(image_B3HW, self._names)
        return tuple(found[name] for name in self._names)


def with_trunk(model: PoseNet, trunk: nn.Module) -> PoseNet:
    """Return a network for answering, with a model's heads on another trunk."""
    own, model.trunk = model.trunk, nn.Identity()
    try:
        other = copy.deepcopy(model)
    finally:
        model.trunk = own
    other.trunk = trunk
    # Kept in half precision on disk, it would be widened for each image anew.
    other.place.components_KD = other.place.components_KD.to(torch.float32)
    return other.eval()
