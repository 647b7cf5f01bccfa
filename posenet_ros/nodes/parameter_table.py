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

"""The parameters of the node as a table in Markdown: docs/interface.md has it word for word."""

from __future__ import annotations

from collections.abc import Mapping
import json
from typing import Any

from posenet_ros.nodes.parameters import PARAMETERS, Specification

# What `ros2 param describe` calls them.
_TYPES = {bool: 'boolean', int: 'integer', float: 'double', str: 'string'}


def parameter_table(parameters: Mapping[str, Specification] = PARAMETERS) -> str:
    """Return the table, a row for each parameter, ending in a line break."""
    head = ('parameter', 'type', 'default', 'takes', 'read at', 'what')
    rows = [head, ('---',) * len(head)]
    rows += [_row(name, each) for name, each in parameters.items()]
    return ''.join(f'| {" | ".join(row)} |\n' for row in rows)


def _row(name: str, parameter: Specification) -> tuple[str, ...]:
    return (
        f'`{name}`',
        _TYPES[type(parameter.default)],
        f'`{_text(parameter.default)}`',
        _takes(parameter),
        parameter.when,
        parameter.meaning.replace('|', r'\|'),
    )


def _takes(parameter: Specification) -> str:
    if parameter.limits:
        low, high = map(type(parameter.default), parameter.limits)
        return f'{low} to {high}'
    if isinstance(parameter.default, bool):
        return 'true, false'
    return ', '.join(parameter.choices) or parameter.takes


def _text(default: Any) -> str:
    """Return a value as YAML has it."""
    return default if isinstance(default, str) and default else json.dumps(default)
