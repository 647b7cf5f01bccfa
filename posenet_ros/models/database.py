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
Posed images as a network of relative poses has them, in files that are only ever added to.

    database/0000/   segment.yaml, maps.npy, frames.safetensors: the images of one scene or drive
    database/0001/   ...

A segment appears whole or not at all, and nothing that is there is touched. Maps are mapped
into memory: of a hundred thousand images, the few that an image is compared with are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
import shutil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import GeometryError, ModelError
from posenet_ros.files import allocate, read_yaml, write_yaml
from posenet_ros.geometry import Camera, Pose
from posenet_ros.models.checkpoint import read_features, TrainingFeatures, write_features
from posenet_ros.models.map_card import check_format
from posenet_ros.models.provenance import file_sha256
from posenet_ros.models.relative import cell_rays, Cells

DATABASE = 'database'
_SEGMENT, _MAPS, _FRAMES = 'segment.yaml', 'maps.npy', 'frames.safetensors'
_KIND, _FORMAT = 'posenet_ros segment', 2


class Posed(NamedTuple):
    """Where an image was taken, `map_from_camera`, and when."""

    map_from_camera: Pose
    stamp_ns: int


@dataclass(frozen=True, eq=False)
class Segment:
    """
    The N images of one scene, taken by one camera.

    `maps_NDhw` float16 are what images are compared by (`RelativePoseNet.describe`), `ray_2hw`
    the rays of the trunk's cells; `made_by` is the hash of what described them.
    """

    scene: str
    camera: Camera
    maps_NDhw: NDArray[np.float16]
    ray_2hw: NDArray[np.float32]
    training: TrainingFeatures
    made_by: str

    def __len__(self) -> int:
        """Return N."""
        return len(self.maps_NDhw)


class Database:
    """
    All images of all segments, numbered one after another.

    `training` has what places look like, where and when images were taken, in that order.
    """

    def __init__(
        self, segments: Sequence[Segment], kept_N: NDArray[np.int64] | None = None
    ) -> None:
        """Take segments, of all their images by default those `kept_N`."""
        self.segments = tuple(segments)
        counts = [len(segment) for segment in self.segments]
        self._segment_N = np.repeat(np.arange(len(counts)), counts)
        self._row_N = np.concatenate([np.arange(count) for count in counts])
        joined = [
            np.concatenate([getattr(segment.training, each.name) for segment in self.segments])
            for each in fields(TrainingFeatures)
        ]
        if kept_N is not None:
            self._segment_N, self._row_N = self._segment_N[kept_N], self._row_N[kept_N]
            joined = [each[kept_N] for each in joined]
        self.training = TrainingFeatures(*joined)

    def __len__(self) -> int:
        """Return how many images there are."""
        return len(self._row_N)

    @property
    def scenes(self) -> tuple[str, ...]:
        """The names of all scenes, each once, in the order in which they came."""
        return tuple(dict.fromkeys(segment.scene for segment in self.segments))

    def only(self, kept_N: NDArray[np.int64]) -> Database:
        """Return a database of these images alone."""
        return Database(self.segments, kept_N)

    def scene_of(self, number: int) -> str:
        """Return the scene of an image."""
        return self.segments[self._segment_N[number]].scene

    def maps(self, numbers_M: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read by what some images are compared (M, D, h, w)."""
        return np.stack(
            [self.segments[s].maps_NDhw[row] for s, row in self._places(numbers_M)]
        ).astype(np.float32)

    def rays(self, numbers_M: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the rays (M, 2, h, w) of the cells of some images."""
        return np.stack([self.segments[s].ray_2hw for s, _ in self._places(numbers_M)])

    def _places(self, numbers_M: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        return zip(self._segment_N[numbers_M].tolist(), self._row_N[numbers_M].tolist())


def read_database(
    folder: Path, cells: Cells, shape: tuple[int, int, int], made_by: str
) -> Database:
    """
    Open a database; `made_by` is the hash of what its images must have been described with.

    `cells` are those of the trunk's maps, and `shape` (D, h, w) is that of what is kept of one.

    Raises ModelError, one line, for a segment that is damaged, truncated, or made by another
    network, and for a database without any.
    """
    paths = segment_folders(folder)
    if not paths:
        raise ModelError(f'{folder} holds no images; copy the whole model folder')
    return Database([_read_segment(path, cells, shape, made_by) for path in paths])


def segment_folders(folder: Path) -> list[Path]:
    """Return the folders of the segments of a database, in their order."""
    found = [each for each in folder.glob('[0-9]*') if each.is_dir() and each.name.isdecimal()]
    return sorted(found, key=lambda each: int(each.name))


def scenes_of(folder: Path) -> list[str]:
    """Return the scenes of the segments of a database, without opening what is large."""
    return [str(_card(path)['scene']) for path in segment_folders(folder)]


def _card(path: Path) -> dict[str, Any]:
    values = read_yaml(path / _SEGMENT, ModelError)
    if values.get('kind') != _KIND or not isinstance(values.get('format'), int):
        raise ModelError(f'{path / _SEGMENT} is not the card of a segment of a database')
    older = 'a version that kept more of images than they are compared by; make the model anew'
    check_format(path / _SEGMENT, values['format'], _FORMAT, older)
    expected = {'kind', 'format', 'scene', 'images', 'camera', 'made_by', 'files'}
    if set(values) != expected:
        raise ModelError(f'{path / _SEGMENT} is damaged: it has not the keys of a segment')
    return values


def _read_segment(path: Path, cells: Cells, shape: tuple[int, int, int], made_by: str) -> Segment:
    values = _card(path)
    if values['made_by'] != made_by:
        raise ModelError(
            f'{path} was made with other weights than lie beside it; copy the whole model folder'
        )
    for name, expected in dict(values['files']).items():
        if not (path / name).is_file() or _fingerprint(path / name) != expected:
            raise ModelError(
                f'{path / name} is missing, truncated or altered; copy the whole model folder'
            )
    try:
        camera = Camera.from_dict(values['camera'])
        maps = np.load(path / _MAPS, mmap_mode='r')
    except (GeometryError, ValueError, TypeError, EOFError) as error:
        raise ModelError(f'{path} is damaged: {error}') from error
    training = read_features(path / _FRAMES)
    counts = {len(maps), len(training.features_NK), values['images']}
    if len(counts) != 1 or maps.shape[1:] != shape:
        raise ModelError(f'{path} is damaged: its files do not belong together')
    rays = cell_rays(camera, cells)
    return Segment(str(values['scene']), camera, maps, rays, training, made_by)


def _fingerprint(path: Path) -> dict[str, Any]:
    """Return size and hash; of maps, which are large and read piece by piece, the size alone."""
    told: dict[str, Any] = {'bytes': path.stat().st_size}
    return told if path.name == _MAPS else {**told, 'sha256': file_sha256(path)}


@contextmanager
def new_segment(folder: Path) -> Iterator[Path]:
    """Give a folder to write a segment into, which takes its number when the block succeeds."""
    numbers = [int(path.name) for path in segment_folders(folder)]
    final = folder / f'{max(numbers, default=-1) + 1:04d}'
    partial = folder / '.segment.partial'
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_maps(
    segment: Path, shape: tuple[int, ...], parts: Iterable[NDArray[np.float16]]
) -> None:
    """Write the maps (N, D, h, w) of a segment, which come in parts."""
    path = segment / _MAPS
    maps = np.lib.format.open_memmap(path, mode='w+', dtype=np.float16, shape=shape)
    allocate(path)
    start = 0
    for part in parts:
        maps[start : start + len(part)] = part
        start += len(part)
    maps.flush()


def finish_segment(
    segment: Path,
    scene: str,
    camera: Camera,
    posed: Sequence[Posed],
    features_NK: NDArray[np.float32],
    made_by: str,
) -> None:
    """Write all of a segment but its maps, the card last."""
    poses = [each.map_from_camera for each in posed]
    training = TrainingFeatures(
        features_NK.astype(np.float16),
        np.array([pose.translation for pose in poses], dtype=np.float32),
        np.array([pose.quaternion() for pose in poses], dtype=np.float32),
        np.array([each.stamp_ns for each in posed], dtype=np.int64),
    )
    write_features(segment / _FRAMES, training)
    write_yaml(
        segment / _SEGMENT,
        {
            'kind': _KIND,
            'format': _FORMAT,
            'scene': scene,
            'images': len(posed),
            'camera': camera.to_dict(),
            'made_by': made_by,
            'files': {name: _fingerprint(segment / name) for name in (_MAPS, _FRAMES)},
        },
    )
