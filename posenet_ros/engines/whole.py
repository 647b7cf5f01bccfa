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

"""A network as other programs take it: images in, poses out, nothing of ours needed."""

from __future__ import annotations

from collections.abc import Sequence
import copy

from posenet_ros.engines.folding import folded
from posenet_ros.engines.trunk import FastTrunk, with_trunk
from posenet_ros.models.posenet import PoseNet
import torch
from torch import fx, nn, Tensor

IMAGE = 'image_B3HW'
# Smaller ones, depthwise convolutions and biases among them, cost no room and the most accuracy:
# of MobileNetV2 they are a hundredth of the weights, and nine tenths of what rounding does.
FEWEST_HALVED = 16_384
POSE = ('position_B3', 'quaternion_wxyz_B4')
FEATURE = 'feature_BK'
# How sure a scene head is of its poses.
INFORMATION = 'information_B66'
# What a scene head makes its poses of; see `SceneAnswer`.
SCENE = ('start_B3', 'start_wxyz_B4', 'point_BC3', 'error_BC')


class GraphTrunk(FastTrunk):
    """A trunk as a graph that has no batch norms, computed as it is."""

    def __init__(self, names: Sequence[str], graph: fx.GraphModule) -> None:
        """Take a graph that returns the maps of these names."""
        super().__init__(names)
        self.graph = graph

    def run(self, image_B3HW: Tensor) -> Sequence[Tensor]:
        """Compute all maps of a batch."""
        return self.graph(image_B3HW)


class Whole(nn.Module):
    """A network whose answers are plain tensors, named in `outputs`."""

    def __init__(self, model: PoseNet, *, pose_only: bool) -> None:
        """Take a network for answering."""
        super().__init__()
        self.model = model
        self.outputs = POSE if pose_only else (*POSE, FEATURE)
        if model.scene is not None:
            self.outputs = (*self.outputs, INFORMATION, *SCENE)

    def forward(self, image_B3HW: Tensor) -> tuple[Tensor, ...]:
        """Answer a batch of images as `Preprocessing` makes them."""
        found = self.model(image_B3HW)
        return tuple(
            getattr(found.scene if name in SCENE else found, name) for name in self.outputs
        )


def without_norms(model: PoseNet) -> PoseNet:
    """Return a network for answering that computes the same without batch norms."""
    trunk = GraphTrunk(model.map_names, folded(model.trunk, model.map_names))
    return with_trunk(model, trunk)


@torch.no_grad()
def rounded(model: PoseNet) -> PoseNet:
    """
    Return a network with weights as half precision has them, which still computes in single.

    Tensors of less than FEWEST_HALVED numbers stay as they are.
    """
    other = copy.deepcopy(model)
    for value in other.state_dict().values():
        if value.is_floating_point() and value.numel() >= FEWEST_HALVED:
            value.copy_(value.half())
    return other
