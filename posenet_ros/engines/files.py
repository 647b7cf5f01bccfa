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

"""Networks as files for other programs, ONNX and OpenVINO's own, and what these answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from posenet_ros.engines.by_onnx import onnx_session
from posenet_ros.engines.onnx_graph import to_onnx
from posenet_ros.engines.whole import FEWEST_HALVED, IMAGE, Whole
import torch
from torch import Tensor

Answer = Callable[[Tensor], tuple[Tensor, ...]]


def write_onnx(path: Path, whole: Whole, size: tuple[int, int]) -> Answer:
    """
    Write a network for images of a size (height, width) as ONNX; return what the file answers.

    Weights that half precision holds exactly are kept in it, and widened when they are read.
    """
    import onnx

    model = to_onnx(whole, size, [IMAGE], whole.outputs).model_proto
    _halve_exact(model)
    for step in model.graph.node:
        # Which lines of torch it comes from: more than a megabyte of a network by cells.
        del step.metadata_props[:]
    onnx.save(model, path)
    session = onnx_session(str(path))

    def answer(image_B3HW: Tensor) -> tuple[Tensor, ...]:
        found = session.run(list(whole.outputs), {IMAGE: image_B3HW.numpy()})
        return tuple(map(torch.from_numpy, found))

    return answer


def write_openvino(path: Path, source: Path, whole: Whole) -> Answer:
    """
    Write what is in an ONNX file as OpenVINO's .xml and .bin; return what these answer.

    `whole` is the network that the source was made of. Weights are kept as they are in it.
    """
    import openvino

    core = openvino.Core()
    # What `convert_model` and `save_model` make of it has either all weights in half, or none.
    openvino.serialize(core.read_model(source), path)
    compiled = core.compile_model(path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})

    def answer(image_B3HW: Tensor) -> tuple[Tensor, ...]:
        found = compiled([image_B3HW.numpy()])
        return tuple(torch.from_numpy(found[name].copy()) for name in whole.outputs)

    return answer


def _halve_exact(model: Any) -> None:
    """Keep large constants of an ONNX model as float16 where that is exact."""
    import onnx
    from onnx import numpy_helper

    graph = model.graph
    for constant in graph.initializer:
        if constant.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(constant)
        with np.errstate(over='ignore'):
            halves = values.astype(np.float16)
        if values.size < FEWEST_HALVED or not np.array_equal(halves.astype(np.float32), values):
            continue
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(halves, f'{name}_half'))
        widen = onnx.helper.make_node('Cast', [f'{name}_half'], [name], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, widen)
