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

"""The model of another scene, whose trunk a figure takes."""

from __future__ import annotations

from pathlib import Path

from posenet_ros.errors import ConfigError
from posenet_ros.explain.subject import Subject
from posenet_ros.models.checkpoint import load_model, LoadedModel


def open_other(subject: Subject, folder: Path) -> LoadedModel:
    """
    Open the model of another scene, of the same backbone.

    Raises ConfigError for another backbone or the same scene, and what `load_model` raises.
    """
    loaded = load_model(folder, subject.loaded.device)
    backbones = [each.card.architecture.backbone for each in (loaded, subject.loaded)]
    if backbones[0] != backbones[1]:
        raise ConfigError(
            f'the model {folder} has a {backbones[0]} for a trunk, this one a {backbones[1]}; '
            'give --trunk a model of the same backbone'
        )
    scenes = [_scene(each) for each in (loaded, subject.loaded)]
    if scenes[0] & scenes[1]:
        raise ConfigError(f'{folder} was trained on this scene; give --trunk one of another')
    return loaded


def _scene(loaded: LoadedModel) -> set[str]:
    """Return what a scene is known by: its labels, its recordings, or its data set."""
    training = loaded.card.training
    recordings = [each['sample_sha256'] for each in training.get('recordings', ())]
    return {training['labels_sha256'], *recordings, *([] if recordings else [training['source']])}
