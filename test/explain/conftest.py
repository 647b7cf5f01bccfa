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

"""A tiny scene, and a model that was trained on it."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from dataclasses import replace
import io
from pathlib import Path

from posenet_ros.__main__ import main
from posenet_ros.explain.subject import open_subject, Subject
from posenet_ros.geometry import Pose
from posenet_ros.models.posenet import PosePrediction
import pytest
import torch
import torchvision

TEST_FRAMES = '8:12:16'
QUICK = ('--backbone', 'mobilenet_v3_small', '--image-size', '32', '--epochs', '1')
QUICK += ('--batch-size', '8', '--set', 'pool=1', '--set', 'wide=false')


@pytest.fixture(scope='session')
def scene(write_corridor, tmp_path_factory) -> Path:
    """Make 48 frames in the layout of 7-Scenes."""
    return write_corridor(tmp_path_factory.mktemp('scenes') / 'corridor', 48)


@pytest.fixture(scope='session')
def finished(scene, tmp_path_factory) -> Path:
    """Train by the default recipe from weights in a file; return the run's folder."""
    folder = tmp_path_factory.mktemp('runs')
    torch.manual_seed(0)
    weights = torchvision.models.mobilenet_v3_small().state_dict()
    torch.save(weights, folder / 'weights.pt')
    words = ['train', '--dataset', f'7scenes:{scene}', '--test-frames', TEST_FRAMES, *QUICK]
    words += ['--weights', str(folder / 'weights.pt'), '--output', str(folder / 'run')]
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(words) == 0
    return folder / 'run'


@pytest.fixture(scope='session')
def subject(scene, finished) -> Subject:
    """Open the model: 36 frames of training, 12 of test."""
    return open_subject(finished, f'7scenes:{scene}', TEST_FRAMES, 'cpu')


class Says(torch.nn.Module):
    """A network that answers one pose, or nothing that is a pose, whatever the image."""

    def __init__(self, pose: Pose | None, width: int):
        super().__init__()
        position = torch.full((1, 3), torch.nan)
        quaternion = torch.tensor([[1.0, 0, 0, 0]])
        if pose is not None:
            position = torch.tensor(pose.translation[None], dtype=torch.float32)
            quaternion = torch.tensor([pose.quaternion()])
        self.register_buffer('position', position)
        self.register_buffer('quaternion', quaternion)
        self.register_buffer('feature', torch.ones(1, width))

    def forward(self, image_B3HW):
        values = (self.position, self.quaternion, self.feature)
        return PosePrediction(*(value.repeat(len(image_B3HW), 1) for value in values))


@pytest.fixture(scope='session')
def answering(subject) -> Callable[..., Subject]:
    """Return a function that has the subject's model answer one pose, or none."""

    def make(pose: Pose | None, **changes) -> Subject:
        model = Says(pose, subject.loaded.features.features_NK.shape[1])
        return replace(subject, loaded=replace(subject.loaded, model=model), **changes)

    return make
