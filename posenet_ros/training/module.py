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

"""One training step, one held-out measurement, and the optimiser, for Lightning."""

from __future__ import annotations

from collections.abc import Mapping
import math
from typing import Any

import lightning
from posenet_ros.data.dataset import PoseBatch
from posenet_ros.models.posenet import PoseNet
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.identity import check_same, Identity
from posenet_ros.training.losses import (
    LearnedLoss,
    OrientationLoss,
    PaperLoss,
    PoseLoss,
    PositionLoss,
    SquaredLoss,
)
import torch
from torch import nn, Tensor

# The two balance weights are few and far from home: they take larger steps than the network.
_BALANCE_RATE = 1e-2


class PoseTraining(lightning.LightningModule):
    """A PoseNet with its loss; logs the loss, and the held-out medians in metres and degrees."""

    def __init__(self, model: PoseNet, options: TrainOptions, identity: Identity) -> None:
        """Take the network to train, the recipe, and what a checkpoint must stand on."""
        super().__init__()
        self.model = model
        self.options = options
        self.identity = identity
        self.loss = make_loss(options)
        self._errors: list[tuple[Tensor, Tensor]] = []
        self._losses: list[Tensor] = []

    def on_train_epoch_start(self) -> None:
        """Forget what an epoch left that did not end."""
        self._losses.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write down what the training stands on."""
        checkpoint['identity'] = dict(self.identity)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on with what another training has begun."""
        check_same(checkpoint.get('identity', {}), self.identity)

    def training_step(self, batch: PoseBatch, batch_index: int) -> Tensor:
        """Return the loss of a batch."""
        image_B3HW = batch.image_B3HW.contiguous(memory_format=torch.channels_last)
        prediction = self.model(image_B3HW)
        parts = self.loss(prediction, batch.position_B3, batch.quaternion_wxyz_B4)
        self._note({'train/loss': parts.total, 'train/position_m': parts.position}, batch_index)
        return parts.total

    def _note(self, values: Mapping[str, Tensor], batch_index: int) -> None:
        """Log an epoch's means, once: asked in every step, Lightning takes a millisecond of it."""
        self._losses.append(torch.stack([value.detach() for value in values.values()]))
        if batch_index + 1 < self.trainer.num_training_batches:
            return
        means = torch.stack(self._losses).mean(dim=0)
        self._losses.clear()
        several = self.trainer.world_size > 1
        values = dict(zip(values, means))
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=1, sync_dist=several)

    def validation_step(self, batch: PoseBatch, batch_index: int) -> None:
        """Collect the errors of held-out frames."""
        prediction = self.model(batch.image_B3HW)
        metres = torch.linalg.vector_norm(prediction.position_B3 - batch.position_B3, dim=1)
        cosine = (prediction.quaternion_wxyz_B4 * batch.quaternion_wxyz_B4).sum(dim=1).abs()
        # The rotation between two quaternions turns by twice the angle between them.
        degrees = torch.rad2deg(2 * torch.acos(cosine.clamp(max=1)))
        self._errors.append((metres, degrees))

    def on_validation_epoch_end(self) -> None:
        """Log the medians over the held-out frames of all devices."""
        metres, degrees = (torch.cat(parts) for parts in zip(*self._errors))
        self._errors.clear()
        several = self.trainer.world_size > 1
        if several:
            metres, degrees = self.all_gather(metres), self.all_gather(degrees)
        medians = {
            'held_out/position_m': metres.quantile(0.5),
            'held_out/orientation_deg': degrees.quantile(0.5),
        }
        # Every process has the same medians now, and the mean of them is asked for formally.
        self.log_dict(medians, sync_dist=several)

    def learning(self) -> nn.Module:
        """Return what learns."""
        return self.model

    @property
    def peak_rate(self) -> float:
        """The peak of the rate at which that learns."""
        return self.options.learning_rate

    def configure_optimizers(self) -> dict[str, Any]:
        """Return the optimiser and its schedule; norms and biases are not decayed."""
        learning = [*self.learning().parameters()]
        weights = [value for value in learning if value.ndim > 1]
        others = [value for value in learning if value.ndim <= 1]
        groups = [
            {'params': weights, 'weight_decay': self.options.weight_decay},
            {'params': others, 'weight_decay': 0.0},
        ]
        if balance := list(self.loss.parameters()):
            groups.append({'params': balance, 'weight_decay': 0.0, 'lr': _BALANCE_RATE})
        optimizer = make_optimizer(groups, self.options, self.peak_rate)
        total = int(self.trainer.estimated_stepping_batches)
        epochs = self.trainer.max_epochs
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate(step / max(total, 1), epochs, self.options)
        )
        return {
            'optimizer': optimizer,
            'lr_scheduler': {'scheduler': schedule, 'interval': 'step'},
        }


def make_loss(options: TrainOptions) -> PoseLoss:
    """Return the loss of a recipe."""
    with_beta = {'paper': PaperLoss, 'squared': SquaredLoss}
    if options.loss in with_beta:
        return with_beta[options.loss](options.beta)
    others = {'learned': LearnedLoss, 'position': PositionLoss, 'orientation': OrientationLoss}
    return others[options.loss]()


def make_optimizer(
    groups: list[dict[str, Any]], options: TrainOptions, peak: float
) -> torch.optim.Optimizer:
    """Return the optimiser of a recipe. Only AdamW's weight decay is apart from the gradient."""
    if options.optimizer == 'sgd':
        # One kernel for many weights; the CPU has all of them in its cache as it is.
        fused = all(value.is_cuda for group in groups for value in group['params']) or None
        return torch.optim.SGD(groups, lr=peak, momentum=options.momentum, fused=fused)
    if options.optimizer == 'adagrad':
        return torch.optim.Adagrad(groups, lr=peak)
    return torch.optim.AdamW(groups, lr=peak, fused=True)


def rate(done: float, epochs: int, options: TrainOptions) -> float:
    """Return the share of the peak rate after a share of all steps, by the recipe's schedule."""
    warmup = options.warmup
    if done < warmup:
        return max(done / warmup, 0.01)
    if options.schedule == 'constant':
        return 1.0
    if options.schedule == 'steps':
        # A step on the border belongs to the epoch that it begins.
        epoch = math.floor(done * epochs + 1e-6)
        return options.step_factor ** (epoch // options.step_epochs)
    rest = (done - warmup) / max(1 - warmup, 1e-9)
    return 0.5 * (1 + math.cos(math.pi * min(rest, 1.0)))
