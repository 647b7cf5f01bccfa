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

"""In what precision a device learns fastest."""

from __future__ import annotations

import torch


def half_precision() -> str:
    """Return Lightning's name of the half precision that the GPU computes in."""
    # Numbers of bfloat16 reach as far as those of float32, so that no gradient must be scaled and
    # no step waits to hear whether one overflowed.
    has_bfloat16 = torch.cuda.get_device_capability()[0] >= 8
    return 'bf16-mixed' if has_bfloat16 else '16-mixed'


def multiplies_bfloat16() -> bool:
    """
    Tell whether the CPU has units for products of such matrices (AMX).

    Convolutions are several times as fast there; other CPUs would only convert back and forth.
    """
    capabilities = getattr(torch.cpu, 'get_capabilities', dict)()
    return bool(capabilities.get('amx_bf16'))
