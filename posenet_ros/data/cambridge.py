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
The layout of Cambridge Landmarks (Kendall, Grimes, Cipolla, ICCV 2015).

    SCENE/dataset_train.txt, dataset_test.txt   three lines of header, then rows
    seq1/frame00001.png  x y z  w p q r

The labels mix frames: x y z is the camera's centre in the world, and the quaternion turns the
world into the camera.
"""

from __future__ import annotations

from pathlib import Path
import re

from posenet_ros.data.frames import Frame, Scene
from posenet_ros.errors import DatasetError, GeometryError
from posenet_ros.geometry import check_unit, NS_PER_S, Pose

# The videos were sampled at 2 Hz.
RATE_HZ = 2


def read_cambridge(folder: Path) -> Scene:
    """Read a scene; raise DatasetError, with the line number, where it has another layout."""
    train, test = folder / 'dataset_train.txt', folder / 'dataset_test.txt'
    if not train.is_file():
        raise DatasetError(f'{folder} is no scene of Cambridge Landmarks: it has no {train.name}')
    return Scene(folder.resolve().name, _frames(train), _frames(test) if test.is_file() else ())


def _frames(path: Path) -> tuple[Frame, ...]:
    frames = []
    lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        # The header is prose: its lines do not begin with an image.
        if not fields or Path(fields[0]).suffix.lower() not in ('.png', '.jpg', '.jpeg'):
            continue
        frames.append(_frame(path, number, fields))
    if not frames:
        raise DatasetError(f'{path} lists no images; expected rows "image x y z qw qx qy qz"')
    missing = [frame.image for frame in frames if not frame.image.is_file()]
    if missing:
        raise DatasetError(
            f'{path} lists {len(frames)} images, {len(missing)} of them are missing, the first '
            f'is {missing[0]}'
        )
    return tuple(frames)


def _frame(path: Path, number: int, fields: list[str]) -> Frame:
    image = path.parent / fields[0]
    try:
        x, y, z, qw, qx, qy, qz = (float(field) for field in fields[1:])
        check_unit(w=qw, x=qx, y=qy, z=qz)
        camera_from_map = Pose.from_quaternion(
            w=qw, x=qx, y=qy, z=qz, translation=(0, 0, 0), target='camera', source='map'
        )
        pose = Pose(camera_from_map.rotation.inv(), [x, y, z], 'map', 'camera')
    except (ValueError, GeometryError) as error:
        reason = f': {error}' if isinstance(error, GeometryError) else ''
        raise DatasetError(
            f'{path}:{number}: expected "image x y z qw qx qy qz" with finite numbers, got '
            f'{" ".join(fields)[:80]!r}{reason}'
        ) from error
    digits = re.findall(r'\d+', image.stem)
    stamp_ns = int(digits[-1] if digits else number) * NS_PER_S // RATE_HZ
    return Frame(image, pose, stamp_ns, str(Path(fields[0]).parent))
