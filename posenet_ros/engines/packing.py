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

"""Convolutions of a graph in the layout that the CPU wants, with what follows them in one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from posenet_ros.engines.folding import fuse_activations
import torch
from torch import fx, nn, Tensor
from torch.nn import functional

# What oneDNN computes on the way out of a convolution: its name, and numbers that go with it.
_AFTER = {
    nn.ReLU: ('relu', ()),
    nn.ReLU6: ('hardtanh', (0.0, 6.0)),
    nn.Hardswish: ('hardswish', ()),
    nn.SiLU: ('swish', ()),
    functional.relu: ('relu', ()),
    torch.relu: ('relu', ()),
}


class PackedConvolution(nn.Module):
    """
    A convolution whose weights lie as oneDNN reads them, and an activation.

    As a layer of its own it would rearrange its weights for each image, and write all it found
    once more for the activation.
    """

    def __init__(
        self, layer: nn.Conv2d, shape_BCHW: Sequence[int], after: str, numbers: Sequence[float]
    ) -> None:
        """
        Take a layer, and what comes after it: the name that oneDNN has for it, or `none`.

        It takes batches of any shape; the layout is the best for `shape_BCHW`.
        """
        super().__init__()
        self._how = (list(layer.padding), list(layer.stride), list(layer.dilation), layer.groups)
        self._after = (after, list(numbers), '')
        # Of a layout without strides, which neither a buffer nor a copy can hold.
        self._packed = torch.ops.mkldnn._reorder_convolution_weight(
            layer.weight, *self._how, list(shape_BCHW)
        )
        self._bias = layer.bias

    def forward(self, value_BCHW: Tensor) -> Tensor:
        """Convolve a batch that lies channels last."""
        return torch.ops.mkldnn._convolution_pointwise(
            value_BCHW, self._packed, self._bias, *self._how, *self._after
        )


@torch.no_grad()
def packed(graph: fx.GraphModule, example_B3HW: Tensor) -> fx.GraphModule:
    """
    Return a graph with its convolutions packed, as suits an example of its input.

    Raises what torch does where it cannot.
    """
    shapes = _Shapes(graph)
    shapes.run(example_B3HW)

    def make(
        layer: nn.Conv2d, node: fx.Node, after: tuple[str, tuple[float, ...]] | None
    ) -> nn.Module:
        return PackedConvolution(layer, shapes.of[node.args[0]], *(after or ('none', ())))

    return fuse_activations(graph, _AFTER, make)


class _Shapes(fx.Interpreter):
    """Computes a graph and notes the shapes of its tensors; torch's own imports a compiler."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph)
        self.of: dict[fx.Node, torch.Size] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Compute a node."""
        value = super().run_node(n)
        if isinstance(value, Tensor):
            self.of[n] = value.shape
        return value
