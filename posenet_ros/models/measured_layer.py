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

"""The last layer that a training was measured with, before it knew the held-out frames too."""

from __future__ import annotations

from pathlib import Path

from posenet_ros.errors import ModelError
from posenet_ros.models.posenet import PoseNet
from safetensors import SafetensorError
from safetensors.torch import load_file as load_tensors
from safetensors.torch import save_file as save_tensors
from torch import nn

_FILE = Path('logs', 'measured_last_layer.safetensors')


def keep_measured_layer(run: Path, model: PoseNet) -> None:
    """Keep the last layer of a model in the folder of its run."""
    save_tensors(_layers(model).state_dict(), run / _FILE)


def restore_measured_layer(run: Path, model: PoseNet) -> None:
    """
    Give a model the last layer that was measured, so that held-out frames are new to it again.

    Only a model whose last layer is solved for was ever given another, and a scene head with it.
    Raises ModelError where the layer is gone.
    """
    if not model.architecture.solved:
        return
    path = run / _FILE
    try:
        _layers(model).load_state_dict(load_tensors(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(
            f'{path} is gone or damaged, and the last layer of the model knows the held-out '
            'frames: remove the model of the run to train again'
        ) from error


def _layers(model: PoseNet) -> nn.Module:
    """Return what goes on learning after it was measured."""
    if model.scene is None:
        return model.regressor
    return nn.ModuleDict({'regressor': model.regressor, 'scene': model.scene})
