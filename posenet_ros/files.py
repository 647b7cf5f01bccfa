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

"""Files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import os
from pathlib import Path
from typing import Any

from posenet_ros.errors import PosenetError
import yaml


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """
    Give a temporary name beside `path` to write to, and rename it when the block succeeds.

    The temporary name keeps the suffix, for writers that go by it. When the block fails,
    nothing is left behind.
    """
    partial = path.with_name(f'.{path.stem}.partial{path.suffix}')
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def allocate(path: Path) -> None:
    """
    Have the disk set aside all of a file that has its size already.

    A file that is mapped into memory is written to when the system likes, and where the disk is
    full by then the process is killed. This raises OSError in time.
    """
    with path.open('r+b') as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(text, encoding='utf-8')


def write_yaml(path: Path, values: Mapping[str, Any]) -> None:
    """Write a mapping of plain values as YAML in its own order, whole or not at all."""
    write_text(path, yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=99))


def read_yaml(path: Path, error: type[PosenetError]) -> dict[str, Any]:
    """Read a YAML mapping; raise `error` with one line for what is missing or is none."""
    try:
        values = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as failure:
        raise error(f'cannot read {path}: {failure.strerror}') from failure
    except (yaml.YAMLError, UnicodeDecodeError) as failure:
        raise error(f'{path} is damaged: it is not YAML') from failure
    if not isinstance(values, dict):
        raise error(f'{path} is damaged: expected a mapping, got {type(values).__name__}')
    return values
