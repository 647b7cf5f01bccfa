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

"""A reconstruction of a data set's images, made for its map alone: the labels are there."""

from __future__ import annotations

from collections.abc import Sequence
import hashlib
import logging
from pathlib import Path
import shutil

from posenet_ros.data.frames import Frame
from posenet_ros.data.images import encode_jpeg, read_image
from posenet_ros.errors import LabellingError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.geometry import Camera
from posenet_ros.sfm.reconstructing import reconstruct_frames
from posenet_ros.sfm.selection import Selection
from posenet_ros.sfm.workspace import Workspace
from tqdm import tqdm

_LOG = logging.getLogger(__name__)

# Where a run of a data set keeps it.
RECONSTRUCTION = 'reconstruction'

# Which frames a map was made of.
_OF = 'of.yaml'
_MOST_FRAMES = 200


def has_map(work: Path) -> bool:
    """Tell whether the map of a folder is made."""
    return Workspace(work).is_done('mapping')


def reconstruct_scene(
    frames: Sequence[Frame], camera: Camera, work: Path
) -> tuple[Path, dict[str, int]]:
    """
    Reconstruct at most 200 of the frames in the folder `work`, or take what is there.

    Returns the COLMAP model, in its own coordinates, and which frame each of its images is.
    Raises LabellingError where there is no such map.
    """
    step = max(1, -(-len(frames) // _MOST_FRAMES))
    chosen = range(0, len(frames), step)
    _claim(work, [frames[number] for number in chosen], camera)
    space = Workspace(work)
    names = {space.image_name(number): number for number in chosen}
    space.images.mkdir(parents=True, exist_ok=True)
    space.sfm.mkdir(exist_ok=True)
    for name, number in tqdm(names.items(), desc='copying images', unit='image', delay=2):
        if not (space.images / name).is_file():
            encode_jpeg(space.images / name, read_image(frames[number].image))
    selection = Selection(tuple(chosen), camera.width, camera.height, len(names), 0, 0)
    found = reconstruct_frames(space, selection, camera, 'auto')
    _LOG.info('%d of %d frames mapped', len(found.sfm_from_camera), len(names))
    return space.unaligned, names


def _claim(work: Path, chosen: Sequence[Frame], camera: Camera) -> None:
    """Make a folder that of the map of these frames; a map of others is thrown away."""
    names = [f'{frame.sequence}/{frame.image.name} {frame.stamp_ns}' for frame in chosen]
    digest = hashlib.sha256('\n'.join(names).encode()).hexdigest()
    of = {'frames_sha256': digest, 'camera': camera.to_dict()}
    path = work / _OF
    if not path.is_file() or read_yaml(path, LabellingError) != of:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        write_yaml(path, of)
