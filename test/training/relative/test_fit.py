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

"""That a network of relative poses learns, goes on from where it was, and refuses what it must."""

from dataclasses import replace
import math

import numpy as np
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.models.relative import RelativeArchitecture, RelativePoseNet
from posenet_ros.training.relative import fit
from posenet_ros.training.relative.fit import fit_relative
from posenet_ros.training.relative.module import RelativeOptions, RelativeTraining
import pytest
import torch

SMALL = RelativeArchitecture(key=8, width=8, dropout=0.0)
IDENTITY = {'labels_sha256': 'a', 'trained_on_sha256': 'b', 'weights_sha256': None}


@pytest.fixture
def telling_scenes(make_scene):
    """Scenes whose maps tell where cameras are, in a way that is the same in all of them."""

    def make(seed):
        scene = make_scene(seed)
        turned = scene.rotations_N33[:, :2, 2]
        told = np.concatenate([scene.centres_N3, turned], axis=1)
        maps = np.broadcast_to(told[:, :, None, None], (len(scene), 5, 3, 4))
        return replace(scene, maps_NChw=maps.astype(np.float16))

    return [make(seed) for seed in range(6)]


def test_it_learns_what_carries_over_to_other_scenes(telling_scenes, tmp_path):
    options = RelativeOptions(steps=200, batch_size=32, learning_rate=5e-3)
    network = RelativePoseNet(replace(SMALL, matcher='pooled'), 5)
    found = fit_relative(
        telling_scenes[1:], telling_scenes[:1], network, options, tmp_path, IDENTITY
    )
    (after,) = found.history
    # By chance directions are 90 degrees off.
    assert after['held_out/direction_deg'] < 75
    assert not found.model.training
    assert after.keys() >= {'train/loss', 'held_out/offset_m', 'held_out/rotation_deg'}


@pytest.mark.parametrize('bfloat16', [False, True])
def test_it_learns_with_and_without_products_in_bfloat16(
    telling_scenes, tmp_path, monkeypatch, bfloat16
):
    monkeypatch.setattr(fit, 'multiplies_bfloat16', lambda: bfloat16)
    options = RelativeOptions(steps=40, batch_size=16, learning_rate=5e-3)
    network = RelativePoseNet(SMALL, 5)
    found = fit_relative(
        telling_scenes[1:], telling_scenes[:1], network, options, tmp_path, IDENTITY
    )
    (after,) = found.history
    assert all(math.isfinite(value) for value in after.values())
    # What it tells of its errors has become about as large as they are.
    assert 0.3 < after['held_out/error_by_told'] < 3
    assert next(found.model.parameters()).dtype == torch.float32


def test_gradients_of_what_is_told_of_errors_leave_the_others_as_long(telling_scenes):
    """However wrong it is of its errors, the rest is cut as if there were nothing of that."""
    torch.manual_seed(0)
    module = RelativeTraining(RelativePoseNet(SMALL, 5), RelativeOptions(), IDENTITY)
    for name, parameter in module.model.named_parameters():
        parameter.grad = torch.full_like(parameter, 100.0 if name.startswith('doubts') else 1.0)
    module.configure_gradient_clipping(None)
    for doubts in (False, True):
        parts = [
            parameter.grad.flatten()
            for name, parameter in module.model.named_parameters()
            if name.startswith('doubts') == doubts
        ]
        assert torch.cat(parts).norm() == pytest.approx(1, abs=1e-3)


@pytest.fixture
def steps_taken(monkeypatch):
    taken = []
    original = RelativeTraining.training_step

    def step(self, batch, batch_index):
        taken.append(batch_index)
        return original(self, batch, batch_index)

    monkeypatch.setattr(RelativeTraining, 'training_step', step)
    return taken


def test_a_training_that_ended_is_not_begun_anew_and_another_is_refused(
    telling_scenes, tmp_path, steps_taken
):
    options = RelativeOptions(steps=3, batch_size=8)
    scenes = telling_scenes[1:], telling_scenes[:1]

    def fitted(identity):
        network = RelativePoseNet(SMALL, 5)
        return fit_relative(*scenes, network, options, tmp_path, identity)

    first = fitted(IDENTITY)
    assert len(steps_taken) == 3
    again = fitted(IDENTITY)
    assert len(steps_taken) == 3
    for one, other in zip(
        first.model.state_dict().values(), again.model.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, other)
    with pytest.raises(ModelError, match='frames to train on'):
        fitted({**IDENTITY, 'trained_on_sha256': 'c'})


def test_without_scenes_to_measure_on_nothing_begins(telling_scenes, tmp_path):
    with pytest.raises(ConfigError, match='of some scenes and measured on others'):
        fit_relative(
            telling_scenes, [], RelativePoseNet(SMALL, 5), RelativeOptions(), tmp_path, IDENTITY
        )
    for values in (
        *({'steps': 0}, {'batch_size': 1}, {'learning_rate': 0.0}),
        *({'learning_rate': math.inf}, {'weight_decay': math.nan}, {'warmup': 1.0}),
    ):
        with pytest.raises(ConfigError):
            RelativeOptions(**values)
