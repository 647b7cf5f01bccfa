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

"""Poses to compare, a model that always says the same, and frames on disk."""

import cv2
import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.geometry import Pose
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.posenet import PoseNet
import pytest
from scipy.spatial.transform import Rotation
import torch


@pytest.fixture(scope='session')
def pose():
    def make(x=0.0, y=0.0, z=0.0, degrees=0.0, axis='z'):
        """Return a camera at x y z, turned about an axis of the map."""
        rotation = Rotation.from_euler(axis, degrees, degrees=True)
        return Pose(rotation, [x, y, z], 'map', 'camera')

    return make


@pytest.fixture(scope='session')
def centred_model():
    """Return a network that answers (0, 0, 0.5), not rotated, whatever the image."""
    model = PoseNet(Architecture('mobilenet_v3_small', feature_width=8), auxiliary=False)
    model.set_extent(np.array([[-1.0, -2.0, 0.0], [1.0, 2.0, 1.0]]))
    torch.nn.init.zeros_(model.regressor.weight)
    return model.eval()


@pytest.fixture(scope='session')
def frames(tmp_path_factory, pose):
    """Return five frames of noise along x, one a metre, at one a second."""
    folder = tmp_path_factory.mktemp('images')
    generator = np.random.default_rng(0)
    made = []
    for number in range(5):
        path = folder / f'{number}.png'
        cv2.imwrite(str(path), generator.integers(0, 255, (40, 48, 3), dtype=np.uint8))
        made.append(Frame(path, pose(x=number), number * 10**9))
    return tuple(made)
