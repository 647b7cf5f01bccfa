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

"""Files and folders that a command is to write, refused before minutes of work."""

from __future__ import annotations

import os
from pathlib import Path

from posenet_ros.errors import ConfigError


def check_file(option: str, path: Path | None) -> None:
    """Refuse a file that could not be written; raise ConfigError that names the option."""
    if path is None:
        return
    if path.is_dir():
        raise ConfigError(f'{option} {path} is a folder: name a file')
    check_folder(f'{option} {path}', path.parent)


def check_folder(told: str, folder: Path) -> None:
    """Refuse a folder that cannot be made or written to; `told` is what the user wrote."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir():
        raise ConfigError(f'{told} cannot be written: {there} is a file; choose another path')
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f'{told} cannot be written: {there} is read-only for you')
