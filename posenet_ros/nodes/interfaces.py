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

"""Message types by the names that recordings and topics carry."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any


def message_type(name: str) -> type[Any] | None:
    """Return the class of a type such as sensor_msgs/msg/Image, None where it is not installed."""
    package, kind, short = name.split('/')
    if importlib.util.find_spec(package) is None:
        return None
    return getattr(importlib.import_module(f'{package}.{kind}'), short, None)
