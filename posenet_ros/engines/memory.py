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
What was converted for a model's engines on this machine, and which was the fastest.

Kept in the user's cache ($XDG_CACHE_HOME/posenet_ros/engines, by default under ~/.cache), by the
trunk's weights and all that the result depends on. It may be deleted at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
import hashlib
from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import shutil

from posenet_ros.files import write_text
from posenet_ros.machine import cores, cpu
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
import torch

_CHOSEN = 'fastest'
# So many models' are kept, those used last.
_MOST_KEPT = 8


class Kept:
    """
    One converted trunk on disk: `file`, or where it would be.

    `problem` says why it could not be written, '' where it could.
    """

    def __init__(self, file: Path) -> None:
        """Take the name, there or not."""
        self.file = file
        self.problem = ''

    @property
    def there(self) -> bool:
        """Whether it was kept."""
        return self.file.is_file()

    def keep(self, write: Callable[[Path], None]) -> None:
        """Have it written; no answer depends on that, so `problem` tells where it fails."""
        try:
            write(self.file)
        except (OSError, RuntimeError) as error:
            self.problem = f'not kept: {" ".join(str(error).split())}'


class Memory:
    """What is remembered of one model, its trunks' files and the name of the fastest engine."""

    def __init__(self, folder: Path) -> None:
        """Take a folder, which is made; raise OSError where it cannot be."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        # By this the folders that were used last are told from others.
        os.utime(folder)
        _forget_all_but_newest(folder.parent)

    @property
    def fastest(self) -> str:
        """The engine that was the fastest, '' where that is not known."""
        try:
            return (self._folder / _CHOSEN).read_text(encoding='utf-8').strip()
        except (OSError, UnicodeDecodeError):
            return ''

    def note_fastest(self, name: str) -> None:
        """Remember which engine was the fastest, and of the others nothing."""
        for other in self._folder.iterdir():
            if other.stem != name:
                other.unlink(missing_ok=True)
        write_text(self._folder / _CHOSEN, f'{name}\n')

    def kept(self, name: str, suffix: str) -> Kept:
        """Return the trunk of an engine, there or not."""
        return Kept(self._folder / f'{name}{suffix}')

    def forget(self) -> None:
        """Remember nothing any more."""
        for file in self._folder.iterdir():
            file.unlink(missing_ok=True)


def memory_of(model: PoseNet, preprocessing: Preprocessing, packages: Iterable[str]) -> Memory:
    """
    Return what is remembered of a model on this machine, with these versions of some packages.

    Raises OSError where the cache cannot be written to.
    """
    digest = hashlib.sha256()
    facts = (preprocessing.crop, model.map_names, cpu(), cores(), torch.get_num_threads())
    versions = [(name, _version(name)) for name in sorted({*packages, 'torch', 'posenet_ros'})]
    digest.update(repr((facts, versions)).encode())
    for name, value in model.trunk.state_dict().items():
        digest.update(name.encode())
        digest.update(value.cpu().contiguous().numpy())
    home = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Memory(Path(home) / 'posenet_ros' / 'engines' / digest.hexdigest()[:32])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ''


def _forget_all_but_newest(folder: Path) -> None:
    kept = sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in kept[_MOST_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
