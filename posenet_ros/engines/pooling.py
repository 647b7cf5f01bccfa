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

"""Maximum pooling where channels come last, by Triton: torch's own is slow on few images."""

from __future__ import annotations

from contextlib import nullcontext
import importlib.util

import torch
from torch import nn, Tensor

# What one block of threads finds.
_PIXELS, _CHANNELS = 16, 64


class ChannelsLastMaxPool(nn.Module):
    """
    A layer of maximum pooling for batches on a GPU that lie channels last.

    torch's own also notes where each maximum was, eight bytes a number, and puts one image's on
    few of a GPU's processors. Where there is no Triton it is torch's own.
    """

    def __init__(self, layer: nn.MaxPool2d) -> None:
        """Take over a layer with square windows without dilation; see `can_take_over`."""
        super().__init__()
        self._layer = layer
        self._by_triton = importlib.util.find_spec('triton') is not None

    def forward(self, value_BChw: Tensor) -> Tensor:
        """Pool a batch."""
        last = value_BChw.is_contiguous(memory_format=torch.channels_last)
        if not (self._by_triton and value_BChw.is_cuda and last):
            return self._layer(value_BChw)
        return self._pooled(value_BChw)

    def _pooled(self, value_BChw: Tensor) -> Tensor:
        from posenet_ros.engines.pooling_kernel import max_pool

        count, channels, height, width = value_BChw.shape
        high, wide = (self._length(side) for side in (height, width))
        target = torch.empty(
            (count, channels, high, wide),
            dtype=value_BChw.dtype,
            device=value_BChw.device,
            memory_format=torch.channels_last,
        )
        pixels = count * high * wide
        layer = self._layer
        # Triton starts what it makes on the current device, whatever the memory is of.
        with torch.cuda.device(value_BChw.device) if value_BChw.is_cuda else nullcontext():
            max_pool[(-(-pixels // _PIXELS), -(-channels // _CHANNELS))](
                value_BChw,
                target,
                pixels,
                channels,
                height,
                width,
                high,
                wide,
                SIDE=layer.kernel_size,
                STRIDE=layer.stride,
                PADDING=layer.padding,
                PIXELS=_PIXELS,
                CHANNELS=_CHANNELS,
            )
        return target

    def _length(self, side: int) -> int:
        """Return how many windows there are along a side, as torch counts them."""
        layer = self._layer
        free = side + 2 * layer.padding - layer.kernel_size
        if not layer.ceil_mode:
            return free // layer.stride + 1
        windows = -(-free // layer.stride) + 1
        # The last one must begin within the image or the padding before it.
        return windows - ((windows - 1) * layer.stride >= side + layer.padding)


def can_take_over(layer: nn.MaxPool2d) -> bool:
    """Tell whether `ChannelsLastMaxPool` knows what a layer does."""
    plain = all(isinstance(v, int) for v in (layer.kernel_size, layer.stride, layer.padding))
    return plain and layer.dilation == 1 and not layer.return_indices


def triton_failures() -> tuple[type[Exception], ...]:
    """Return what Triton raises of its own, nothing where it is not there."""
    try:
        from triton.errors import TritonError
    except ImportError:
        return ()
    return (TritonError,)
