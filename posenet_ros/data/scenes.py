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

"""Public data sets, COLMAP models and captures as scenes, by a name such as `7scenes:DIR`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from posenet_ros.data.cambridge import read_cambridge
from posenet_ros.data.capture import Capture, LABELS
from posenet_ros.data.colmap import find_model, read_colmap
from posenet_ros.data.colmap_files import has_model
from posenet_ros.data.frame_ranges import FrameRanges
from posenet_ros.data.frames import Scene
from posenet_ros.data.origin import is_metric, label_origin
from posenet_ros.data.seven_scenes import read_seven_scenes
from posenet_ros.errors import DatasetError


def read_capture(folder: Path) -> Scene:
    """
    Read a capture, or the one in an output folder of labelling or importing.

    Raises CaptureError where there is none, or an incomplete one.
    """
    capture = Capture.open(_capture_folder(folder))
    root = capture.root.resolve()
    name = root.parent.name if root.name == 'capture' else root.name
    return Scene(name, capture.frames(), camera=capture.camera)


def _capture_folder(folder: Path) -> Path:
    inside = folder / 'capture'
    return inside if inside.is_dir() and not (folder / LABELS).is_file() else folder


READERS: dict[str, Callable[[Path], Scene]] = {
    '7scenes': read_seven_scenes,
    'cambridge': read_cambridge,
    'colmap': read_colmap,
    'capture': read_capture,
}


def read_scene(spec: str, test_frames: str | None = None) -> Scene:
    """
    Read a scene from `7scenes:DIR`, `cambridge:DIR`, `colmap:DIR` or `capture:DIR`.

    Where the data set keeps nothing apart, every frame is in `train`, but for `test_frames`, in
    the words of `FrameRanges`, which are the test part whatever the data set says. Raises
    DatasetError for an unknown kind, or a folder that has not the layout of its kind, and
    CaptureError for a capture that is not whole.
    """
    kind, path = _kind_and_folder(spec)
    ranges = FrameRanges.parse(test_frames) if test_frames else None
    scene = READERS[kind](path)
    return ranges.apart(scene) if ranges else scene


def has_metres(spec: str) -> bool:
    """
    Tell whether the lengths of a scene are metres.

    Those of the public data sets are, those of a COLMAP model are not, and a capture says it
    itself. Raises what `read_scene` raises for a folder that is not there.
    """
    kind, path = _kind_and_folder(spec)
    if kind == 'capture':
        return is_metric(_capture_folder(path))
    return kind != 'colmap'


def scene_origin(spec: str) -> dict[str, Any]:
    """Return what the poses of a scene were referred to (see `label_origin`)."""
    kind, path = _kind_and_folder(spec)
    return label_origin(_capture_folder(path)) if kind == 'capture' else {}


def scene_model(spec: str) -> Path | None:
    """Return the COLMAP model that the poses of a scene came from; None where there is none."""
    kind, path = _kind_and_folder(spec)
    if kind == 'colmap':
        return find_model(path)
    beside = _capture_folder(path).resolve().parent / 'sfm'
    return beside if kind == 'capture' and has_model(beside) else None


def _kind_and_folder(spec: str) -> tuple[str, Path]:
    kind, _, folder = spec.partition(':')
    kinds = ', '.join(f'{name}:DIR' for name in READERS)
    if kind not in READERS or not folder:
        raise DatasetError(f'a data set is one of {kinds}; got {spec!r}')
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise DatasetError(f'no such folder: {path} (from {spec!r})')
    return kind, path
