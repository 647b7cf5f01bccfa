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

"""What a ROS parameter file says to one node, read without starting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
import re
from typing import Any

from posenet_ros.errors import ConfigError
import yaml

_MARK = 'ros__parameters'


def parameters_in_file(path: Path, node: str) -> dict[str, Any]:
    """
    Return the parameters that a file sets for a node of this full name, /robot1/posenet say.

    Sections are matched as rcl does it: `*` is one part of a name, `**` any number of them, and
    a later section goes before an earlier one. Raises ConfigError for a file that cannot be read
    or is no YAML mapping; of what else rcl may refuse in it, the node tells.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise ConfigError(f'cannot read the parameter file {path}: {error.strerror}') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f'the parameter file {path} is not YAML') from error
    # A file in which everything is a comment sets nothing.
    if content is not None and not isinstance(content, dict):
        raise ConfigError(f'the parameter file {path} holds no mapping from nodes to parameters')
    found: dict[str, Any] = {}
    for section, parameters in _sections(content or {}, ''):
        if re.fullmatch(_pattern(section), node):
            found.update(parameters)
    return found


def _sections(content: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield the name of every section, from the root on, and its parameters."""
    for key, value in content.items():
        if not isinstance(value, dict):
            continue
        if key == _MARK:
            yield prefix, value
        else:
            yield from _sections(value, f'{prefix}/{str(key).strip("/")}')


def _pattern(section: str) -> str:
    """Return the regular expression of the node names that a section is for."""
    parts = {'*': r'/\w+', '**': r'(/\w+)*'}
    return ''.join(parts.get(part, f'/{re.escape(part)}') for part in section.split('/')[1:])
