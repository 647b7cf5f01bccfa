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

"""What training tells while it runs, what it remembers, and where it can go on from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
import time
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback, Checkpoint, ProgressBar, WeightAveraging
from posenet_ros.files import written_whole
import torch
from torch import nn, Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn
from tqdm import tqdm


def held_out_pose(values: Mapping[str, Any]) -> str:
    """Return the held-out medians of poses as the bar shows them, '' where there are none yet."""
    if 'held_out/position_m' not in values:
        return ''
    metres, degrees = values['held_out/position_m'], values['held_out/orientation_deg']
    return f'{metres:.2f} m {degrees:.1f} deg'


class TrainingBar(ProgressBar):
    """One bar over all epochs, in images, with an estimate and the held-out medians."""

    def __init__(self, told: Callable[[Mapping[str, Any]], str] = held_out_pose) -> None:
        """
        Start without a bar; Lightning says when to show one.

        `told` makes a few words of what was logged.
        """
        super().__init__()
        self._told = told
        self._bar: tqdm | None = None
        self._shown = True

    def disable(self) -> None:
        """Show nothing (Lightning asks this of all but the first process)."""
        self._shown = False

    def enable(self) -> None:
        """Show the bar."""
        self._shown = True

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Open the bar, at the place where a resumed run goes on."""
        loader = trainer.train_dataloader
        self._a_step = loader.batch_size * trainer.world_size
        an_epoch = self._a_step * trainer.num_training_batches
        unit = getattr(loader, 'unit', 'image')
        self._bar = tqdm(
            desc='training',
            total=trainer.max_epochs * an_epoch,
            initial=trainer.current_epoch * an_epoch,
            unit=unit,
            unit_scale=unit != 'image',
            disable=not self._shown,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Move on by a batch."""
        self._bar.update(self._a_step)

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Show where training stands."""
        told = {'epoch': f'{trainer.current_epoch + 1}/{trainer.max_epochs}'}
        if words := self._told(trainer.callback_metrics):
            told['held out'] = words
        self._bar.set_postfix(told, refresh=False)

    def on_train_end(self, *_: Any) -> None:
        """Close the bar."""
        self._bar.close()

    def on_exception(self, *_: Any) -> None:
        """Leave the terminal tidy."""
        if self._bar is not None:
            self._bar.close()


# Writing the state of a large network takes as long as a short epoch.
CHECKPOINT_EVERY_S = 20.0


class LastEpoch(Checkpoint):
    """Keeps the state after an epoch in one file, every few seconds at most and at the end."""

    def __init__(self, path: Path) -> None:
        """Take the file to write; it is replaced as a whole."""
        self.path = path
        self._written = time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Write, where it is time to."""
        due = time.monotonic() - self._written >= CHECKPOINT_EVERY_S
        due |= trainer.current_epoch + 1 == trainer.max_epochs
        # Saving is done by all processes together, so the first decides for all.
        if trainer.strategy.broadcast(due):
            # A disk that fills up on the way must not cost the checkpoint that is there.
            whole = written_whole(self.path) if trainer.is_global_zero else nullcontext(self.path)
            with whole as path:
                trainer.save_checkpoint(path)
            self._written = time.monotonic()


class History(Callback):
    """The logged values of each epoch, kept across a resumed run."""

    def __init__(self) -> None:
        """Start empty."""
        self.epochs: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Remember this epoch."""
        values = {key: round(float(value), 5) for key, value in trainer.callback_metrics.items()}
        self.epochs.append({'epoch': trainer.current_epoch + 1, **values})

    def state_dict(self) -> dict[str, Any]:
        """Return what goes into a checkpoint."""
        return {'epochs': self.epochs}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take what came from a checkpoint."""
        self.epochs = list(state_dict['epochs'])


class AveragedWeights(WeightAveraging):
    """Leaves exponentially averaged weights in the network, also where training had ended."""

    def __init__(self, decay: float) -> None:
        """Keep this share of the average in each step."""
        super().__init__(avg_fn=get_ema_avg_fn(decay))
        self._decay = decay

    def setup(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, stage: str
    ) -> None:
        """Make the average of what is there now, where the training will be."""
        # Lightning would take the module's device, which is the CPU's until later.
        device = self._device = trainer.strategy.root_device
        super().setup(trainer, module, stage)
        if stage == 'fit' and device.type == 'cuda':
            self._average_model = AverageOnGpu(module, self._decay, device)

    def on_fit_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Take the average once more: Lightning takes it only at the end of a last epoch."""
        self.on_train_end(trainer, module)


class AverageOnGpu(AveragedModel):
    """An exponential average of weights and buffers that makes no step wait for the GPU."""

    def __init__(self, model: nn.Module, decay: float, device: torch.device) -> None:
        """Copy a model to a device."""
        self._average = get_ema_multi_avg_fn(decay)
        super().__init__(model, device, multi_avg_fn=self._average, use_buffers=True)
        # Asked for in every step: it lies where asking costs nothing.
        self.n_averaged = self.n_averaged.cpu()

    def update_parameters(self, model: nn.Module) -> None:
        """Take another state into the average; the first one is the average."""
        if self.n_averaged == 0:
            super().update_parameters(model)
            return
        pairs: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
        for mean, value in zip(_state(self.module), _state(model), strict=True):
            means, values = pairs.setdefault(mean.dtype, ([], []))
            means.append(mean)
            values.append(value)
        for means, values in pairs.values():
            self._average(means, values, self.n_averaged)
        self.n_averaged += 1


def _state(model: nn.Module) -> list[Tensor]:
    return [each.detach() for each in (*model.parameters(), *model.buffers())]
