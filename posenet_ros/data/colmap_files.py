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
Whether the binary files of a COLMAP model are whole.

COLMAP's reader does not notice the end of a file: it takes the rest for whatever lies in memory,
and a count of records that comes out of that has it allocate until nothing is left. The layouts
are those of its `reconstruction_io_binary.cc`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import mmap
from pathlib import Path
import struct

from posenet_ros.errors import DatasetError

_COUNT = struct.Struct('<Q')
_COUNT_32 = struct.Struct('<I')
# A sensor is a type and an id; a pose four parts of a quaternion and three of a translation.
_SENSOR, _POSE = 4 + 4, 7 * 8


_FILES = ('cameras.bin', 'images.bin', 'points3D.bin')


def has_model(folder: Path) -> bool:
    """Tell whether a folder has all files of a COLMAP model."""
    return all((folder / name).is_file() for name in _FILES)


def check_whole(model: Path) -> None:
    """Raise DatasetError for a binary file that does not end where its records end."""
    for name, record_end in _RECORD_ENDS.items():
        path = model / f'{name}.bin'
        if path.is_file():
            end = _end(path, record_end)
            if end is None:
                raise DatasetError(f'{path} is truncated or damaged: it ends within a record')
            if end != path.stat().st_size:
                raise DatasetError(f'{path} is damaged: it goes on after its last record')


def _end(path: Path, record_end: Callable[[mmap.mmap, int], int]) -> int | None:
    """Return where the records of a file end, None for beyond the file."""
    if path.stat().st_size < _COUNT.size:
        return None
    with path.open('rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        end = _COUNT.size
        try:
            for _ in range(_COUNT.unpack_from(data)[0]):
                end = record_end(data, end)
                if end > len(data):
                    return None
        except (struct.error, ValueError):
            return None
    return end


def _camera_end(data: mmap.mmap, start: int) -> int:
    """Pass id, model, width, height, and as many parameters as the model has."""
    import pycolmap

    (model,) = struct.unpack_from('<i', data, start + 4)
    camera = pycolmap.Camera.create_from_model_id(1, pycolmap.CameraModelId(model), 1.0, 1, 1)
    return start + 4 + 4 + 8 + 8 + 8 * len(camera.params)


def _rig_end(data: mmap.mmap, start: int) -> int:
    """Pass id, number of sensors, the first of them, and the others with their poses, if any."""
    (sensors,) = _COUNT_32.unpack_from(data, start + 4)
    end = start + 8 + (_SENSOR if sensors else 0)
    for _ in range(sensors - 1):
        (has_pose,) = struct.unpack_from('<B', data, end + _SENSOR)
        end += _SENSOR + 1 + (_POSE if has_pose else 0)
    return end


def _frame_end(data: mmap.mmap, start: int) -> int:
    """Pass id, rig, pose, and the sensors with their images."""
    (images,) = _COUNT_32.unpack_from(data, start + 8 + _POSE)
    return start + 8 + _POSE + 4 + (_SENSOR + 8) * images


def _image_end(data: mmap.mmap, start: int) -> int:
    """Pass id, pose, camera, name (up to a zero), and the points seen: x, y, point."""
    name_end = data.find(b'\0', start + 4 + _POSE + 4)
    if name_end < 0:
        raise ValueError('a name without an end')
    (points,) = _COUNT.unpack_from(data, name_end + 1)
    return name_end + 1 + 8 + 24 * points


def _point_end(data: mmap.mmap, start: int) -> int:
    """Pass id, position, colour, error, and the images that see it: image, index."""
    (images,) = _COUNT.unpack_from(data, start + 8 + 24 + 3 + 8)
    return start + 8 + 24 + 3 + 8 + 8 + 8 * images


_RECORD_ENDS: Mapping[str, Callable[[mmap.mmap, int], int]] = {
    'cameras': _camera_end,
    'rigs': _rig_end,
    'frames': _frame_end,
    'images': _image_end,
    'points3D': _point_end,
}
