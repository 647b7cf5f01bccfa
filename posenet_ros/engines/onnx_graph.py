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

"""From a torch module to ONNX. Needs the packages `onnx` and `onnxscript`."""

from __future__ import annotations

from collections.abc import Sequence
import logging
from typing import Any
import warnings

import torch
from torch import nn

# Batches of one would be taken for a constant.
_SOME = 2


def to_onnx(
    module: nn.Module, size: tuple[int, int], inputs: Sequence[str], outputs: Sequence[str]
) -> Any:
    """
    Return a module as torch's `ONNXProgram`, for batches of any size.

    `size` is the height and width of its images, `inputs` and `outputs` what they are called.
    """
    example = torch.zeros(_SOME, 3, *size)
    # It tells of each of its steps.
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim('batch')},),
            input_names=list(inputs),
            output_names=list(outputs),
            verbose=False,
        )
