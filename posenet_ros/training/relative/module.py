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
from posenet_ros.models.relative import FARTHEST_M, RelativePoseNet, RelativePrediction
from posenet_ros.training.identity import check_same, Identity
from posenet_ros.training.relative.batches import PairBatch, RelativeTarget
import torch
from torch import Tensor

# What a unit of each error weighs beside one of a direction's chord: of the offset in metres, and
# of the difference of rotation matrices. Chosen so that none outweighs the others. And of the
# difference of logarithms of distances, which is there to keep them from zero.
_OFFSET, _ROTATION, _LENGTH = 2.0, 2.0, 0.3
# And of what is told of errors, which changes nothing else.
_DOUBTS = 0.1
# One pair that is told to be anywhere must not undo what was learned of others: gradients are cut
# to this length.
_LONGEST = 1.0


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


def doubts_loss(found: RelativePrediction, target: RelativeTarget) -> Tensor:
    """
    Return the mean over a batch of how unlikely the errors are, by what is told of them.

    Each is taken to be distributed exponentially about 0, with the mean that is told: the least
    is at the mean of such errors as there are, however far some of them go.
    """
    told_B3 = found.log_error_B3
    return (parts_of_errors(found, target) / told_B3.exp() + told_B3).sum(dim=1).mean()


def parts_of_errors(found: RelativePrediction, target: RelativeTarget) -> Tensor:
    """
    Return the errors (B, 3) that `log_error_B3` tells of: across, along, and of the rotation.

    Without gradients: what is told of errors changes no answer.
    """
    with torch.no_grad():
        off_B3 = _offset(target) - _offset(found)
        along_B = (off_B3 * found.direction_B3).sum(dim=1)
        across_B = (off_B3 - along_B[:, None] * found.direction_B3).norm(dim=1)
        turn_B = errors_of(found, target).rotation_rad_B
        return torch.stack([across_B, along_B.abs(), turn_B], dim=1)


def _offset(of: RelativePrediction | RelativeTarget) -> Tensor:
    distance_B = of.log_distance_B.clamp(max=math.log(FARTHEST_M)).exp()
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
        self._by_told: list[Tensor] = []

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write down what the training stands on."""
        checkpoint['identity'] = dict(self.identity)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on with what another training has begun."""
        check_same(checkpoint.get('identity', {}), self.identity)

    def training_step(self, batch: PairBatch, batch_index: int) -> Tensor:
        """Return the loss of a batch."""
        found = self.model(batch.asked, batch.known)
        with torch.autocast(self.device.type, enabled=False):
            loss = relative_loss(found, batch.target) + _DOUBTS * doubts_loss(found, batch.target)
        size = len(batch.target.direction_B3)
        self.log('train/loss', loss, on_step=False, on_epoch=True, batch_size=size)
        return loss

    def validation_step(self, batch: PairBatch, batch_index: int) -> None:
        """Collect the errors of held-out pairs."""
        found = self.model(batch.asked, batch.known)
        # A product of rotations in bfloat16 would be wrong by a third of a degree.
        with torch.autocast(self.device.type, enabled=False):
            self._errors.append(errors_of(found, batch.target))
            by_told_B3 = parts_of_errors(found, batch.target) / found.log_error_B3.exp()
            self._by_told.append(by_told_B3.mean(dim=1))

    def on_validation_epoch_end(self) -> None:
        """Log their medians, and whether they are as large as is told."""
        errors = RelativeErrors(*map(torch.cat, zip(*self._errors)))
        by_told_B = torch.cat(self._by_told)
        self._errors.clear()
        self._by_told.clear()
        self.log_dict(
            {
                'held_out/direction_deg': errors.direction_rad_B.rad2deg().quantile(0.5),
                'held_out/offset_m': errors.offset_m_B.quantile(0.5),
                'held_out/rotation_deg': errors.rotation_rad_B.rad2deg().quantile(0.5),
                # How many times larger errors are than was told.
                'held_out/error_by_told': by_told_B.mean(),
            }
        )

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Cut the gradients of what is answered, and apart from these those of its errors."""
        doubts = list(self.model.doubts.parameters())
        apart = {id(each) for each in doubts}
        answers = [each for each in self.model.parameters() if id(each) not in apart]
        for part in (answers, doubts):
            torch.nn.utils.clip_grad_norm_(part, _LONGEST)

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
