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

"""A tiny model, and its folder on disk."""

from pathlib import Path

import numpy as np
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.card import ModelCard
from posenet_ros.models.checkpoint import LoadedModel, save_model, TrainingFeatures
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
import pytest
import torch


@pytest.fixture(scope='session')
def loaded():
    torch.manual_seed(0)
    architecture = Architecture('mobilenet_v3_small', feature_width=16)
    model = PoseNet(architecture, auxiliary=False)
    model.set_extent(np.array([[-1.0, -2.0, 0.0], [1.0, 2.0, 1.0]]))
    card = ModelCard(
        architecture,
        Preprocessing(short_side=72, crop=(64, 64)),
        camera=None,
        extent=np.array([[-1, -2, 0], [1, 2, 1]]),
        covariance=np.diag([0.04, 0.04, 0.04, 0.01, 0.01, 0.01]),
    )
    features = TrainingFeatures(
        np.eye(3, 576, dtype=np.float16),
        np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]], dtype=np.float32),
        np.array([[1, 0, 0, 0]] * 3, dtype=np.float32),
        np.arange(3) * 10**9,
    )
    return LoadedModel(
        model.eval(), card, features, torch.device('cpu'), Path('model'), frozenset()
    )


@pytest.fixture(scope='session')
def model_folder(loaded, tmp_path_factory):
    folder = tmp_path_factory.mktemp('run') / 'model'
    save_model(folder, loaded.model, loaded.card, loaded.features)
    return folder


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
