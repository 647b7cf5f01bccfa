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

"""A computation on images of one shape on CUDA: recorded once, and started as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import threading

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

# A first run chooses algorithms and takes memory, which a recording cannot.
_RUNS_BEFORE = 3
# Of all recordings in this process one at a time is made or started: CUDA makes no two at once,
# and their streams are out of one small pool.
_ALONE = threading.RLock()


class Replay:
    """
    Host images in, numbers out, with one launch for all that lies between.

    Of a network for one image the CPU takes longer to start its hundreds of steps than a GPU to
    do them. The upload from pinned memory and the download are part of the recording.
    """

    def __init__(
        self,
        compute: Callable[[Tensor], Tensor],
        shape_BHW3: Sequence[int],
        device: torch.device,
    ) -> None:
        """
        Record `compute` on uint8 images of a shape; raise RuntimeError where it cannot be.

        Its result must be one tensor on the device, and nothing in it may wait for the device.
        """
        with _ALONE, full_precision():
            self._record(compute, shape_BHW3, device)

    def _record(
        self,
        compute: Callable[[Tensor], Tensor],
        shape_BHW3: Sequence[int],
        device: torch.device,
    ) -> None:
        self._host_BHW3 = torch.zeros(*shape_BHW3, dtype=torch.uint8, pin_memory=True)
        self._slots = self._host_BHW3.numpy()
        self._stream = torch.cuda.Stream(device)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(device), torch.cuda.stream(self._stream):
            image_BHW3 = torch.zeros(*shape_BHW3, dtype=torch.uint8, device=device)
            for _ in range(_RUNS_BEFORE):
                shape = compute(image_BHW3).shape
            self._found = torch.zeros(shape, pin_memory=True)
            self._stream.synchronize()
            # What other threads ask of CUDA meanwhile is theirs.
            how = {'stream': self._stream, 'capture_error_mode': 'thread_local'}
            with torch.cuda.graph(self._graph, **how):
                image_BHW3.copy_(self._host_BHW3, non_blocking=True)
                self._found.copy_(compute(image_BHW3), non_blocking=True)
        self._image_BHW3 = image_BHW3

    def __call__(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return what is computed of as many images (H, W, 3) as were recorded."""
        for slot, rgb in zip(self._slots, images, strict=True):
            np.copyto(slot, rgb)
        with _ALONE:
            with torch.cuda.stream(self._stream):
                self._graph.replay()
            self._stream.synchronize()
        return self._found.numpy().copy()


@contextmanager
def full_precision() -> Iterator[None]:
    """Have products in single precision be of all its bits, whatever else this process allows."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision('highest')
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def side_by_side(*computations: Callable[[], Tensor]) -> list[Tensor]:
    """Return what some computations do, which a recording puts on streams of their own."""
    if not (torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()):
        return [each() for each in computations]
    main = torch.cuda.current_stream()
    sides = [torch.cuda.Stream(main.device) for _ in computations[1:]]
    for side in sides:
        side.wait_stream(main)
    found = [computations[0]()]
    for side, each in zip(sides, computations[1:]):
        with torch.cuda.stream(side):
            found.append(each())
        main.wait_stream(side)
    return found
