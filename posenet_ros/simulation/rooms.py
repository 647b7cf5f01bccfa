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

"""Many rooms seen by a camera in a hand, each a capture of its own in one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import as_completed, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
import multiprocessing
from pathlib import Path
import shutil
import signal
from typing import Any

from posenet_ros import __version__
from posenet_ros.errors import ConfigError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.machine import cores
from posenet_ros.simulation.parallel import opencv_threads
from posenet_ros.simulation.views import write_views
from tqdm import tqdm

ROOMS = 'rooms.yaml'


def write_rooms(
    output: Path,
    seeds: Sequence[int],
    *,
    views: int,
    size: tuple[int, int],
    jobs: int | None = None,
) -> int:
    """
    Render the rooms of some seeds into folders named by them; return how many were not there.

    A room appears when it is whole. Raises ConfigError for a folder of other rooms: of so many
    views and pixels, by this version.
    """
    made_as = {'version': __version__, 'views': views, 'size': list(size)}
    _claim(output, made_as)
    todo = [seed for seed in seeds if not _folder(output, seed).is_dir()]
    jobs = min(cores() if jobs is None else jobs, len(todo))
    with tqdm(total=len(todo) * views, desc='rendering', unit='image') as progress:
        if jobs > 1:
            _write_all(output, todo, views, size, jobs, progress)
        else:
            for seed in todo:
                _write(output, seed, views, size, progress.update)
    return len(todo)


def _write_all(
    output: Path,
    seeds: Sequence[int],
    views: int,
    size: tuple[int, int],
    jobs: int,
    progress: tqdm,
) -> None:
    """Render on several cores: in processes, since threads would wait for each other's NumPy."""
    # Not forked: what this process runs in threads of its own would stand still in a copy.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(jobs, context, _leave_ctrl_c) as pool:
        coming = [pool.submit(_write, output, seed, views, size) for seed in seeds]
        try:
            for each in as_completed(coming):
                each.result()
                progress.update(views)
        except BrokenProcessPool as error:
            raise ConfigError(
                'a process that rendered was ended, mostly for want of memory: the rooms that are '
                'whole stay; go on with fewer --jobs'
            ) from error
        except BaseException:
            # Those in work end; the others are for the next time.
            pool.shutdown(cancel_futures=True)
            raise


def _leave_ctrl_c() -> None:
    """Have a process leave Ctrl-C to the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _claim(output: Path, made_as: dict[str, Any]) -> None:
    path = output / ROOMS
    if path.is_file():
        if read_yaml(path, ConfigError) != made_as:
            raise ConfigError(
                f'{output} holds other rooms (see {path}); choose another --output or remove it'
            )
        return
    if output.is_dir() and any(output.glob('[!.]*')):
        raise ConfigError(f'{output} is not empty and holds no rooms; choose another --output')
    output.mkdir(parents=True, exist_ok=True)
    write_yaml(path, made_as)


def _folder(output: Path, seed: int) -> Path:
    return output / f'{seed:04d}'


def _write(
    output: Path,
    seed: int,
    views: int,
    size: tuple[int, int],
    images_done: Callable[[int], object] = lambda count: None,
) -> None:
    folder = _folder(output, seed)
    partial = folder.with_name(f'.{folder.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    with opencv_threads(1):
        write_views(partial, seed, count=views, size=size, frame_done=lambda: images_done(1))
    partial.rename(folder)
