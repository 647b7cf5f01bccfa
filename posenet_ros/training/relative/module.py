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

"""One training step of a network of relative poses, and its held-out errors, for Lightning."""

from __future__ import annotations

from dataclasses import asdict, dataclass
import math
from typing import Any, NamedTuple

import lightning
from posenet_ros.errors import ConfigError
from posenet_ros.models.relative import RelativePoseNet, RelativePrediction
from posenet_ros.training.identity import check_same, Identity
from posenet_ros.training.relative.batches import PairBatch, RelativeTarget
import torch
from torch import Tensor

# What a unit of each error weighs beside one of a direction's chord: of the offset in metres, and
# of the difference of rotation matrices. Chosen so that none outweighs the others. And of the
# difference of logarithms of distances, which is there to keep them from zero.
_OFFSET, _ROTATION, _LENGTH = 2.0, 2.0, 0.3
# No pair is so far apart, in metres; a network that has not learned yet may say anything.
_FARTHEST = 20.0


@dataclass(frozen=True)
class RelativeOptions:
    """How long, and how fast, a network of relative poses learns."""

    steps: int = 4000
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what nothing can be learned by."""
        sound = 0 < self.learning_rate < math.inf and 0 <= self.weight_decay < math.inf
        if self.steps < 1 or self.batch_size < 2 or not (sound and 0 <= self.warmup < 1):
            raise ConfigError(f'nothing is learned by {self}')

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class RelativeErrors(NamedTuple):
    """
    Errors of B relative poses.

    `direction_rad_B` and `rotation_rad_B` are angles, `offset_m_B` is how far the camera is from
    where it should be.
    """

    direction_rad_B: Tensor
    offset_m_B: Tensor
    rotation_rad_B: Tensor


def errors_of(found: RelativePrediction, target: RelativeTarget) -> RelativeErrors:
    """Compare relative poses with true ones."""
    across = torch.linalg.cross(found.direction_B3, target.direction_B3).norm(dim=1)
    along = (found.direction_B3 * target.direction_B3).sum(dim=1)
    turn = found.rotation_B33.transpose(1, 2) @ target.rotation_B33
    # The chord of a turn is twice the sine of half of it, and is exact for small ones.
    chord = (turn - torch.eye(3, device=turn.device)).flatten(1).norm(dim=1) / math.sqrt(8)
    return RelativeErrors(
        torch.atan2(across, along),
        (_offset(found) - _offset(target)).norm(dim=1),
        2 * torch.asin(chord.clamp(max=1)),
    )


def relative_loss(found: RelativePrediction, target: RelativeTarget) -> Tensor:
    """
    Return the mean over a batch of what is off, none of it squared: some pairs are hopeless.

    Distances count in the offset that they make with the direction: where that is not known,
    the best is to stay near the known camera. That alone would leave them at zero for good, since
    an offset of no length tells nothing of what its direction is worth: their logarithms count
    too, for less.
    """
    direction = (found.direction_B3 - target.direction_B3).norm(dim=1)
    offset = (_offset(found) - _offset(target)).norm(dim=1)
    rotation = (found.rotation_B33 - target.rotation_B33).flatten(1).norm(dim=1)
    length = (found.log_distance_B - target.log_distance_B).abs()
    return (direction + _OFFSET * offset + _ROTATION * rotation + _LENGTH * length).mean()


def _offset(of: RelativePrediction | RelativeTarget) -> Tensor:
    distance_B = of.log_distance_B.clamp(max=math.log(_FARTHEST)).exp()
    return of.direction_B3 * distance_B[:, None]


class RelativeTraining(lightning.LightningModule):
    """A network of relative poses with its loss; logs held-out medians, angles in degrees."""

    def __init__(
        self, model: RelativePoseNet, options: RelativeOptions, identity: Identity
    ) -> None:
        """Take the network to train, how, and what a checkpoint must stand on."""
        super().__init__()
        self.model = model
        self.options = options
        self.identity = identity
        self._errors: list[RelativeErrors] = []

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write down what the training stands on."""
        checkpoint['identity'] = dict(self.identity)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on with what another training has begun."""
        check_same(checkpoint.get('identity', {}), self.identity)

    def training_step(self, batch: PairBatch, batch_index: int) -> Tensor:
        """Return the loss of a batch."""
        loss = relative_loss(self.model(batch.asked, batch.known), batch.target)
        size = len(batch.target.direction_B3)
        self.log('train/loss', loss, on_step=False, on_epoch=True, batch_size=size)
        return loss

    def validation_step(self, batch: PairBatch, batch_index: int) -> None:
        """Collect the errors of held-out pairs."""
        self._errors.append(errors_of(self.model(batch.asked, batch.known), batch.target))

    def on_validation_epoch_end(self) -> None:
        """Log their medians."""
        errors = RelativeErrors(*map(torch.cat, zip(*self._errors)))
        self._errors.clear()
        self.log_dict(
            {
                'held_out/direction_deg': errors.direction_rad_B.rad2deg().quantile(0.5),
                'held_out/offset_m': errors.offset_m_B.quantile(0.5),
                'held_out/rotation_deg': errors.rotation_rad_B.rad2deg().quantile(0.5),
            }
        )

    def configure_optimizers(self) -> dict[str, Any]:
        """Return AdamW with warm-up and cosine; norms and biases are not decayed."""
        options = self.options
        groups = [
            {'params': [p for p in self.model.parameters() if p.ndim > 1]},
            {'params': [p for p in self.model.parameters() if p.ndim <= 1], 'weight_decay': 0.0},
        ]
        optimizer = torch.optim.AdamW(
            groups,
            lr=options.learning_rate,
            weight_decay=options.weight_decay,
            fused=True if next(self.model.parameters()).is_cuda else None,
        )
        total = max(int(self.trainer.estimated_stepping_batches), 1)

        def rate(step: int) -> float:
            done = step / total
            if done < options.warmup:
                return max(done / options.warmup, 0.01)
            return 0.5 * (1 + math.cos(math.pi * (done - options.warmup) / (1 - options.warmup)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {
            'optimizer': optimizer,
            'lr_scheduler': {'scheduler': schedule, 'interval': 'step'},
        }
