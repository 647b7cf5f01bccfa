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

"""Where a model is, told without loading it."""

from __future__ import annotations

from pathlib import Path

from posenet_ros.errors import ModelError

CARD = 'model.yaml'
WEIGHTS = 'model.safetensors'


def find_model_folder(path: Path) -> Path:
    """
    Return the model folder that a path means: itself, or the `model` folder of a training run.

    Raises ModelError where there is none.
    """
    path = Path(path)
    if not path.exists():
        raise ModelError(f'no model at {path}: there is no such folder')
    for folder in (path, path / 'model'):
        if (folder / CARD).is_file():
            return folder
    if (path / 'run.yaml').is_file():
        raise ModelError(f'{path} holds no model yet: its training has not finished')
    if (path / WEIGHTS).is_file():
        raise ModelError(f'{path} is incomplete: {WEIGHTS} is there but {CARD} is missing')
    raise ModelError(
        f'no model at {path}: expected {CARD} there or in its folder model/ '
        '(the --output of train)'
    )
