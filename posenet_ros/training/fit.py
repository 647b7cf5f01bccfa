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
from contextlib import contextmanager
from dataclasses import dataclass, replace
import logging
import math
from pathlib import Path
import signal
import threading
from typing import Any
import warnings
import zipfile

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from posenet_ros.data.dataset import as_it_is, FrameDataset, MEMORY_BYTES, ResizedImages
from posenet_ros.data.depth import Depths
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.geometry import Camera
from posenet_ros.machine import cores
from posenet_ros.models.backbones import build_backbone, Trunk
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.training import graphs
from posenet_ros.training.allocator import keep_freed_memory
from posenet_ros.training.batchnorm import is_folded, unfold_batch_norms
from posenet_ros.training.callbacks import AveragedWeights, History, LastEpoch, TrainingBar
from posenet_ros.training.closed_form import solve_last_layer, views, views_of
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.identity import identity_of
from posenet_ros.training.module import PoseTraining
from posenet_ros.training.precision import half_precision, multiplies_bfloat16
from posenet_ros.training.resident import resident, ResidentFrames, ResidentLoader
from posenet_ros.training.scene import SceneTraining, SeenCells, start_scene
import torch
from torch import Tensor
from torch.utils.data import DataLoader

CHECKPOINT = 'last.ckpt'
Frames = FrameDataset | ResidentFrames
# Eleven images of the paper's size.
_PIXELS_AT_ONCE = 11 * 224 * 224
_BATCHES_TO_MEASURE = 16
# Of batches of training: without gradients they need less memory than one does with them.
_MEASURED_AT_ONCE = 4
# Views whose cells a scene head learns of, and for which share of its epochs, and of the rate, it
# goes on with the held-out frames too.
_MOST_SEEN = 8192
_AGAIN = 0.3


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
    training images from turned cameras, `depths` by image (see `data.depth`) from moved ones.
    TensorBoard's logs and a checkpoint go to `log_dir`; where there is one already, training goes
    on from it. Raises ModelError for a checkpoint of other frames or weights, KeyboardInterrupt
    on Ctrl-C.
    """
    lightning.seed_everything(options.seed, workers=True, verbose=False)
    height, width = read_image(train[0].image).shape[:2]
    preprocessing = options.preprocessing(height, width)
    share = len(train) / (len(train) + len(held_out))
    train_images = ResizedImages(train, preprocessing, int(MEMORY_BYTES * share))
    held_out_images = ResizedImages(held_out, preprocessing, int(MEMORY_BYTES * (1 - share)))
    preprocessing = replace(preprocessing, mean=train_images.mean, std=trunk.backbone.std)
    augmentation = options.augmentation()
    frames = FrameDataset(train, train_images, preprocessing, augmentation, camera, depths)
    training_set = _nearest(frames, options)
    held_out_set = _nearest(FrameDataset(held_out, held_out_images, preprocessing), options)
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
    model.to(_device_of(training_set))
    history = History()
    with quiet():
        batch_size, parts = _in_parts(min(options.batch_size, len(train)), preprocessing.crop)
        callbacks: list[Callback] = [history]
        if model.scene is None:
            callbacks += _replaying(training_set, batch_size)
        else:
            parts = 1
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
                learned = _loader(training_set, batch_size, shuffle=True)
            else:
                module = SceneTraining(model, options, identity)
                learned = _cells(model, training_set, batch_size)
            run(
                trainer,
                module,
                learned,
                _loader(held_out_set, batch_size),
                checkpoint if begun else None,
            )
    if solved and model.scene is None:
        _solve_again(model, training_set, options)
    return Fitted(model.eval().cpu(), preprocessing, history.epochs, trainer.is_global_zero)


def refit(
    model: PoseNet,
    preprocessing: Preprocessing,
    frames: Sequence[Frame],
    options: TrainOptions,
    camera: Camera | None = None,
    depths: Depths | None = None,
) -> None:
    """
    Solve for the last layer of a trained model on these frames; see `Architecture.solved`.

    A scene head goes on learning from them for a while too. Frames which served to measure serve
    to locate afterwards.
    """
    images = ResizedImages(frames, preprocessing)
    augmentation = options.augmentation()
    dataset = FrameDataset(frames, images, preprocessing, augmentation, camera, depths)
    nearest = _nearest(dataset, options)
    _solve_again(model, nearest, options)
    if model.scene is not None:
        _learn_on(model, nearest, options)


def _learn_on(model: PoseNet, dataset: Frames, options: TrainOptions) -> None:
    """Let a scene head that has learned go on with other frames, for a share of its epochs."""
    epochs = options.epochs_for(len(dataset))
    options = replace(
        options,
        epochs=max(round(_AGAIN * epochs), 1),
        iterations=0,
        scene_rate=_AGAIN * options.scene_rate,
        average=0.0,
    )
    batch_size, _ = _in_parts(min(options.batch_size, len(dataset)), dataset.crop)
    model.to(_device_of(dataset))
    with quiet():
        trainer = lightning.Trainer(
            **_how(options, len(dataset)),
            devices=1,
            enable_checkpointing=False,
            logger=False,
            callbacks=[TrainingBar()],
            num_sanity_val_steps=0,
            enable_model_summary=False,
        )
        learned = _cells(model, dataset, batch_size)
        run(trainer, SceneTraining(model, options, {}), learned, None, None)
    model.eval().cpu()


def _cells(model: PoseNet, dataset: Frames, batch_size: int) -> SeenCells:
    # Of very many images one view each, so that none is left out.
    most = max(_MOST_SEEN, len(dataset))
    seen = views(dataset, batch_size, most, 'looking at cells')
    return SeenCells(model, seen, views_of(dataset, most))


def _solve_again(model: PoseNet, dataset: Frames, options: TrainOptions) -> None:
    # The views are random, and a training that goes on where it had ended must end the same.
    lightning.seed_everything(options.seed, workers=True, verbose=False)
    batch_size, _ = _in_parts(min(options.batch_size, len(dataset)), dataset.crop)
    model.eval().to(_device_of(dataset))
    solve_last_layer(model, views(dataset, batch_size), from_nothing=False)
    model.cpu()


def _nearest(dataset: FrameDataset, options: TrainOptions) -> Frames:
    """Return a dataset's frames on the GPU where they can stay there, or the dataset."""
    return resident(dataset, _gpu(options)) or dataset


def _gpu(options: TrainOptions) -> torch.device | None:
    """Return the GPU on which frames can stay; several would each need a share of them."""
    if torch.cuda.is_available() and not _several(options):
        # Lightning's choice of one.
        return torch.device('cuda', 0)
    return None


def _several(options: TrainOptions) -> bool:
    return options.devices * options.nodes > 1


def _device_of(dataset: Frames) -> torch.device:
    """Return where a dataset's batches are, and a model has to be that sees them."""
    return dataset.device if isinstance(dataset, ResidentFrames) else torch.device('cpu')


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


def _in_parts(batch_size: int, crop: tuple[int, int]) -> tuple[int, int]:
    """Return how many images go through the network at once, and how often for one step."""
    if torch.cuda.is_available():
        return batch_size, 1
    # What a step keeps for its gradients must fit beside everything else into 3 GiB.
    at_once = max(_PIXELS_AT_ONCE // (crop[0] * crop[1]), 1)
    parts = math.ceil(batch_size / at_once)
    return math.ceil(batch_size / parts), parts


def _loader(
    dataset: Frames, batch_size: int, *, shuffle: bool = False
) -> DataLoader | ResidentLoader:
    """Return what goes through a dataset; shuffled, it leaves out a last part of a batch."""
    if isinstance(dataset, ResidentFrames):
        at_once = batch_size if shuffle else batch_size * _MEASURED_AT_ONCE
        return ResidentLoader(dataset, min(at_once, len(dataset)), shuffle=shuffle)
    # Cropping takes a few milliseconds a batch. Reading files takes longer than a GPU does; a
    # CPU is the one that would have to do it either way, and each process takes memory.
    idle = dataset.images.all_in_memory or not torch.cuda.is_available()
    workers = 0 if idle else min(max(cores() // 2, 1), 8)
    return DataLoader(
        dataset,
        batch_size=min(batch_size, len(dataset)),
        shuffle=shuffle,
        # Batch normalisation suffers from a last batch of one or two images.
        drop_last=shuffle,
        collate_fn=as_it_is,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def _replaying(dataset: Frames, batch_size: int) -> list[Callback]:
    """Return what makes CUDA graphs, where that is wanted and all batches lie on the GPU."""
    if graphs.REPLAYED and _device_of(dataset).type == 'cuda':
        return [graphs.ReplayedPasses(batch_size, dataset.crop)]
    return []


def _how(options: TrainOptions, frames: int) -> dict[str, Any]:
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


def _trainer(
    options: TrainOptions, log_dir: Path, callbacks: list[Callback], parts: int, frames: int
) -> lightning.Trainer:
    callbacks = [*callbacks, TrainingBar(), LastEpoch(log_dir / CHECKPOINT)]
    epochs = options.epochs_for(frames)
    if options.average:
        steps = max(frames // options.batch_size, 1) * epochs
        kept = max(options.average * steps, 1.0)
        callbacks.append(AveragedWeights(decay=1 - 1 / kept))
    return lightning.Trainer(
        **_how(options, frames),
        devices=options.devices,
        num_nodes=options.nodes,
        strategy='ddp' if _several(options) else 'auto',
        sync_batchnorm=_several(options) and torch.cuda.is_available(),
        accumulate_grad_batches=parts,
        enable_checkpointing=True,
        logger=TensorBoardLogger(log_dir, name='', version=''),
        callbacks=callbacks,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        enable_model_summary=False,
    )


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
