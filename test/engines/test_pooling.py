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

"""Maximum pooling as torch has it; the kernel itself by Triton's interpreter."""

import importlib.util
import os
import subprocess
import sys

from posenet_ros.engines.pooling import can_take_over, ChannelsLastMaxPool
import pytest
import torch
from torch import nn

CASES = [(3, 2, 0, True), (3, 1, 1, True), (2, 2, 0, True), (3, 2, 1, False), (3, 2, 1, True)]
SCRIPT = """
import torch
from posenet_ros.engines.pooling import ChannelsLastMaxPool
for side, stride, padding, ceil in {cases}:
    layer = torch.nn.MaxPool2d(side, stride, padding, ceil_mode=ceil)
    for shape in ((2, 5, 13, 16), (1, 80, 7, 9)):
        value = torch.randn(shape).to(memory_format=torch.channels_last)
        found = ChannelsLastMaxPool(layer)._pooled(value)
        assert torch.equal(found, layer(value)), (side, stride, padding, ceil, shape)
print('all the same')
"""


@pytest.mark.skipif(not importlib.util.find_spec('triton'), reason='there is no Triton here')
def test_the_kernel_finds_what_torch_finds():
    asked = [sys.executable, '-c', SCRIPT.format(cases=CASES)]
    told = subprocess.run(
        asked,
        env={**os.environ, 'TRITON_INTERPRET': '1'},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.stdout == 'all the same\n', told.stderr


def test_elsewhere_it_is_torchs_own():
    layer = nn.MaxPool2d(3, 2, ceil_mode=True)
    value = torch.randn(1, 4, 9, 9)
    assert torch.equal(ChannelsLastMaxPool(layer)(value), layer(value))


@pytest.mark.parametrize(
    'layer',
    [
        nn.MaxPool2d((3, 2)),
        nn.MaxPool2d(3, dilation=2),
        nn.MaxPool2d(3, return_indices=True),
    ],
)
def test_other_layers_stay(layer):
    assert not can_take_over(layer)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU')
@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('dtype', [torch.float16, torch.float32])
def test_on_a_gpu(case, dtype):
    side, stride, padding, ceil = case
    layer = nn.MaxPool2d(side, stride, padding, ceil_mode=ceil)
    value = torch.randn(3, 96, 28, 35, device='cuda', dtype=dtype)
    value = value.to(memory_format=torch.channels_last)
    assert torch.equal(ChannelsLastMaxPool(layer)(value), layer(value))
