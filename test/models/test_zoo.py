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

"""What loading a model imports: not torch's compiler, which takes longer than all else does."""

import subprocess
import sys

ASK = """
import sys
import torch
before = 'torch._dynamo' in sys.modules
from posenet_ros.engines.packing import packed
import posenet_ros.localization.load
shapes = 'torch.fx.experimental.symbolic_shapes'
print(before, 'torch._dynamo' in sys.modules, shapes in sys.modules)
from torchvision.ops import roi_align
print(*roi_align(torch.ones(1, 3, 8, 8), torch.tensor([[0, 0, 0, 4, 4.0]]), 2).shape)
import torch._dynamo.utils
print(torch._dynamo.utils.is_compile_supported('cpu') is not None)
"""


def test_torchvision_comes_without_the_compiler_and_is_whole():
    child = subprocess.run([sys.executable, '-c', ASK], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    imported, shape, compiles = child.stdout.splitlines()
    assert imported in ('False False False', 'True True True')
    assert (shape, compiles) == ('1 3 2 2', 'True')
