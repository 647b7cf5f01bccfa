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

"""The map that images are matched against: points, what they look like, and who saw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError, GeometryError, ModelError
from posenet_ros.files import written_whole
from posenet_ros.geometry import Camera, Pose
from posenet_ros.landmarks.features import Extractor, extractor_of
from posenet_ros.landmarks.gate import Gate

LANDMARKS = 'landmarks.safetensors'
# Raised when an older reader would misunderstand a newer map, or a newer one an older map.
FORMAT = 2
_KIND = 'posenet_ros landmarks'
_TYPES = {'F16': np.float16, 'F32': np.float32, 'I32': np.int32, 'U8': np.uint8}
_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True, eq=False)
class LandmarkMap:
    """
    P points that F frames saw, in metres in the map (or its own unit, where it has no metres).

    `points_P3` float32. What point `p` looks like are the rows `first_row[p]` to
    `first_row[p + 1]` of `descriptors` uint8. What frame `f` saw are the points
    `seen[first_seen[f]:first_seen[f + 1]]`. `centres_F3` and `rotations_F33` float32 are where
    the frames' images were taken and how they were turned (map from the image's own axes), and
    `places_FK` float16 what they look like as a whole to the network (see `PlaceFeature`).

    `camera` took the frames, and `extractor` found the features. `image_from_label` is the pose,
    in the axes of an image, of what its label calls the camera: the same, but for data sets that
    label the pose of another camera than the one that took the images. `gate` holds what has to be
    shown before a pose counts as verified (see `Gate`).
    """

    points_P3: NDArray[np.float32]
    first_row: NDArray[np.int32]
    descriptors: NDArray[np.uint8]
    first_seen: NDArray[np.int32]
    seen: NDArray[np.int32]
    centres_F3: NDArray[np.float32]
    rotations_F33: NDArray[np.float32]
    places_FK: NDArray[np.float16]
    camera: Camera
    extractor: Extractor
    image_from_label: Pose
    gate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """The number of frames."""
        return len(self.centres_F3)

    @property
    def nbytes(self) -> int:
        """What the arrays weigh, in memory and on disk."""
        return sum(array.nbytes for array in self.arrays().values())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by their names in the file."""
        return {name: getattr(self, name) for name in _ARRAYS}

    def seen_by(self, frames: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of the points that any of some frames saw, rising."""
        parts = [
            self.seen[self.first_seen[frame] : self.first_seen[frame + 1]] for frame in frames
        ]
        if not parts:
            return np.zeros(0, dtype=np.int64)
        return np.unique(np.concatenate(parts)).astype(np.int64)

    def rows_of(self, points: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of the descriptors of some points, and where those of each begin."""
        first, counts = self.first_row[points], np.diff(self.first_row)[points]
        begins = (np.cumsum(counts) - counts).astype(np.int64)
        rows = np.repeat(first - begins, counts) + np.arange(counts.sum())
        return rows.astype(np.int64), begins


_ARRAYS = {
    'points_P3': ('F32', 2),
    'first_row': ('I32', 1),
    'descriptors': ('U8', 2),
    'first_seen': ('I32', 1),
    'seen': ('I32', 1),
    'centres_F3': ('F32', 2),
    'rotations_F33': ('F32', 3),
    'places_FK': ('F16', 2),
}


def write_map(path: Path, landmarks: LandmarkMap) -> None:
    """
    Write a map as one safetensors file; its metadata says what the arrays cannot.

    The file appears whole or not at all: who has an older one open goes on with that.
    """
    from safetensors.numpy import save_file

    offset = landmarks.image_from_label
    about = {
        'camera': landmarks.camera.to_dict(),
        'extractor': landmarks.extractor.to_dict(),
        'image_from_label': offset.matrix().tolist(),
        'gate': dict(landmarks.gate),
    }
    metadata = {'kind': _KIND, 'format': str(FORMAT), 'about': json.dumps(about)}
    arrays = {name: np.ascontiguousarray(array) for name, array in landmarks.arrays().items()}
    with written_whole(path) as partial:
        save_file(arrays, partial, metadata=metadata)
        partial.chmod(0o644)  # safetensors makes files that only their owner can read


def read_map(path: Path) -> LandmarkMap:
    """
    Open a map; its arrays stay on disk until they are looked at.

    Raises ModelError, one line, for a file that is no map, damaged, or of another format.
    """
    header, begin = _header(path)
    about = header.pop('__metadata__', {})
    if not isinstance(about, dict) or about.get('kind') != _KIND:
        raise ModelError(f'{path} is no map of landmarks')
    if about.get('format') != str(FORMAT):
        raise ModelError(
            f'{path} has format {about.get("format")}, and this version reads {FORMAT}; '
            'train again'
        )
    try:
        arrays = {name: _mapped(path, begin, header[name], name) for name in _ARRAYS}
        told = json.loads(about['about'])
        gate = told['gate']
        Gate.from_dict(gate)
        offset = Pose.from_matrix(
            np.array(told['image_from_label']), target='image', source='camera'
        )
        read = LandmarkMap(
            **arrays,
            camera=Camera.from_dict(told['camera']),
            extractor=extractor_of(told['extractor']),
            image_from_label=offset,
            gate=gate,
        )
    except (
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        ConfigError,
        GeometryError,
    ) as error:
        raise ModelError(f'{path} is damaged: {error}') from error
    _check(path, read)
    return read


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """Return the JSON that a safetensors file begins with, and where its arrays begin."""
    try:
        with path.open('rb') as file:
            length = int.from_bytes(file.read(8), 'little')
            if not 2 <= length <= _LONGEST_HEADER:
                raise ModelError(f'{path} is no map of landmarks, or damaged')
            return dict(json.loads(file.read(length))), 8 + length
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f'cannot read the map of landmarks {path}: {error}') from error


def _mapped(path: Path, begin: int, entry: Mapping[str, Any], name: str) -> NDArray[Any]:
    kind, dimensions = _ARRAYS[name]
    start, end = entry['data_offsets']
    shape = tuple(entry['shape'])
    count = int(np.prod(shape))
    if entry['dtype'] != kind or len(shape) != dimensions:
        raise ValueError(f'{name} is not what it should be')
    if end - start != count * np.dtype(_TYPES[kind]).itemsize:
        raise ValueError(f'{name} has another size than its shape')
    if not count:
        return np.zeros(shape, _TYPES[kind])
    return np.memmap(path, _TYPES[kind], 'r', begin + start, shape)


def _check(path: Path, read: LandmarkMap) -> None:
    """Refuse arrays that point outside of each other."""
    points, frames = len(read.points_P3), read.frames
    fits = (
        read.points_P3.shape == (points, 3)
        and read.centres_F3.shape == (frames, 3)
        and read.rotations_F33.shape == (frames, 3, 3)
        and len(read.first_row) == points + 1
        and len(read.first_seen) == frames + 1 == len(read.places_FK) + 1
        and read.first_row[0] == read.first_seen[0] == 0
        and read.first_row[-1] == len(read.descriptors)
        and read.first_seen[-1] == len(read.seen)
        and (np.diff(read.first_row) > 0).all()
        and (np.diff(read.first_seen) >= 0).all()
        and (not len(read.seen) or 0 <= read.seen.min() <= read.seen.max() < points)
        and read.descriptors.shape[1] == read.extractor.width
        and all(
            np.isfinite(each).all()
            for each in (read.points_P3, read.centres_F3, read.rotations_F33)
        )
    )
    if not fits:
        raise ModelError(f'{path} is damaged: its arrays do not belong together')
