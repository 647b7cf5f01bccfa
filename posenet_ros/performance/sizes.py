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

"""What the parts of a network take on disk."""

from __future__ import annotations

from collections.abc import Sequence

from posenet_ros.models.posenet import PoseNet
from torch import nn

# What each part of the network is called, and the parts of `PoseNet` that it is made of.
_PARTS = {
    'trunk': ('trunk',),
    'heads': ('localization', 'regressor', 'scene'),
    'place feature': ('place',),
}


def bytes_on_disk(model: PoseNet) -> dict[str, dict[str, int]]:
    """
    Return the bytes of a network that answers, in single and in half precision, by part.

    Without auxiliary heads; what is kept in half precision anyway counts as such in both. `pose`
    is the network without the feature that tells how new an image is.
    """
    found: dict[str, dict[str, int]] = {}
    for precision, widest in (('float32', 4), ('float16', 2)):
        parts = {
            part: sum(_bytes(each, widest) for each in _modules(model, names))
            for part, names in _PARTS.items()
        }
        pose = parts['trunk'] + parts['heads']
        found[precision] = {**parts, 'pose': pose, 'whole': pose + parts['place feature']}
    return found


def _modules(model: PoseNet, names: Sequence[str]) -> list[nn.Module]:
    """Return those of the modules that the network has."""
    found = [getattr(model, name) for name in names]
    return [module for module in found if module is not None]


def _bytes(module: nn.Module, widest: int) -> int:
    return sum(
        value.numel() * min(value.element_size(), widest)
        for value in module.state_dict().values()
        if value.is_floating_point()
    )
