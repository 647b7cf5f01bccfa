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

"""Scenes as the trunk has them: it does not learn, so its maps are made once and kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.data.pairs import find_pairs, PairOptions, Pairs
from posenet_ros.errors import ConfigError
from posenet_ros.files import allocate, read_yaml, write_yaml, written_whole
from posenet_ros.geometry import Camera
from posenet_ros.machine import cores
from posenet_ros.models.relative import cell_rays
from posenet_ros.models.trunk_maps import resized, stacked, TrunkMaps
from posenet_ros.training.identity import frames_sha256
from posenet_ros.training.relative.looks import another_look

# Images that go through the trunk together, by the kind of device.
_BATCH = {'cpu': 16, 'cuda': 128}
_MADE = 'made.yaml'


@dataclass(frozen=True, eq=False)
class SceneMaps:
    """
    N posed images of one camera.

    `maps_NChw` float16 are the trunk's, mapped from their file; with several `looks` at each
    image, all N are followed by all of another look. `ray_2hw` are the rays of the cells,
    `centres_N3` and `rotations_N33` the poses `map_from_camera`.
    """

    name: str
    maps_NChw: NDArray[np.float16]
    ray_2hw: NDArray[np.float32]
    centres_N3: NDArray[np.float64]
    rotations_N33: NDArray[np.float64]
    pairs: Pairs
    looks: int = 1

    def __len__(self) -> int:
        """Return N."""
        return len(self.centres_N3)


def describe_scene(
    name: str,
    frames: Sequence[Frame],
    camera: Camera | None,
    trunk: TrunkMaps,
    folder: Path,
    *,
    options: PairOptions | None = None,
    looks: int = 1,
    image_done: Callable[[int], object] = lambda count: None,
) -> SceneMaps:
    """
    Make the maps of a scene in a folder, or take those that are there.

    Those of other frames, or by another trunk, are made anew. Of several `looks` at each image the
    first is as it is, and the others are as other cameras might take it (see `another_look`).
    `image_done` is told how many more there are. Raises ConfigError for a scene whose camera is
    not known, and DatasetError where no two of its frames are a pair.
    """
    if camera is None:
        raise ConfigError(f'the camera of {name} is not known, and relative poses are of rays')
    poses = [frame.map_from_camera for frame in frames]
    sequences = [frame.sequence for frame in frames]
    pairs = find_pairs(poses, camera, options, sequences)
    maps_path = folder / 'maps.npy'
    made: dict[str, Any] = {'frames_sha256': frames_sha256(frames), 'trunk_sha256': trunk.sha256}
    if looks > 1:
        made['looks'] = looks
    # Written last: where it is, they are whole.
    if _made_of(folder / _MADE) == made:
        image_done(len(frames))
    else:
        (folder / _MADE).unlink(missing_ok=True)
        _write(frames, trunk, looks, maps_path, image_done)
        write_yaml(folder / _MADE, made)
    return SceneMaps(
        name,
        np.load(maps_path, mmap_mode='r'),
        cell_rays(camera, trunk.cells),
        np.array([pose.translation for pose in poses]),
        np.array([pose.rotation.as_matrix() for pose in poses]),
        pairs,
        looks,
    )


def _made_of(path: Path) -> dict[str, Any] | None:
    return read_yaml(path, ConfigError) if path.is_file() else None


def _write(
    frames: Sequence[Frame],
    trunk: TrunkMaps,
    looks: int,
    maps_path: Path,
    image_done: Callable[[int], object],
) -> None:
    maps_path.parent.mkdir(parents=True, exist_ok=True)
    shape = (looks * len(frames), trunk.channels, *trunk.cells.shape)
    device = trunk.mean_311.device
    batch = _BATCH.get(device.type, _BATCH['cpu'])

    def seen(number: int) -> list[NDArray[np.uint8]]:
        rgb = resized(read_image(frames[number].image))
        return [rgb, *(another_look(rgb, (number, look)) for look in range(1, looks))]

    with written_whole(maps_path) as path, ThreadPoolExecutor(cores()) as pool:
        maps = np.lib.format.open_memmap(path, mode='w+', dtype=np.float16, shape=shape)
        allocate(path)
        for start in range(0, len(frames), batch):
            part = range(start, min(start + batch, len(frames)))
            for look, images in enumerate(zip(*pool.map(seen, part))):
                map_BChw, _ = trunk(stacked(images).to(device))
                rows = slice(look * len(frames) + start, look * len(frames) + part.stop)
                maps[rows] = map_BChw.half().cpu().numpy()
            image_done(len(part))
        maps.flush()
