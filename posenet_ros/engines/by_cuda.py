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

"""The trunk on CUDA: batch norms folded, few steps, and those side by side that can be."""

from __future__ import annotations

from collections.abc import Container, Sequence
import copy
import subprocess
from typing import Any

from posenet_ros.engines.folding import folded, fuse_activations
from posenet_ros.engines.pooling import can_take_over, ChannelsLastMaxPool, triton_failures
from posenet_ros.engines.trunk import FastTrunk
from posenet_ros.models.posenet import PoseNet
import torch
from torch import fx, nn, Tensor
from torch.nn import functional

_RELU = {nn.ReLU: True, functional.relu: True, torch.relu: True}
_CHANNELS = 4
# What cuDNN raises that has not all pairs of steps for all GPUs, and Triton without a compiler,
# or with one that does not know the GPU.
_FAILURES = (RuntimeError, OSError, ValueError, LookupError, TypeError, AttributeError)
_FAILURES += (ImportError, subprocess.SubprocessError)
# Of more images at a time each step fills the GPU by itself, and all would be in memory at once.
_MOST_SIDE_BY_SIDE = 8


class CudaTrunk(FastTrunk):
    """
    A trunk as a graph on a GPU, in the layout in which its convolutions are fastest there.

    In half precision channels come last, as tensor cores want them. In single precision, where
    products are of 24 bits and not of the 11 that torch's own convolutions have on GPUs, planes
    do. While it is recorded (see `Replay`), branches of the network are put side by side. It is
    fastest on images of `dtype` with so many `channels`, those beyond three of zeros.
    """

    def __init__(
        self, model: PoseNet, size: tuple[int, int], dtype: torch.dtype = torch.float32
    ) -> None:
        """Make the graph of a model's trunk on its device, computing in `dtype`."""
        super().__init__(model.map_names)
        plain = folded(model.trunk, model.map_names)
        device = next(plain.parameters()).device
        exact = dtype == torch.float32
        self.dtype = dtype
        self.channels = 3 if exact else widen_input(plain)
        self._layout = torch.contiguous_format if exact else torch.channels_last
        self._graph, self.detail = self._fastest_that_runs(
            plain, torch.zeros(1, 3, *size, device=device)
        )
        self._side_by_side = SideBySide(self._graph) if device.type == 'cuda' else None

    def _fastest_that_runs(
        self, plain: fx.GraphModule, example_B3HW: Tensor
    ) -> tuple[fx.GraphModule, str]:
        """Return the graph with as much in one step as runs here, and what does not."""
        why = ''
        joined = fuse_activations(plain, _RELU, _convolution_with_relu)
        pooling = [] if self._layout == torch.contiguous_format else [_with_pooling(joined)]
        for graph in (*pooling, joined):
            ready = graph.to(self.dtype, memory_format=self._layout)
            try:
                with torch.inference_mode():
                    self._run(ready, example_B3HW)
            except (*_FAILURES, *triton_failures()) as error:
                reason = str(error).strip() or type(error).__name__
                why = f', not all in one step ({reason.splitlines()[0]})'
            else:
                return ready, why
        return plain.to(self.dtype, memory_format=self._layout), why

    def maps(self, image_B3HW: Tensor, names: Container[str]) -> dict[str, Tensor]:
        """
        Return feature maps (B, C, h, w) by name, in the precision that they are computed in.

        Not widened as other engines' are: what describes maps does that with what is left of them.
        """
        found = zip(self._names, self.run(image_B3HW), strict=True)
        return {name: map_BChw for name, map_BChw in found if name in names}

    def run(self, image_B3HW: Tensor) -> Sequence[Tensor]:
        """Compute all maps of a batch, of images with three channels or `channels`."""
        return self._run(self._graph, image_B3HW)

    def _run(self, graph: fx.GraphModule, image_B3HW: Tensor) -> Sequence[Tensor]:
        more = self.channels - image_B3HW.shape[1]
        image = functional.pad(image_B3HW, (0, 0, 0, 0, 0, more)) if more else image_B3HW
        image = image.to(self.dtype, memory_format=self._layout)
        how = {'enabled': True, 'benchmark': True, 'allow_tf32': False}
        with torch.backends.cudnn.flags(**how):
            recorded = image.is_cuda and torch.cuda.is_current_stream_capturing()
            if recorded and len(image) <= _MOST_SIDE_BY_SIDE:
                return self._side_by_side.run(image)
            return graph(image)


class ReluConvolution(nn.Module):
    """A convolution and the ReLU after it, in one step on a GPU."""

    def __init__(self, layer: nn.Conv2d) -> None:
        """Take over a layer."""
        super().__init__()
        self._layer = layer
        self._how = (layer.stride, layer.padding, layer.dilation, layer.groups)

    def forward(self, value_BCHW: Tensor) -> Tensor:
        """Convolve a batch."""
        if not value_BCHW.is_cuda:
            return functional.relu(self._layer(value_BCHW))
        weight, bias = self._layer.weight, self._layer.bias
        return torch.cudnn_convolution_relu(value_BCHW, weight, bias, *self._how)


class SideBySide(fx.Interpreter):
    """
    Puts the nodes of a graph on several CUDA streams, each after what it needs and not before.

    For recording only: everything that is computed stays in memory until the end. A node goes on
    in the lane of an input that nothing else has followed in yet, else in one whose last
    node it has to wait for anyway, else in a new one.
    """

    def __init__(self, graph: fx.GraphModule) -> None:
        """Plan the lanes."""
        super().__init__(graph, garbage_collect_values=False)
        self.lane_of = lanes(graph.graph)
        self._streams: list[torch.cuda.Stream] = []
        self._done: dict[fx.Node, torch.cuda.Event] = {}

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the graph on the current stream and others, which are joined at the end."""
        main = torch.cuda.current_stream()
        others = range(max(self.lane_of.values(), default=0))
        self._streams = [main, *(torch.cuda.Stream(main.device) for _ in others)]
        try:
            return super().run(*args, **kwargs)
        finally:
            for side in self._streams[1:]:
                main.wait_stream(side)
            self.env, self._done = {}, {}

    def run_node(self, n: fx.Node) -> Any:
        """Compute a node in its lane."""
        lane = self.lane_of[n]
        stream = self._streams[lane]
        for before in n.all_input_nodes:
            if self.lane_of[before] != lane:
                stream.wait_event(self._done[before])
        with torch.cuda.stream(stream):
            value = super().run_node(n)
        if any(self.lane_of[after] != lane for after in n.users):
            self._done[n] = stream.record_event()
        return value


def lanes(graph: fx.Graph) -> dict[fx.Node, int]:
    """Return a lane for each node, as `SideBySide` tells; the first and the last are in lane 0."""
    lane_of: dict[fx.Node, int] = {}
    last: list[fx.Node] = []
    before: dict[fx.Node, set[fx.Node]] = {}
    for node in graph.nodes:
        inputs = node.all_input_nodes
        before[node] = {node, *inputs}.union(*(before[each] for each in inputs))
        free = [lane for lane, tail in enumerate(last) if tail in before[node]]
        own = [lane_of[each] for each in inputs if last[lane_of[each]] is each]
        new = len(last) if inputs else 0
        lane = 0 if node.op == 'output' else min(own or free, default=new)
        if lane == len(last):
            last.append(node)
        lane_of[node], last[lane] = lane, node
    return lane_of


def _convolution_with_relu(layer: nn.Conv2d, node: fx.Node, after: bool | None) -> nn.Module:
    plain = layer.padding_mode == 'zeros' and not isinstance(layer.padding, str)
    # Of depthwise ones torch has its own, which are faster.
    return ReluConvolution(layer) if after and plain and layer.groups == 1 else None


def widen_input(graph: fx.GraphModule) -> int:
    """
    Give the first convolutions a fourth channel, which counts for nothing; return the channels.

    Tensor cores take pixels of four halves; those of three are filled up first. Where something
    else than convolutions looks at the image, nothing changes.
    """
    image = next(iter(graph.graph.nodes))
    modules = dict(graph.named_modules())
    first = [modules.get(user.target) for user in image.users if user.op == 'call_module']
    plain = len(first) == len(image.users)
    if not plain or not all(isinstance(e, nn.Conv2d) and e.groups == 1 for e in first):
        return 3
    for layer in first:
        layer.weight = nn.Parameter(
            functional.pad(layer.weight, (0, 0, 0, 0, 0, _CHANNELS - 3)), requires_grad=False
        )
        layer.in_channels = _CHANNELS
    return _CHANNELS


def _with_pooling(graph: fx.GraphModule) -> fx.GraphModule:
    """Return a graph whose maximum pooling suits channels that come last."""
    other = copy.deepcopy(graph)
    for name, layer in list(other.named_modules()):
        if isinstance(layer, nn.MaxPool2d) and can_take_over(layer):
            other.set_submodule(name, ChannelsLastMaxPool(layer))
    return other
