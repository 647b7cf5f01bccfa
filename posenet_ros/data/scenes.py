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

"""Public data sets and COLMAP models as scenes, by a name such as `7scenes:DIR`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from posenet_ros.data.cambridge import read_cambridge
from posenet_ros.data.colmap import read_colmap
from posenet_ros.data.frames import Scene
from posenet_ros.data.seven_scenes import read_seven_scenes
from posenet_ros.errors import DatasetError

READERS: dict[str, Callable[[Path], Scene]] = {
    '7scenes': read_seven_scenes,
    'cambridge': read_cambridge,
    'colmap': read_colmap,
}


def read_scene(spec: str) -> Scene:
    """
    Read a scene from `7scenes:DIR`, `cambridge:DIR` or `colmap:DIR`.

    Where the data set keeps nothing apart, every frame is in `train`. Raises DatasetError for
    an unknown kind, or a folder that has not the layout of its kind.
    """
    kind, _, folder = spec.partition(':')
    kinds = ', '.join(f'{name}:DIR' for name in READERS)
    if kind not in READERS or not folder:
        raise DatasetError(f'a data set is one of {kinds}; got {spec!r}')
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise DatasetError(f'no such folder: {path} (from {spec!r})')
    return READERS[kind](path)
