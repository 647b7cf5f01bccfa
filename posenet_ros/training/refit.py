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

"""What a trained network learns of the frames that served to measure it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import lightning
from posenet_ros.data.dataset import FrameDataset, ResizedImages
from posenet_ros.data.depth import Depths
from posenet_ros.data.frames import Frame
from posenet_ros.geometry import Camera
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.training.batches import device_of, Frames, in_parts, nearest, seen_cells
from posenet_ros.training.callbacks import TrainingBar
from posenet_ros.training.closed_form import solve_last_layer, views
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.loop import how_to_run, quiet, run
from posenet_ros.training.scene import SceneTraining

# A scene head goes on for this share of its epochs, and at this share of its rate.
_AGAIN = 0.3


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
    depths = depths if options.wants_depths else None
    dataset = FrameDataset(frames, images, preprocessing, augmentation, camera, depths)
    there = nearest(dataset, options)
    solve_again(model, there, options)
    if model.scene is not None:
        _learn_on(model, there, options)


def _learn_on(model: PoseNet, dataset: Frames, options: TrainOptions) -> None:
    """Let a scene head that has learned go on with other frames, for a share of its epochs."""
    epochs = max(round(_AGAIN * options.epochs_for(len(dataset))), 1)
    options = replace(
        options.for_epochs(epochs), scene_rate=_AGAIN * options.scene_rate, average=0.0
    )
    batch_size, _ = in_parts(min(options.batch_size, len(dataset)), dataset.crop)
    model.to(device_of(dataset))
    with quiet():
        trainer = lightning.Trainer(
            **how_to_run(options, len(dataset)),
            devices=1,
            enable_checkpointing=False,
            logger=False,
            callbacks=[TrainingBar()],
            num_sanity_val_steps=0,
            enable_model_summary=False,
        )
        learned = seen_cells(model, dataset, batch_size)
        run(trainer, SceneTraining(model, options, {}), learned, None, None)
    model.eval().cpu()


def solve_again(model: PoseNet, dataset: Frames, options: TrainOptions) -> None:
    """Solve for the last layer of a trained model once more, for what it still gets wrong."""
    # The views are random, and a training that goes on where it had ended must end the same.
    lightning.seed_everything(options.seed, workers=True, verbose=False)
    batch_size, _ = in_parts(min(options.batch_size, len(dataset)), dataset.crop)
    model.eval().to(device_of(dataset))
    solve_last_layer(model, views(dataset, batch_size), from_nothing=False)
    model.cpu()
