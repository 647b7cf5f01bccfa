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

"""The engines there are: what each needs, and whether it computes in single precision."""

from __future__ import annotations

from collections.abc import Callable
import importlib.util
from typing import NamedTuple

from posenet_ros.engines.memory import Kept
from posenet_ros.engines.trunk import FastTrunk
from posenet_ros.models.posenet import PoseNet
import torch

Make = Callable[..., FastTrunk]


class Kind(NamedTuple):
    """
    One way to run a trunk, on one type of `device`.

    `make` takes a model and the size (height, width) of its images, and where `keeps` has the
    suffix of a file, a `Kept` to read the trunk from, or to write it to. `packages` are those that
    it imports beside torch. One that is not `exact` computes in half precision, and answers for a
    model only after its errors were measured by it.
    """

    make: Make
    about: str
    packages: tuple[str, ...] = ()
    exact: bool = True
    keeps: str = ''
    device: str = 'cpu'

    @property
    def missing(self) -> str:
        """The packages that this machine lacks, '' where there are all."""
        return ', '.join(name for name in self.packages if not importlib.util.find_spec(name))


def _torch(model: PoseNet, size: tuple[int, int]) -> FastTrunk:
    from posenet_ros.engines.by_torch import TorchTrunk

    return TorchTrunk(model, size)


def _torch_bf16(model: PoseNet, size: tuple[int, int]) -> FastTrunk:
    from posenet_ros.engines.by_torch import TorchTrunk

    return TorchTrunk(model, size, torch.bfloat16)


def _openvino(model: PoseNet, size: tuple[int, int], kept: Kept | None = None) -> FastTrunk:
    from posenet_ros.engines.by_openvino import OpenVinoTrunk

    return OpenVinoTrunk(model, size, 'f32', kept)


def _openvino_bf16(model: PoseNet, size: tuple[int, int], kept: Kept | None = None) -> FastTrunk:
    from posenet_ros.engines.by_openvino import OpenVinoTrunk

    return OpenVinoTrunk(model, size, 'bf16', kept)


def _onnxruntime(model: PoseNet, size: tuple[int, int], kept: Kept | None = None) -> FastTrunk:
    from posenet_ros.engines.by_onnx import OnnxTrunk

    return OnnxTrunk(model, size, kept)


def _cuda(model: PoseNet, size: tuple[int, int]) -> FastTrunk:
    from posenet_ros.engines.by_cuda import CudaTrunk

    return CudaTrunk(model, size)


def _cuda_half(model: PoseNet, size: tuple[int, int]) -> FastTrunk:
    from posenet_ros.engines.by_cuda import CudaTrunk

    return CudaTrunk(model, size, torch.float16)


KINDS = {
    'torch': Kind(_torch, 'batch norms folded, channels last'),
    'torch-bf16': Kind(_torch_bf16, 'the same in bfloat16', exact=False),
    'openvino': Kind(_openvino, 'compiled by OpenVINO', ('openvino',), keeps='.xml'),
    'openvino-bf16': Kind(
        _openvino_bf16, 'the same in bfloat16', ('openvino',), exact=False, keeps='.xml'
    ),
    'onnxruntime': Kind(
        _onnxruntime, 'by ONNX Runtime', ('onnxruntime', 'onnx', 'onnxscript'), keeps='.onnx'
    ),
    'cuda': Kind(_cuda, 'batch norms folded, recorded whole', device='cuda'),
    'cuda-half': Kind(_cuda_half, 'the same in float16', exact=False, device='cuda'),
}


def kinds_of(device: torch.device) -> tuple[str, ...]:
    """Return the names of the engines that run on a type of device."""
    return tuple(name for name, kind in KINDS.items() if kind.device == device.type)


# What `auto` takes the fastest of: which that is depends on the CPU, and on who else uses it.
AUTOMATIC = ('torch', 'openvino', 'onnxruntime', 'cuda')
