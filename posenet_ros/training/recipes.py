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

"""Sets of training options that belong together, by name or from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posenet_ros.errors import ConfigError
from posenet_ros.files import read_yaml

RECIPES: Mapping[str, Mapping[str, Any]] = {
    'default': {},
    # Without pre-trained weights, on a CPU, in minutes: a small image keeps the whole view, a
    # grid tells where in it things are, and turned cameras stand in for frames that are not
    # there. The network starts from nothing, so nothing of it is dropped.
    'scratch': {
        'backbone': 'resnet18',
        'weights': 'none',
        'image_size': 64,
        'margin': 0.0,
        'wide': True,
        'shift': 0.0,
        'turn_deg': 5.0,
        'roll_deg': 2.0,
        'pool': 2,
        'rotation': '6d',
        'feature_width': 512,
        'dropout': 0.0,
        'learning_rate': 1e-3,
        'batch_size': 16,
        'epochs': 60,
    },
}


def read_recipe(name: str) -> dict[str, Any]:
    """Return a recipe by name, or a YAML file's; raise ConfigError for one that is not there."""
    if name in RECIPES:
        return dict(RECIPES[name])
    if not name.endswith(('.yaml', '.yml')):
        raise ConfigError(
            f'unknown recipe {name!r}; known are {", ".join(RECIPES)}, or give a .yaml file'
        )
    return read_yaml(Path(name), ConfigError)
