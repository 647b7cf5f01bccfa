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

"""A trunk as a graph without batch norms, which is what engines are made of."""

from __future__ import annotations

from collections.abc import Sequence
import copy

from posenet_ros.engines.trunk import Maps
from posenet_ros.models.backbones import Trunk
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def folded(trunk: Trunk, names: Sequence[str]) -> fx.GraphModule:
    """
    Return a trunk as a graph from images (B, 3, H, W) to the maps of these names.

    A batch norm after a convolution is an affine map of each channel once it is trained: it goes
    into the weights. The trunk keeps its own; what is returned is for answering only.
    """
    graph = fx.symbolic_trace(Maps(copy.deepcopy(trunk).eval(), names))
    modules = dict(graph.named_modules())
    for node in list(graph.graph.nodes):
        norm = modules.get(node.target) if node.op == 'call_module' else None
        if not isinstance(norm, nn.BatchNorm2d):
            continue
        before = node.args[0]
        convolution = modules.get(before.target) if before.op == 'call_module' else None
        # What else looks at the convolution sees it without the norm.
        if isinstance(convolution, nn.Conv2d) and len(before.users) == 1:
            graph.set_submodule(before.target, fuse_conv_bn_eval(convolution, norm))
            node.replace_all_uses_with(before)
            graph.graph.erase_node(node)
    graph.delete_all_unused_submodules()
    graph.recompile()
    return graph.eval().requires_grad_(requires_grad=False)
