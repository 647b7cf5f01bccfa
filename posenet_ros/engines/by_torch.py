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

"""The trunk by torch itself on the CPU: batch norms folded, channels last, weights packed."""

from __future__ import annotations

from collections.abc import Sequence

from posenet_ros.engines.folding import folded
from posenet_ros.engines.packing import packed
from posenet_ros.engines.trunk import FastTrunk
from posenet_ros.models.posenet import PoseNet
import torch
from torch import fx, Tensor

# What builds of torch raise that lack the operators of `packing`, or have them with others.
_UNPACKABLE = (AttributeError, NotImplementedError, RuntimeError, TypeError)


class TorchTrunk(FastTrunk):
    """
    A trunk as a graph that torch runs, on images that lie channels last.

    In that layout oneDNN's convolutions read a pixel's channels in one go. The weights lie as they
    want them, but with builds of torch that cannot do that, which `detail` tells.
    """

    def __init__(
        self, model: PoseNet, size: tuple[int, int], dtype: torch.dtype = torch.float32
    ) -> None:
        """
        Make the graph of a model's trunk; it computes in `dtype`.

        It is fastest on single images of `size` (height, width).
        """
        super().__init__(model.map_names)
        graph = folded(model.trunk, model.map_names).to(dtype)
        self._dtype = dtype
        example = torch.zeros(1, 3, *size, dtype=dtype).to(memory_format=torch.channels_last)
        self._graph, is_packed = _packed_where_possible(graph, example)
        self.detail = ', weights packed' if is_packed else ', weights as they are'

    def run(self, image_B3HW: Tensor) -> Sequence[Tensor]:
        """Compute all maps of a batch."""
        image = image_B3HW.to(self._dtype, memory_format=torch.channels_last)
        return self._graph(image)


def _packed_where_possible(
    graph: fx.GraphModule, example_B3HW: Tensor
) -> tuple[fx.GraphModule, bool]:
    # Operators that inductor uses and torch does not promise to keep: tried once.
    try:
        graph_packed = packed(graph, example_B3HW)
        with torch.inference_mode():
            graph_packed(example_B3HW)
    except _UNPACKABLE:
        return graph.to(memory_format=torch.channels_last), False
    return graph_packed, True
