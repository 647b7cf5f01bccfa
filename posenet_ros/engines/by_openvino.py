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

"""The trunk by OpenVINO, on the CPU. Needs the package `openvino`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posenet_ros.engines.folding import folded
from posenet_ros.engines.memory import Kept
from posenet_ros.engines.trunk import FastTrunk
from posenet_ros.files import written_whole
from posenet_ros.models.posenet import PoseNet
import torch
from torch import Tensor

# A batch that is converted once for any size; one would be taken for a constant.
_SOME = 2


class OpenVinoTrunk(FastTrunk):
    """
    A trunk that OpenVINO has compiled, for images of one size.

    One image at a time is what a robot asks: for that a program of its own is compiled. Batches of
    any other size share another, compiled when the first comes.
    """

    def __init__(
        self, model: PoseNet, size: tuple[int, int], precision: str, kept: Kept | None = None
    ) -> None:
        """
        Convert a model's trunk for images of a size (height, width), or read what was kept.

        `precision` is what it computes in, `f32` or `bf16`; where the CPU knows no bf16, OpenVINO
        takes f32. It gets as many threads as torch has now.
        """
        super().__init__(model.map_names)
        import openvino

        self._size = size
        self._core = openvino.Core()
        self._options = {
            'PERFORMANCE_HINT': 'LATENCY',
            'NUM_STREAMS': 1,
            'INFERENCE_PRECISION_HINT': precision,
            'INFERENCE_NUM_THREADS': torch.get_num_threads(),
        }
        if kept is not None and kept.there:
            self._converted = self._core.read_model(kept.file)
        else:
            self._converted = _converted(model, size)
            if kept is not None:
                kept.keep(lambda file: _write(file, self._converted))
        self._requests: dict[bool, Any] = {}

    def run(self, image_B3HW: Tensor) -> Sequence[Tensor]:
        """Compute all maps of a batch."""
        request = self._request(alone=len(image_B3HW) == 1)
        # What is returned is the request's own memory, which the next image overwrites.
        planes = image_B3HW.contiguous().numpy()
        found = request.infer([planes], share_inputs=True, share_outputs=True)
        return [torch.from_numpy(map_BChw) for map_BChw in found.to_tuple()]

    def _request(self, *, alone: bool) -> Any:
        if alone not in self._requests:
            model = self._converted
            if alone:
                model = model.clone()
                model.reshape([1, 3, *self._size])
            compiled = self._core.compile_model(model, 'CPU', self._options)
            self._requests[alone] = compiled.create_infer_request()
        return self._requests[alone]


def _converted(model: PoseNet, size: tuple[int, int]) -> Any:
    import openvino

    graph = folded(model.trunk, model.map_names)
    example = torch.zeros(_SOME, 3, *size)
    batch = torch.export.Dim('batch')
    program = torch.export.export(graph, (example,), dynamic_shapes=({0: batch},))
    return openvino.convert_model(program)


def _write(file: Path, converted: Any) -> None:
    """Write the graph and, before it is there, the weights beside it."""
    import openvino

    with written_whole(file) as partial, written_whole(file.with_suffix('.bin')):
        openvino.save_model(converted, partial, compress_to_fp16=False)
