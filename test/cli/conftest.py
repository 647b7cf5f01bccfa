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

"""A tiny data set, and what train leaves of it."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import io
from pathlib import Path
import shutil

from posenet_ros.__main__ import main
import pytest

QUICK = ('--backbone', 'mobilenet_v3_small', '--weights', 'none', '--image-size', '32')
QUICK += ('--epochs', '2', '--batch-size', '8', '--set', 'head=hidden', '--set', 'levels=1')
QUICK += ('--set', 'feature_width=16', '--set', 'pool=1', '--set', 'wide=false')


@pytest.fixture(scope='session')
def scene(write_corridor, tmp_path_factory) -> Path:
    """Make 30 frames in the layout of 7-Scenes."""
    return write_corridor(tmp_path_factory.mktemp('scenes') / 'corridor', 30)


@pytest.fixture(scope='session')
def words(scene) -> Callable[..., list[str]]:
    """Return a function that gives the words of a quick training."""

    def of(output: Path, *more: object, data: Path = scene, bag: str | None = None) -> list[str]:
        source = ['--bag', bag] if bag else ['--dataset', f'7scenes:{data}']
        asked = ['train', *source, '--output', output, *QUICK, *more]
        return [str(word) for word in asked]

    return of


@pytest.fixture(scope='session')
def finished(words, tmp_path_factory) -> tuple[Path, str]:
    """Train; return the run's folder and what was printed."""
    output = tmp_path_factory.mktemp('runs') / 'corridor_posenet'
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(words(output)) == 0
    return output, said.getvalue()


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """Return a finished run to spoil."""
    shutil.copytree(finished[0], tmp_path / 'run')
    return tmp_path / 'run'
