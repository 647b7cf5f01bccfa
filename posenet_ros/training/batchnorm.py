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

"""Undo the folding of batch normalisation, which trunks made for deployment come with."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn, Tensor

_LEAST_VARIANCE = 1e-6


def is_folded(trunk: nn.Module) -> bool:
    """
    Tell whether the running statistics of all batch norms are those of no data at all.

    So it is where the statistics were folded into the convolutions, and also in a network with
    random weights, which `unfold_batch_norms` must not be applied to.
    """
    norms = _norms(trunk)
    return bool(norms) and all(
        not norm.running_mean.any() and (norm.running_var == 1).all() for norm in norms
    )


@torch.no_grad()
def unfold_batch_norms(trunk: nn.Module, images: Iterable[Tensor]) -> None:
    """
    Give folded batch norms the statistics of these images, and change nothing else.

    In evaluation mode a folded norm only adds its bias, and the trunk computes what it was
    trained to. In training mode it would normalise by the batch, with a scale and bias made
    for no such thing, and most of what was learned is lost at the first step. So each norm's
    mean and variance are measured on `images` (batches (B, 3, H, W)), and its scale and bias
    set such that its output stays the same: both modes then agree.
    """
    norms = _norms(trunk)
    sums = {
        norm: torch.zeros(
            2, norm.num_features, dtype=torch.float64, device=norm.running_mean.device
        )
        for norm in norms
    }
    counts = dict.fromkeys(norms, 0)

    def measure(norm: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
        value = inputs[0].double()
        sums[norm] += torch.stack([value.sum(dim=(0, 2, 3)), (value**2).sum(dim=(0, 2, 3))])
        counts[norm] += value.numel() // norm.num_features

    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    was_training = trunk.training
    trunk.eval()
    for image_B3HW in images:
        trunk(image_B3HW)
    trunk.train(was_training)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        mean, square = sums[norm] / counts[norm]
        variance = (square - mean**2).clamp(min=_LEAST_VARIANCE)
        _restate(norm, mean.float(), variance.float())


def _restate(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Write the affine map that a norm is in evaluation mode with another mean and variance."""
    slope = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    offset = norm.bias - slope * norm.running_mean
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_(slope * torch.sqrt(variance + norm.eps))
    norm.bias.copy_(offset + slope * mean)


def _norms(trunk: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in trunk.modules() if isinstance(module, nn.BatchNorm2d)]
