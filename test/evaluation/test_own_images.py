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

"""Which images foreign ones are made of."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from posenet_ros.data.frames import Frame, Scene
from posenet_ros.evaluation import own_images as module
from posenet_ros.evaluation.own_images import own_images
from posenet_ros.evaluation.request import Request
from posenet_ros.geometry import Pose
import pytest

OF_DATASET = '7scenes:kitchen'


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return the folder of a run; a data set has 3 frames of training, a capture 2."""

    def frames(first, count):
        made = []
        for number in range(first, first + count):
            path = tmp_path / f'{number}.png'
            cv2.imwrite(str(path), np.full((6, 8, 3), number, dtype=np.uint8))
            made.append(Frame(path, Pose.identity('map', 'camera'), number))
        return tuple(made)

    def scene(spec, test_frames=None):
        if spec == OF_DATASET:
            return Scene(spec, frames(10, 3), frames(20, 4))
        return Scene(spec, frames(30, 2))

    monkeypatch.setattr(module, 'read_scene', scene)
    monkeypatch.setattr(module, 'find_model_folder', lambda model: model / 'model')
    return tmp_path


def shades(own):
    return [int(rgb[0, 0, 0]) for rgb in own.some(range(len(own)))]


def test_they_are_of_the_training_part(run):
    request = Request(model=run, dataset=OF_DATASET)
    assert shades(own_images(request)) == [10, 11, 12]


def test_labels_alone_are_no_capture(run):
    (run / 'capture').mkdir()
    request = Request(model=run, dataset=OF_DATASET)
    assert shades(own_images(request)) == [10, 11, 12]


def test_they_are_of_the_capture_where_there_is_one(run):
    (run / 'capture' / 'images').mkdir(parents=True)
    for request in (
        Request(model=run, dataset=OF_DATASET),
        Request(model=run, bag=Path('bag'), truth=Path('truth.tum')),
    ):
        assert shades(own_images(request)) == [30, 31]
