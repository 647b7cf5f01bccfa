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
The layout of Microsoft's 7-Scenes (Shotton et al., CVPR 2013).

    SCENE/TrainSplit.txt, TestSplit.txt    lines such as "sequence1"; may be missing
    SCENE/seq-01/frame-000000.color.png    or .jpg
    SCENE/seq-01/frame-000000.pose.txt     4x4 camera-to-world, metres
"""

from __future__ import annotations

import logging
from pathlib import Path
import re

import numpy as np
from posenet_ros.data.frames import Frame, Scene
from posenet_ros.data.images import read_image
from posenet_ros.errors import DatasetError, GeometryError
from posenet_ros.geometry import Camera, NS_PER_S, Pose

_LOG = logging.getLogger(__name__)

RATE_HZ = 30
# Nominal values of the Kinect's colour camera; the 585 in the data set's notes is the depth
# camera's, and spoils rotations.
FOCAL, CENTRE, SIZE = 525.0, (320.0, 240.0), (640, 480)


def read_seven_scenes(folder: Path) -> Scene:
    """
    Read a scene; without split files every sequence is for training.

    Frames whose pose is not finite, as tracking failures are written in some releases, are left
    out with a warning. Raises DatasetError for any other departure from the layout.
    """
    sequences = {path.name: path for path in sorted(folder.glob('seq-*')) if path.is_dir()}
    if not sequences:
        raise DatasetError(f'{folder} is no scene of 7-Scenes: it has no folder seq-01')
    test = _split(folder / 'TestSplit.txt', sequences) or []
    train = _split(folder / 'TrainSplit.txt', sequences)
    if train is None:
        train = [name for name in sequences if name not in test]
    scene = Scene(
        folder.resolve().name,
        train=tuple(frame for name in train for frame in _frames(sequences[name])),
        test=tuple(frame for name in test for frame in _frames(sequences[name])),
        camera=None,
    )
    if not scene.train:
        raise DatasetError(f'{folder} has no training frames with a valid pose')
    return Scene(scene.name, scene.train, scene.test, _nominal_camera(scene.train[0].image))


def _split(path: Path, sequences: dict[str, Path]) -> list[str] | None:
    """Return the sequences of a split file by folder name, None where there is no file."""
    if not path.is_file():
        return None
    numbers = re.findall(r'\d+', path.read_text(encoding='utf-8', errors='replace'))
    names = [f'seq-{int(number):02d}' for number in numbers]
    for name in names:
        if name not in sequences:
            raise DatasetError(f'{path} names {name}, which is not there; is it unpacked?')
    if not names:
        raise DatasetError(f'{path} names no sequence; expected lines such as "sequence1"')
    return names


def _frames(sequence: Path) -> list[Frame]:
    images = sorted(
        path for path in sequence.glob('frame-*.color.*') if path.suffix in ('.png', '.jpg')
    )
    if not images:
        raise DatasetError(f'{sequence} has no images frame-NNNNNN.color.png or .jpg')
    frames = []
    for image in images:
        name = re.fullmatch(r'(frame-([0-9]{1,12}))\.color\.(png|jpg)', image.name)
        if name is None:
            raise DatasetError(f'{image} has another name than frame-NNNNNN.color.png or .jpg')
        pose = _pose(image.with_name(f'{name[1]}.pose.txt'))
        if pose is not None:
            stamp_ns = round(int(name[2]) * NS_PER_S / RATE_HZ)
            frames.append(Frame(image, pose, stamp_ns, sequence.name))
    if len(frames) < len(images):
        _LOG.warning(
            'left out %d of %d frames of %s: their poses are not finite',
            len(images) - len(frames),
            len(images),
            sequence,
        )
    return frames


def _pose(path: Path) -> Pose | None:
    """Read `map_from_camera`; None where tracking was lost (numbers that are not finite)."""
    try:
        numbers = [float(field) for field in path.read_text(encoding='utf-8').split()]
    except OSError as error:
        raise DatasetError(f'cannot read the pose {path}: {error.strerror}') from error
    except ValueError as error:
        raise DatasetError(f'{path} is damaged: expected 16 numbers') from error
    if len(numbers) != 16:
        raise DatasetError(f'{path} is damaged: expected 16 numbers, got {len(numbers)}')
    if not np.isfinite(numbers).all():
        return None
    try:
        return Pose.from_matrix(np.reshape(numbers, (4, 4)), target='map', source='camera')
    except GeometryError as error:
        raise DatasetError(f'{path} is damaged: {error}') from error


def _nominal_camera(image: Path) -> Camera | None:
    """Return the nominal camera where the images have its size."""
    height, width = read_image(image).shape[:2]
    if (width, height) != SIZE:
        return None
    return Camera(width, height, FOCAL, FOCAL, *CENTRE)
