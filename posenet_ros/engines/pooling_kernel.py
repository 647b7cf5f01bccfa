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

"""The kernel of `ChannelsLastMaxPool`. Triton, which it is imported with, is not everywhere."""

import triton
from triton import language as tl


@triton.jit
def max_pool(
    source,
    target,
    numbers,
    channels,
    height,
    width,
    high,
    wide,
    SIDE: tl.constexpr,
    STRIDE: tl.constexpr,
    PADDING: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Write the maxima of windows (B, high, wide, C) in images (B, height, width, C)."""
    number = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = number < numbers
    channel = number % channels
    pixel = number // channels
    column = pixel % wide
    pixel = pixel // wide
    row = pixel % high
    image = pixel // high
    most = tl.full((BLOCK,), float('-inf'), tl.float32)
    for i in tl.static_range(SIDE):
        for j in tl.static_range(SIDE):
            y = row * STRIDE - PADDING + i
            x = column * STRIDE - PADDING + j
            inside = there & (y >= 0) & (y < height) & (x >= 0) & (x < width)
            at = ((image * height + y) * width + x) * channels + channel
            value = tl.load(source + at, mask=inside, other=float('-inf'))
            most = tl.maximum(most, value.to(tl.float32))
    tl.store(target + number, most.to(target.dtype.element_ty), mask=there)
