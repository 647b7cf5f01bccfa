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

"""
A network's passes of training as CUDA graphs: some hundred kernels that start as one.

Where a GPU is faster than the CPU beside it can start kernels, it waits for them. A graph holds
all of a pass, for batches of one size, and costs a copy of the batch and the memory of its maps.
"""

from __future__ import annotations

import logging
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from posenet_ros.models.posenet import PoseNet
from posenet_ros.training.module import PoseTraining
import torch

# Whether `fit` makes use of it where it can; test/tools/measure_training.py measures both.
REPLAYED = True

_LOG = logging.getLogger(__name__)


class ReplayedPasses(Callback):
    """Records the network's forward and backward pass before the first step, on CUDA alone."""

    def __init__(self, batch_size: int, crop: tuple[int, int]) -> None:
        """Take how many images all batches have, and their height and width."""
        self._shape = batch_size, 3, *crop
        self._model: PoseNet | None = None

    def on_train_start(self, trainer: lightning.Trainer, module: PoseTraining) -> None:
        """Record, or tell why that cannot be and go on without."""
        if module.device.type != 'cuda' or not module.model.training:
            return
        image_B3HW = torch.rand(self._shape, device=module.device)
        image_B3HW = image_B3HW.contiguous(memory_format=torch.channels_last)
        try:
            with trainer.precision_plugin.forward_context():
                replay(module.model, image_B3HW)
        except RuntimeError as error:
            _LOG.warning('training goes on without CUDA graphs: %s', error)
            return
        self._model = module.model

    def on_train_end(self, *_: Any) -> None:
        """Let the network run kernel by kernel again."""
        if self._model is not None:
            run_again(self._model)
            self._model = None

    def on_exception(self, *_: Any) -> None:
        """Let the network run kernel by kernel again."""
        self.on_train_end()


def replay(model: PoseNet, image_B3HW: torch.Tensor) -> None:
    """Have a model in training mode replay its passes, for batches such as this one."""
    kept = {name: value.clone() for name, value in model.named_buffers()}
    try:
        torch.cuda.make_graphed_callables(model, (image_B3HW,), allow_unused_input=True)
    finally:
        # The passes that were tried first have moved the statistics of batch normalisation.
        with torch.no_grad():
            for name, value in model.named_buffers():
                value.copy_(kept[name])


def run_again(model: PoseNet) -> None:
    """Undo `replay`, which has hidden the model's own `forward` behind one of its object."""
    vars(model).pop('forward', None)
