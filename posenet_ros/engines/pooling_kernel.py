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
    pixels,
    channels,
    height,
    width,
    high,
    wide,
    SIDE: tl.constexpr,
    STRIDE: tl.constexpr,
    PADDING: tl.constexpr,
    PIXELS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    """
    Write the maxima of windows (B, high, wide, C) in images (B, height, width, C).

    Unlike torch's they are of the numbers in a window, where not all are NaN.
    """
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    there = (pixel < pixels)[:, None] & (channel < channels)[None, :]
    column = pixel % wide
    row = (pixel // wide) % high
    image = pixel // (wide * high)
    most = tl.full((PIXELS, CHANNELS), float('-inf'), tl.float32)
    for i in tl.static_range(SIDE):
        for j in tl.static_range(SIDE):
            y = row * STRIDE - PADDING + i
            x = column * STRIDE - PADDING + j
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            at = ((image * height + y) * width + x)[:, None] * channels + channel[None, :]
            value = tl.load(source + at, mask=there & inside[:, None], other=float('-inf'))
            most = tl.maximum(most, value.to(tl.float32))
    at = pixel[:, None] * channels + channel[None, :]
    tl.store(target + at, most.to(target.dtype.element_ty), mask=there)
