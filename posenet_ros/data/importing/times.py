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

"""When images were taken, by their names or by the list beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
import re
from typing import NamedTuple

import numpy as np
from posenet_ros.errors import DatasetError
from posenet_ros.geometry import NS_PER_S

LIST = 'rgb.txt'
_SUFFIXES = {'.bmp', '.jpeg', '.jpg', '.pgm', '.png', '.ppm', '.tif', '.tiff', '.webp'}
_NANOSECONDS = re.compile('[0-9]{19}')
_SECONDS = re.compile(r'([0-9]{1,10})\.([0-9]+)')
_LARGEST_NS = int(np.iinfo(np.int64).max)


class Times(NamedTuple):
    """
    Stamps in nanoseconds by name of the image, and what tells them.

    `told_by` is 'rgb.txt' or 'names', or 'order' where nothing tells a time: then images are
    one second apart in order of their names.
    """

    stamps_ns: Mapping[str, int]
    told_by: str


def image_names(folder: Path) -> list[str]:
    """Return the images in a folder and below it, relative to it; hidden ones do not count."""
    paths = (path.relative_to(folder) for path in folder.rglob('*') if path.is_file())
    return [
        path.as_posix()
        for path in paths
        if path.suffix.lower() in _SUFFIXES and not any(part[0] == '.' for part in path.parts)
    ]


def times_of(folder: Path, names: Iterable[str]) -> Times:
    """
    Return when the images `names` of a folder were taken.

    The list rgb.txt in the folder or beside it tells, if it has all of them; otherwise their
    names, if all are nanoseconds (19 digits) or seconds with a decimal point. Raises
    DatasetError for two images of one time, and for a list that is none.
    """
    names = sorted(names, key=_natural)
    listed = listed_times(folder)
    named = {name: _stamp_ns(PurePosixPath(name).stem) for name in names}
    if listed and all(name in listed for name in names):
        times = Times({name: listed[name] for name in names}, LIST)
    elif all(stamp_ns is not None for stamp_ns in named.values()):
        times = Times(named, 'names')
    else:
        times = Times({name: NS_PER_S * place for place, name in enumerate(names)}, 'order')
    _check_distinct(folder, times.stamps_ns)
    return times


def listed_times(folder: Path) -> dict[str, int]:
    """
    Return what a list rgb.txt tells of the images in a folder, by their names in it.

    The list is looked for in the folder and beside it, as the TUM RGB-D set has it; its lines
    are `time name`, in seconds, the name relative to the list. Empty where there is none.
    Raises DatasetError, with the line number, for a line of another form.
    """
    folder = folder.resolve()
    for path, prefix in ((folder / LIST, ''), (folder.parent / LIST, f'{folder.name}/')):
        if path.is_file():
            rows = _rows(path)
            return {
                name.removeprefix(prefix): stamp_ns
                for name, stamp_ns in rows.items()
                if name.startswith(prefix)
            }
    return {}


def _rows(path: Path) -> dict[str, int]:
    rows = {}
    lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    for number, line in enumerate(lines, start=1):
        fields = line.split('#')[0].split()
        if not fields:
            continue
        stamp_ns = _stamp_ns(fields[0] if '.' in fields[0] else f'{fields[0]}.0')
        if len(fields) != 2 or stamp_ns is None:
            raise DatasetError(
                f'{path}:{number}: expected "time name" with a time in seconds, got '
                f'{line.strip()[:80]!r}'
            )
        rows[PurePosixPath(fields[1]).as_posix()] = stamp_ns
    return rows


def _stamp_ns(text: str) -> int | None:
    """Read nanoseconds or seconds exactly; None for what is neither."""
    seconds = _SECONDS.fullmatch(text)
    if seconds:
        stamp_ns = int(seconds[1]) * NS_PER_S + int(seconds[2][:9].ljust(9, '0'))
    elif _NANOSECONDS.fullmatch(text):
        stamp_ns = int(text)
    else:
        return None
    return stamp_ns if stamp_ns <= _LARGEST_NS else None


def _natural(name: str) -> tuple[list[str | int], str]:
    """Order by numbers where names have them: frame9 before frame10."""
    parts = re.split('([0-9]+)', name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def _check_distinct(folder: Path, stamps_ns: Mapping[str, int]) -> None:
    names: dict[int, str] = {}
    for name, stamp_ns in stamps_ns.items():
        if stamp_ns in names:
            raise DatasetError(
                f'{names[stamp_ns]} and {name} in {folder} are of one time, and a capture has '
                'one camera: give the images of one'
            )
        names[stamp_ns] = name
