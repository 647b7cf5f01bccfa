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

"""The loop in which a network of relative poses learns, on Lightning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning
from lightning.pytorch.loggers import TensorBoardLogger
from posenet_ros.data.dataset import as_it_is
from posenet_ros.errors import ConfigError
from posenet_ros.models.relative import RelativePoseNet
from posenet_ros.training.allocator import keep_freed_memory
from posenet_ros.training.callbacks import History, LastEpoch, TrainingBar
from posenet_ros.training.fit import CHECKPOINT
from posenet_ros.training.identity import Identity
from posenet_ros.training.loop import quiet, run
from posenet_ros.training.precision import multiplies_bfloat16
from posenet_ros.training.relative.batches import DrawnPairs
from posenet_ros.training.relative.module import RelativeOptions, RelativeTraining
from posenet_ros.training.relative.resident import fit_into, ResidentPairs, ResidentScenes
from posenet_ros.training.relative.scene_maps import SceneMaps
import torch
from torch.utils.data import DataLoader, Dataset

# Steps after which held-out pairs are asked, and how many of these there are.
_STEPS_AN_EPOCH, _HELD_OUT_PAIRS = 200, 512


class FittedRelative(NamedTuple):
    """A trained network in evaluation mode, and what was logged."""

    model: RelativePoseNet
    history: list[dict[str, float]]

    def held_out(self) -> dict[str, float]:
        """Return the last medians of held-out pairs, by name."""
        last = self.history[-1]
        return {
            name.partition('/')[2]: value
            for name, value in last.items()
            if name.startswith('held_out/')
        }


def fit_relative(
    scenes: Sequence[SceneMaps],
    held_out: Sequence[SceneMaps],
    model: RelativePoseNet,
    options: RelativeOptions,
    log_dir: Path,
    identity: Identity,
) -> FittedRelative:
    """
    Have a network learn from pairs of some scenes, and measure it on those of others.

    It is that of the last step: nothing is chosen by the others. Logs and a checkpoint go to
    `log_dir`; where there is one already, training goes on from it. On a GPU all maps lie in its
    memory, where they fit (see `resident`). Raises ModelError for a checkpoint of other scenes or
    weights, KeyboardInterrupt on Ctrl-C.
    """
    if not scenes or not held_out:
        raise ConfigError('relative poses are learned of some scenes and measured on others')
    lightning.seed_everything(options.seed, workers=True, verbose=False)
    size = options.batch_size
    epochs = -(-options.steps // _STEPS_AN_EPOCH)
    steps = -(-options.steps // epochs)
    history = History()
    checkpoint = log_dir / CHECKPOINT
    cuda = torch.cuda.is_available()
    if not cuda:
        keep_freed_memory()
    pairs = _pairs_of(scenes, held_out, torch.device('cuda' if cuda else 'cpu'), steps * size)
    with quiet():
        trainer = lightning.Trainer(
            accelerator='cuda' if cuda else 'cpu',
            devices=1,
            max_epochs=epochs,
            logger=TensorBoardLogger(log_dir, name='', version=''),
            callbacks=[history, TrainingBar(_told), LastEpoch(checkpoint)],
            num_sanity_val_steps=0,
            log_every_n_steps=1,
            enable_model_summary=False,
            precision='bf16-mixed' if not cuda and multiplies_bfloat16() else '32-true',
            # All batches are of one size: to try which convolutions are fastest pays.
            benchmark=cuda,
        )
        run(
            trainer,
            RelativeTraining(model, options, identity),
            *(DataLoader(drawn, size, collate_fn=as_it_is) for drawn in pairs),
            checkpoint if checkpoint.is_file() else None,
        )
    return FittedRelative(model.eval().cpu(), history.epochs)


def _pairs_of(
    scenes: Sequence[SceneMaps], held_out: Sequence[SceneMaps], device: torch.device, count: int
) -> tuple[Dataset, Dataset]:
    """Return what is learned of, so many pairs an epoch, and what is measured on."""
    if fit_into(device, scenes, held_out):
        learned, apart = (ResidentScenes(each, device) for each in (scenes, held_out))
        return (
            ResidentPairs(learned, count),
            ResidentPairs(apart, _HELD_OUT_PAIRS, mirrored=False, seed=0),
        )
    return (
        DrawnPairs(scenes, count),
        DrawnPairs(held_out, _HELD_OUT_PAIRS, mirrored=False, seed=0),
    )


def _told(values: Mapping[str, Any]) -> str:
    if 'held_out/direction_deg' not in values:
        return ''
    direction, rotation = values['held_out/direction_deg'], values['held_out/rotation_deg']
    offset = values['held_out/offset_m']
    return f'{offset:.2f} m, direction {direction:.1f} deg, rotation {rotation:.1f} deg'
