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

"""A model that was trained on nothing: it answers as fast as any other, and needs no files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from posenet_ros.geometry import Camera
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.models.card import ModelCard
from posenet_ros.models.checkpoint import LoadedModel, TrainingFeatures
from posenet_ros.models.map_card import Measure
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.trust import Trust
from posenet_ros.performance.images import CAMERA, camera_images
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.recipes import read_recipe
import torch
from torch import nn

_IMAGES = 8
# Every image is answered, whatever it looks like.
TRUSTING = Trust(0.0, 0.1, 1.0, 1.0, 0.2, (0.0,) * 6, 3.0, 12.0, 2.0, 0.0, 0.0)


@torch.no_grad()
def untrained_model(
    backbone: str, recipe: str, device: torch.device, frames: int = 100
) -> LoadedModel:
    """
    Return a model as a recipe would train it, with random weights, for 640x480 images.

    Its batch norms have seen a few images, so that activations are of the size that they have in
    a trained one. It says that it was trained on so many `frames`. Raises ConfigError for a
    backbone or a recipe that there is not.
    """
    asked = {**read_recipe(recipe), 'backbone': backbone, 'weights': 'none'}
    options = TrainOptions.from_dict(asked)
    width, height = CAMERA
    torch.manual_seed(0)
    model = PoseNet(options.architecture(), auxiliary=False)
    extent = np.array([[-2.0, -2.0, 0.0], [2.0, 2.0, 1.0]])
    model.set_extent(extent)
    # An untrained head says the same of every image, whatever the trunk does.
    nn.init.normal_(model.regressor.weight, std=0.1)
    preprocessing = options.preprocessing(height, width)
    camera = Camera(width, height, width, width, (width - 1) / 2, (height - 1) / 2)
    if model.scene is not None:
        model.set_camera(camera, preprocessing)
    images = camera_images(_IMAGES)
    _settle_norms(model, torch.stack([preprocessing.prepare(rgb) for rgb in images]))
    regressor = PoseRegressor(model, preprocessing, device)
    features = regressor.learn_places(images)
    card = ModelCard(
        options.architecture(),
        preprocessing,
        None if model.scene is None else Measure(np.eye(6), TRUSTING),
        camera=camera,
        extent=extent,
        covariance=np.eye(6),
        trust=TRUSTING,
    )
    training = training_of(features.astype(np.float16), frames)
    return LoadedModel(model, card, training, device, Path(), frozenset())


def training_of(features_NK: np.ndarray, frames: int) -> TrainingFeatures:
    """Return the features of so many frames, all different, about those of a few."""
    generator = np.random.default_rng(0)
    repeated = np.resize(features_NK, (frames, features_NK.shape[1])).astype(np.float32)
    noise = generator.standard_normal(repeated.shape, dtype=np.float32)
    length = np.linalg.norm(repeated, axis=1, keepdims=True) / repeated.shape[1] ** 0.5
    return TrainingFeatures(
        (repeated + 0.3 * length * noise).astype(np.float16),
        np.zeros((frames, 3), dtype=np.float32),
        np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (frames, 1)),
        np.arange(frames, dtype=np.int64),
    )


def _settle_norms(model: PoseNet, image_B3HW: torch.Tensor) -> None:
    norms = [each for each in model.trunk.modules() if isinstance(each, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    model.trunk.train()
    model.trunk(image_B3HW)
    model.eval()
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
