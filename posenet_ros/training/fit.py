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

"""Train a PoseNet on frames, with Lightning's loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from posenet_ros.data.dataset import FrameDataset, MEMORY_BYTES, ResizedImages
from posenet_ros.data.depth import Depths
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera
from posenet_ros.models.backbones import build_backbone, Trunk
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.training import graphs
from posenet_ros.training.allocator import keep_freed_memory
from posenet_ros.training.batches import (
    device_of,
    Frames,
    in_parts,
    loader,
    nearest,
    seen_cells,
    several,
    steps_of,
)
from posenet_ros.training.batchnorm import is_folded, unfold_batch_norms
from posenet_ros.training.callbacks import AveragedWeights, History, LastEpoch, TrainingBar
from posenet_ros.training.closed_form import solve_last_layer, views
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.identity import identity_of
from posenet_ros.training.loop import how_to_run, quiet, run
from posenet_ros.training.module import PoseTraining
from posenet_ros.training.refit import solve_again
from posenet_ros.training.scene import SceneTraining, start_scene
import torch
from torch import Tensor

CHECKPOINT = 'last.ckpt'
_BATCHES_TO_MEASURE = 16


@dataclass(frozen=True, eq=False)
class Fitted:
    """
    A trained network in evaluation mode, how to feed it, and what its epochs logged.

    `primary` is false in all processes but the first of a run on several devices.
    """

    model: PoseNet
    preprocessing: Preprocessing
    history: list[dict[str, float]]
    primary: bool = True


def make_trunk(options: TrainOptions) -> Trunk:
    """Return a recipe's backbone with its weights; random ones are decided by its seed."""
    lightning.seed_everything(options.seed, workers=True, verbose=False)
    return build_backbone(options.backbone, options.weights)


def fit(
    train: Sequence[Frame],
    held_out: Sequence[Frame],
    options: TrainOptions,
    log_dir: Path,
    *,
    trunk: Trunk,
    camera: Camera | None = None,
    depths: Depths | None = None,
) -> Fitted:
    """
    Train on `train`, and measure on `held_out` after every epoch without learning from it.

    Nothing is chosen by the held-out frames: the network is that of the last epoch. `trunk` is
    what `make_trunk` gives, made early since a download can fail. `camera` is needed to see
    training images from turned cameras, `depths` by image (see `data.depth`) from moved ones and
    to tell a scene head where things are, by recipes that do so. TensorBoard's logs and a
    checkpoint go to `log_dir`; where there is one already, training goes on from it. Raises
    ModelError for a checkpoint of other frames or weights, KeyboardInterrupt on Ctrl-C.
    """
    lightning.seed_everything(options.seed, workers=True, verbose=False)
    height, width = read_image(train[0].image).shape[:2]
    preprocessing = options.preprocessing(height, width)
    share = len(train) / (len(train) + len(held_out))
    train_images = ResizedImages(train, preprocessing, int(MEMORY_BYTES * share))
    held_out_images = ResizedImages(held_out, preprocessing, int(MEMORY_BYTES * (1 - share)))
    preprocessing = replace(preprocessing, mean=train_images.mean, std=trunk.backbone.std)
    augmentation = options.augmentation()
    depths = depths if options.wants_depths else None
    frames = FrameDataset(train, train_images, preprocessing, augmentation, camera, depths)
    training_set = nearest(frames, options)
    held_out_set = nearest(FrameDataset(held_out, held_out_images, preprocessing), options)
    model = PoseNet(options.architecture(), trunk).to(memory_format=torch.channels_last)
    if options.standardise:
        model.set_extent(frames.positions_N3)
    else:
        model.scale_rows(frames.positions_N3)
    if model.scene is not None:
        if camera is None:
            raise ConfigError('a scene head needs intrinsics of the camera: --set head=linear')
        if not (options.epochs or options.iterations):
            raise ConfigError('a scene head has to learn: give epochs, or --set head=linear')
        model.set_camera(camera, preprocessing)
        start_scene(model, train)
    model.to(device_of(training_set))
    history = History()
    with quiet():
        batch_size, parts = in_parts(min(options.batch_size, len(train)), preprocessing.crop)
        callbacks: list[Callback] = [history]
        if model.scene is None:
            callbacks += _replaying(training_set, batch_size)
        else:
            parts = 1
        callbacks += [TrainingBar(), LastEpoch(log_dir / CHECKPOINT)]
        if options.average:
            steps = options.epochs_for(len(train)) * steps_of(model, training_set, options)
            kept = max(options.average * steps, 1.0)
            callbacks.append(AveragedWeights(decay=1 - 1 / kept))
        trainer = _trainer(options, log_dir, callbacks, parts, len(train))
        if not torch.cuda.is_available():
            keep_freed_memory()
        _settle_norms(trunk, training_set, batch_size, options)
        checkpoint = log_dir / CHECKPOINT
        # Where there are no epochs, there is none to go on from.
        begun = bool(trainer.max_epochs) and checkpoint.is_file()
        solved = model.architecture.solved
        if solved and not begun:
            solve_last_layer(model, views(training_set, batch_size))
        if trainer.max_epochs:
            identity = identity_of(train, held_out, options)
            if model.scene is None:
                module = PoseTraining(model, options, identity)
                learned = loader(training_set, batch_size, shuffle=True)
            else:
                module = SceneTraining(model, options, identity)
                learned = seen_cells(model, training_set, batch_size)
            run(
                trainer,
                module,
                learned,
                loader(held_out_set, batch_size),
                checkpoint if begun else None,
            )
    if solved and model.scene is None:
        solve_again(model, training_set, options)
    return Fitted(model.eval().cpu(), preprocessing, history.epochs, trainer.is_global_zero)


def _settle_norms(trunk: Trunk, dataset: Frames, batch_size: int, options: TrainOptions) -> None:
    """Make batch norms that came with weights fit to be trained, or keep them from it."""
    pretrained = options.weights != 'none'
    if pretrained and options.freeze_norms:
        trunk.freeze_norms()
    elif pretrained and is_folded(trunk):
        unfold_batch_norms(trunk, _some_images(dataset, batch_size))


def _some_images(dataset: Frames, batch_size: int) -> Iterator[Tensor]:
    """Yield a few batches of training images, evenly spread over the recording."""
    step = max(len(dataset) // (_BATCHES_TO_MEASURE * batch_size), 1)
    spread = list(range(0, len(dataset), step))
    for start in range(0, len(spread), batch_size):
        yield dataset.__getitems__(spread[start : start + batch_size]).image_B3HW


def _replaying(dataset: Frames, batch_size: int) -> list[Callback]:
    """Return what makes CUDA graphs, where that is wanted and all batches lie on the GPU."""
    if graphs.REPLAYED and device_of(dataset).type == 'cuda':
        return [graphs.ReplayedPasses(batch_size, dataset.crop)]
    return []


def _trainer(
    options: TrainOptions, log_dir: Path, callbacks: list[Callback], parts: int, frames: int
) -> lightning.Trainer:
    return lightning.Trainer(
        **how_to_run(options, frames),
        devices=options.devices,
        num_nodes=options.nodes,
        strategy='ddp' if several(options) else 'auto',
        sync_batchnorm=several(options) and torch.cuda.is_available(),
        accumulate_grad_batches=parts,
        enable_checkpointing=True,
        logger=TensorBoardLogger(log_dir, name='', version=''),
        callbacks=callbacks,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        enable_model_summary=False,
    )
