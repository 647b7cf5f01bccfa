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

"""The trunk by ONNX Runtime, on the CPU. Needs `onnxruntime`, `onnx` and `onnxscript`."""

from __future__ import annotations

from collections.abc import Sequence
import io
from pathlib import Path

from posenet_ros.engines.folding import folded
from posenet_ros.engines.memory import Kept
from posenet_ros.engines.trunk import FastTrunk
from posenet_ros.files import written_whole
from posenet_ros.models.posenet import PoseNet
import torch
from torch import Tensor


class OnnxTrunk(FastTrunk):
    """A trunk that ONNX Runtime runs, for images of one size and batches of any."""

    def __init__(self, model: PoseNet, size: tuple[int, int], kept: Kept | None = None) -> None:
        """Convert a model's trunk for images of a size (height, width), or read what was kept."""
        super().__init__(model.map_names)
        if kept is not None and kept.there:
            data = kept.file.read_bytes()
        else:
            data = _converted(model, size)
            if kept is not None:
                kept.keep(lambda file: _write(file, data))
        self._session = onnx_session(data)

    def run(self, image_B3HW: Tensor) -> Sequence[Tensor]:
        """Compute all maps of a batch."""
        found = self._session.run(None, {'image': image_B3HW.contiguous().numpy()})
        return [torch.from_numpy(map_BChw) for map_BChw in found]


def _converted(model: PoseNet, size: tuple[int, int]) -> bytes:
    from posenet_ros.engines.onnx_graph import to_onnx

    graph = to_onnx(folded(model.trunk, model.map_names), size, ['image'], model.map_names)
    written = io.BytesIO()
    graph.save(written)
    return written.getvalue()


def _write(file: Path, data: bytes) -> None:
    with written_whole(file) as partial:
        partial.write_bytes(data)


def onnx_session(model: bytes | str):
    """Return a session for a model, or a file of one, with as many threads as torch has now."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Threads that wait by spinning starve whatever else the machine does.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    return onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])
