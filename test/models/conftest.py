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

from __future__ import annotations

import numpy as np
from posenet_ros.geometry import Camera
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.card import ModelCard
from posenet_ros.models.checkpoint import TrainingFeatures
from posenet_ros.models.map_card import Measure
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.models.trust import Trust
import pytest
import torch

SMALL = Architecture('mobilenet_v3_small', feature_width=16)


@pytest.fixture
def model() -> PoseNet:
    torch.manual_seed(0)
    model = PoseNet(SMALL)
    model.set_extent(np.array([[0.0, 0, 1], [4, 2, 1]]))
    return model.eval()


@pytest.fixture
def card() -> ModelCard:
    return ModelCard(
        SMALL,
        Preprocessing(72, (64, 64), mean=(0.4, 0.5, 0.6)),
        camera=Camera(640, 480, 525.0, 525.0, 319.5, 239.5),
        extent=np.array([[0.0, 0, 1], [4, 2, 1]]),
        training={'frames': 2, 'seed': 0},
        errors={'model': {'median_position_m': 0.25}},
        covariance=np.diag([0.04, 0.04, 0.01, 1e-3, 1e-3, 1e-3]),
        retrieval=Measure(
            np.eye(6), Trust(0.0, 0.1, 2.0, 1.0, 0.2, (0.0,) * 6, 3.0, 12.0, 0.5, 0.1, 0.2)
        ),
    )


@pytest.fixture
def features() -> TrainingFeatures:
    return TrainingFeatures(
        np.eye(2, 576, dtype=np.float16),
        np.array([[0, 0, 1], [4, 2, 1]], dtype=np.float32),
        np.array([[1, 0, 0, 0], [0, 1, 0, 0]], dtype=np.float32),
        np.array([10**18 + 1, 10**18 + 2]),
    )
