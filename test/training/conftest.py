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

from pathlib import Path

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import encode_jpeg
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation

HEIGHT, WIDTH = 48, 64


def view(place: float) -> np.ndarray:
    """Draw what is seen at a place from 0 to 1 along a corridor: a bright post that moves."""
    rgb = np.full((HEIGHT, WIDTH, 3), (30, 60, 90), dtype=np.uint8)
    left = round(4 + place * (WIDTH - 16))
    rgb[8:40, left : left + 8] = (250, 200, 40)
    return rgb


def pose_at(place: float) -> Pose:
    turned = Rotation.from_euler('xyz', (10, 20, 30 + 40 * place), degrees=True)
    return Pose(turned, np.array([4 * place, 1 + place, 2]), 'map', 'camera')


def make_frames(folder: Path, count: int, sequence: str = '') -> list[Frame]:
    frames = []
    for number in range(count):
        place = number / max(count - 1, 1)
        path = folder / f'{sequence}{number:03d}.jpg'
        encode_jpeg(path, view(place))
        frames.append(Frame(path, pose_at(place), number * 500_000_000, sequence))
    return frames


@pytest.fixture(scope='session')
def corridor(tmp_path_factory) -> list[Frame]:
    """Forty frames of a drive along a corridor, 0.1 m apart."""
    return make_frames(tmp_path_factory.mktemp('corridor'), 40)
