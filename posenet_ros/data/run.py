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

"""
Which run an output folder belongs to, so that a run continues its own and no other.

    run.yaml   the recording (or data set) and the options that its files depend on
    .lock      held by the process at work in the folder
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import fcntl
import hashlib
from pathlib import Path
from typing import Any

from posenet_ros.errors import CaptureError
from posenet_ros.files import read_yaml, write_yaml

RUN = 'run.yaml'
_LOCK = '.lock'
# Reading all of a large bag only to know it again would take minutes.
_SAMPLES = 16
_SAMPLE_BYTES = 1 << 16
# Files that readers and tools change or make beside a bag's own.
_NOT_DATA = ('metadata.yaml', '-wal', '-shm', '-journal')


def describe_recording(path: Path) -> dict[str, Any]:
    """
    Return what a recording is known by: its name, size and a hash of samples of its data.

    The name is for people; a renamed or moved recording is still the same to `claim`.
    """
    files = [path] if path.is_file() else sorted(each for each in path.iterdir() if each.is_file())
    data = [each for each in files if not each.name.endswith(_NOT_DATA)]
    digest = hashlib.sha256()
    for each in data:
        size = each.stat().st_size
        digest.update(f'{size} '.encode())
        with each.open('rb') as file:
            for sample in range(_SAMPLES):
                file.seek(max(0, size - _SAMPLE_BYTES) * sample // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    return {
        'name': path.resolve().name,
        'bytes': sum(each.stat().st_size for each in data),
        'sample_sha256': digest.hexdigest()[:32],
    }


def claim(folder: Path, **sections: Mapping[str, Any]) -> None:
    """
    Make an output folder that of the run that `sections` describe, or continue it.

    A section, such as `recording=...` or `label=...`, maps names to plain values and is kept in
    run.yaml; sections that are not there yet are added. Raises CaptureError, which names the
    difference, where the folder is another run's or holds something else; names that begin with
    a dot do not count.
    """
    path = folder / RUN
    if folder.exists() and not folder.is_dir():
        raise CaptureError(f'{folder} is a file; choose another --output')
    if not path.exists():
        foreign = [each.name for each in folder.glob('[!.]*')] if folder.is_dir() else []
        if foreign:
            raise CaptureError(
                f'{folder} holds {sorted(foreign)[0]} and no {RUN}: not an output of this '
                'package; choose another --output'
            )
        folder.mkdir(parents=True, exist_ok=True)
        write_yaml(path, {name: dict(values) for name, values in sections.items()})
        return
    known = read_yaml(path, CaptureError)
    for name, values in sections.items():
        _check(folder, name, known.setdefault(name, dict(values)), values)
    write_yaml(path, known)


def _check(folder: Path, section: str, known: Any, values: Mapping[str, Any]) -> None:
    if not isinstance(known, dict):
        raise CaptureError(f'{folder / RUN} is damaged: {section} is no mapping')
    for key in dict.fromkeys([*values, *known]):
        # A recording may be renamed.
        if not (_is_recording(section) and key == 'name') and known.get(key) != values.get(key):
            was, now = _shown(section, key, known), _shown(section, key, values)
            raise CaptureError(
                f'{folder} belongs to another run: its {section} has {was}, this one {now}; '
                'choose another --output, or remove that folder'
            )


def _is_recording(section: str) -> bool:
    return section.partition('_')[0] == 'recording'


def _shown(section: str, key: str, values: Mapping[str, Any]) -> str:
    if _is_recording(section):
        return f'name {values.get("name")} ({values.get("bytes")} bytes)'
    return f'{key} {values.get(key)}'


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """
    Hold a folder while working in it; raise CaptureError where another process does.

    The lock goes with the process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CaptureError(
                f'another process is at work in {folder}; wait for it, or choose another --output'
            ) from None
        yield
