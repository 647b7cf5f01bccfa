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

"""Lightning's loop: by what it computes, without its advice, and stopped by Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import logging
from pathlib import Path
import signal
import threading
from typing import Any
import warnings
import zipfile

import lightning
from posenet_ros.errors import ModelError
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.precision import half_precision, multiplies_bfloat16
from posenet_ros.training.resident import ResidentLoader
from posenet_ros.training.scene import SeenCells
import torch
from torch.utils.data import DataLoader


def how_to_run(options: TrainOptions, frames: int) -> dict[str, Any]:
    """Return by what a `lightning.Trainer` computes, and how long."""
    cuda = torch.cuda.is_available()
    # A small network on many cells gains from units that convolutions here were not measured with.
    brain = options.head == 'scene' and multiplies_bfloat16()
    on_cpu = 'bf16-mixed' if brain else '32-true'
    return {
        'accelerator': 'cuda' if cuda else 'cpu',
        'precision': half_precision() if cuda else on_cpu,
        # All batches of one size: the fastest of cuDNN's ways is worth looking for.
        'benchmark': cuda,
        'max_epochs': options.epochs_for(frames),
    }


def run(
    trainer: lightning.Trainer,
    module: lightning.LightningModule,
    training: DataLoader | ResidentLoader | SeenCells,
    held_out: DataLoader | ResidentLoader | None,
    checkpoint: Path | None,
) -> None:
    """Run the loop; hand Ctrl-C on, which Lightning turns into an exit of its own."""
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    if checkpoint is not None:
        _check(checkpoint)
    try:
        trainer.fit(module, training, held_out, ckpt_path=checkpoint, weights_only=True)
    except SystemExit as stopped:
        if trainer.interrupted:
            raise KeyboardInterrupt from stopped
        raise
    except RuntimeError as error:
        # Of Ctrl-C while Lightning still prepares: it then fails to tidy up what is not there.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)


def _check(checkpoint: Path) -> None:
    """Refuse a checkpoint that is cut short or no file of torch.save, with what to do."""
    if not zipfile.is_zipfile(checkpoint):
        raise ModelError(f'{checkpoint} is damaged; delete it, and the training starts anew')


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning's advice to developers away from users."""
    loggers = [logging.getLogger(name) for name in ('lightning.pytorch', 'lightning.fabric')]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', module=r'lightning\.')
            warnings.filterwarnings('ignore', message='.*does not have many workers.*')
            # Of passes that are replayed, whose streams are their own by intention.
            warnings.filterwarnings('ignore', message=".*AccumulateGrad node's stream.*")
            yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)
