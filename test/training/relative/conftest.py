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

"""Tiny scenes of random maps, and one of real images."""

from __future__ import annotations

import numpy as np
from posenet_ros.data.pairs import find_pairs
from posenet_ros.geometry import Camera, Pose
from posenet_ros.models.relative import cell_rays, Cells
from posenet_ros.training.relative.scene_maps import SceneMaps
import pytest
from scipy.spatial.transform import Rotation

CAMERA = Camera(64, 48, 40.0, 40.0, 31.5, 23.5)
SHAPE = (3, 4)
CELLS = Cells(SHAPE, (64, 48), (7.5, 7.5), 16.0)


def poses_of(count, rng):
    turns = Rotation.from_rotvec(0.2 * rng.standard_normal((count, 3)))
    return [
        Pose(turn, centre, 'map', 'camera')
        for turn, centre in zip(turns, 0.4 * rng.standard_normal((count, 3)), strict=True)
    ]


@pytest.fixture
def make_scene():
    def make(seed, count=12, maps=None):
        rng = np.random.default_rng(seed)
        poses = poses_of(count, rng)
        if maps is None:
            maps = rng.standard_normal((count, 5, *SHAPE))
        return SceneMaps(
            f'scene {seed}',
            maps.astype(np.float16),
            cell_rays(CAMERA, CELLS),
            np.array([pose.translation for pose in poses]),
            np.array([pose.rotation.as_matrix() for pose in poses]),
            find_pairs(poses, CAMERA),
        )

    return make
