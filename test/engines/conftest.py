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

"""A small network whose trunk, heads and feature all say something."""

import numpy as np
from posenet_ros.geometry import Camera
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
import pytest
import torch


@pytest.fixture(scope='session')
def make_network():
    """Return a function that makes a network with norms that are not the identity."""

    def make(backbone='mobilenet_v3_small', **how):
        torch.manual_seed(0)
        model = PoseNet(Architecture(backbone, **how), auxiliary=False)
        model.set_extent(np.array([[-1.0, -2.0, 0.0], [3.0, 2.0, 1.0]]))
        torch.nn.init.normal_(model.regressor.weight, std=0.3)
        images = torch.randn(6, 3, 64, 96)
        with torch.no_grad():
            for module in model.trunk.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.momentum = None
            model.trunk.train()
            model.trunk(images)
            model.eval()
            model.place.measure(model.describe_place(images))
        return model

    return make


@pytest.fixture(scope='session')
def network(make_network):
    return make_network(head='linear', levels=2, pool=2, rotation='6d', dropout=0.0)


@pytest.fixture(scope='session')
def scene_network(make_network, preprocessing):
    how = {'levels': 3, 'pool': 2, 'rotation': '6d', 'dropout': 0.0}
    model = make_network(head='scene', **how)
    model.set_camera(Camera(640, 480, 500.0, 500.0, 319.5, 239.5), preprocessing)
    model.scene.unit.fill_(4)
    return model


@pytest.fixture(scope='session')
def preprocessing():
    return Preprocessing(short_side=72, crop=(64, 96))
