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

"""Sets of training options that belong together: config/recipes/, or a file of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posenet_ros.errors import ConfigError
from posenet_ros.files import read_yaml

_CHECKOUT = Path('config', 'recipes')
_INSTALLED = Path('share', 'posenet_ros', 'config', 'recipes')


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.stem for path in _folder().glob('*.yaml'))


def read_recipe(name: str) -> dict[str, Any]:
    """Return a recipe by name, or a YAML file's; raise ConfigError for one that is not there."""
    if name.endswith(('.yaml', '.yml')):
        return read_yaml(Path(name), ConfigError)
    if name not in recipe_names():
        raise ConfigError(
            f'unknown recipe {name!r}; known are {", ".join(recipe_names())}, or give a .yaml file'
        )
    return read_yaml(_folder() / f'{name}.yaml', ConfigError)


def _folder() -> Path:
    """Return where the recipes are: beside the package, or in share/ of where it is installed."""
    for parent in Path(__file__).resolve().parents:
        for folder in (parent / _CHECKOUT, parent / _INSTALLED):
            if folder.is_dir():
                return folder
    raise ConfigError(f'the recipes are not installed: no {_INSTALLED} above {__file__}')
