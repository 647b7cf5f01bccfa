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

"""Options that are numbers, checked all alike."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
import math
from typing import Any

from posenet_ros.errors import ConfigError


def check_numbers(options: Any, *, at_least: float, **limits: tuple[float, float]) -> None:
    """
    Raise ConfigError where a number among the fields of a dataclass is not finite or too low.

    `limits` give the lowest and highest value of some fields; the others are `at_least` so much.
    Truth values, names, and options within options are left to others.
    """
    for field in fields(options):
        value = getattr(options, field.name)
        if isinstance(value, (bool, str)) or is_dataclass(value):
            continue
        low, high = limits.get(field.name, (at_least, math.inf))
        if not (math.isfinite(value) and low <= value <= high):
            most = '' if math.isinf(high) else f' and at most {high:g}'
            raise ConfigError(
                f'{type(options).__name__}: {field.name} must be at least {low:g}{most}, '
                f'not {value}'
            )
