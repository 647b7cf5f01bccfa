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

"""
A trunk as a graph without batch norms, which is what engines are made of.

And with convolutions that do more than one step, where an engine has such.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import copy
from typing import Any, TypeVar

from posenet_ros.engines.trunk import Maps
from posenet_ros.models.backbones import Trunk
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

After = TypeVar('After')


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


def fuse_activations(
    graph: fx.GraphModule,
    known: Mapping[Any, After],
    make: Callable[[nn.Conv2d, fx.Node, After | None], nn.Module | None],
) -> fx.GraphModule:
    """
    Return a graph in which `make` has made something else of each convolution, or left it.

    It is told the layer, its node in the graph that was given, and what `known` has of the
    activation that follows, which is a class of modules or a function there; None where none does
    or others look at the convolution before. An activation is left out after what was made.
    """
    other = copy.deepcopy(graph)
    modules = dict(other.named_modules())
    for given, node in zip(list(graph.graph.nodes), list(other.graph.nodes), strict=True):
        layer = modules.get(node.target) if node.op == 'call_module' else None
        if not isinstance(layer, nn.Conv2d):
            continue
        user = next(iter(node.users))
        alone = len(node.users) == 1
        after = known.get(_what(user, modules)) if alone else None
        made = make(layer, given, after)
        if made is None:
            continue
        if after is not None:
            user.replace_all_uses_with(node)
            other.graph.erase_node(user)
        other.set_submodule(node.target, made)
    other.delete_all_unused_submodules()
    other.recompile()
    return other


def _what(node: fx.Node, modules: Mapping[str, nn.Module]) -> Any:
    """Return the function that a node calls, or the class of its module."""
    if node.op == 'call_module':
        return type(modules[node.target])
    return node.target if node.op == 'call_function' else None
