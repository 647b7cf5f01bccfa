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
Rooms seen by a camera in a hand: from any height, tilted and rolled, several times in each place.

A network of relative poses must have seen many rooms, and cameras that move in all directions; a
robot's drives are all of one height. Every seed is another room, of another size, by another
camera in another light.
"""

from __future__ import annotations

from collections.abc import Callable
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.capture import Capture, image_path
from posenet_ros.data.images import encode_jpeg
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera, NS_PER_S, Pose, Trajectory
from posenet_ros.simulation.render import render, visible
from posenet_ros.simulation.sensor import Sensor, SensorErrors
from posenet_ros.simulation.world import make_world, World
from scipy.spatial.transform import Rotation

# Metres and degrees: where and how cameras are held, and how far the views of one place are apart,
# times a factor of the place's own: a network must tell a hand's breadth as well as a stride.
_HEIGHTS_M = (0.4, 1.9)
_PITCH_DEG, _ROLL_DEG = 12.0, 6.0
_APART_M, _APART_DEG = 0.45, (14.0, 8.0, 5.0)
_SCALES = (0.12, 1.3)
_FROM_WALL_M = 0.3
_IN_A_PLACE = 8
# No view is wanted that is mostly of something nearer than this.
_NEAR_M, _NEAR_SHARE = 0.4, 0.25
_SIZES_M = ((5.6, 10.0), (5.6, 8.0), (2.8, 3.6))
_FIELDS_DEG = (52.0, 95.0)
_TRIES = 2000
_QUALITY = 92
_LEVEL = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])


def write_views(
    folder: Path,
    seed: int,
    *,
    count: int,
    size: tuple[int, int] = (256, 192),
    frame_done: Callable[[], object] = lambda: None,
) -> Capture:
    """
    Render so many views (width, height) of the room of a seed into a capture folder.

    The same seed gives the same views. Raises ConfigError for fewer views than make a pair.
    """
    if count < 2:
        raise ConfigError(f'a room needs two views at least, not {count}')
    rng = np.random.default_rng([seed, 7])
    sides = [float(rng.uniform(*limits)) for limits in _SIZES_M]
    world = make_world(seed, (sides[0], sides[1], sides[2]))
    camera = _camera(size, math.radians(rng.uniform(*_FIELDS_DEG)))
    poses = free_views(world, camera, count, rng)
    errors = SensorErrors(
        noise=float(rng.uniform(0, 5)),
        vignetting=float(rng.uniform(0, 0.3)),
        exposure=float(rng.uniform(0, 0.2)),
    )
    sensor = Sensor(*size, count, errors, rng)
    stamps = [(frame + 1) * NS_PER_S for frame in range(count)]
    image_path(folder, 0).parent.mkdir(parents=True, exist_ok=True)
    for frame, (stamp_ns, pose) in enumerate(zip(stamps, poses, strict=True)):
        taken = sensor.expose(render(world, camera, pose, supersample=2), frame)
        encode_jpeg(image_path(folder, stamp_ns), taken, _QUALITY)
        frame_done()
    return Capture.create(folder, camera=camera, labels=Trajectory.from_poses(stamps, poses))


def _camera(size: tuple[int, int], field_rad: float) -> Camera:
    width, height = size
    focal = width / 2 / math.tan(field_rad / 2)
    return Camera(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)


def free_views(world: World, camera: Camera, count: int, rng: np.random.Generator) -> list[Pose]:
    """
    Draw poses `map_from_camera` in the free space of a room, eight around each of some places.

    Raises ConfigError where there is hardly any free space.
    """
    small = camera.resized(16, 12)
    poses: list[Pose] = []
    place = _anywhere(world, rng)
    tried = left = 0
    scale = 1.0
    while len(poses) < count:
        tried += 1
        if left <= 0 or tried % 50 == 0:
            place, left = _anywhere(world, rng), _IN_A_PLACE
            scale = math.exp(rng.uniform(*np.log(_SCALES)))
        pose = _beside(place, scale, rng)
        if _is_free(world, pose.translation) and _sees(world, small, pose):
            poses.append(pose)
            left, tried = left - 1, 0
        if tried > _TRIES:
            raise ConfigError('there is no free space in the room to hold a camera in')
    return poses


def _anywhere(world: World, rng: np.random.Generator) -> Pose:
    x, y = np.array(world.size[:2]) * rng.random(2)
    yaw = rng.uniform(0, 2 * math.pi)
    pitch, roll = rng.standard_normal(2) * (_PITCH_DEG, _ROLL_DEG)
    held = _turned(Rotation.from_euler('z', yaw) * _LEVEL, 0.0, pitch, roll)
    return Pose(held, [x, y, rng.uniform(*_HEIGHTS_M)], 'map', 'camera')


def _beside(place: Pose, scale: float, rng: np.random.Generator) -> Pose:
    """Return a view of about the same, from about the same place."""
    move = scale * _APART_M * rng.standard_normal(3) * (1, 1, 0.6)
    turned = _turned(place.rotation, *(scale * rng.standard_normal(3) * _APART_DEG))
    return Pose(turned, place.translation + move, 'map', 'camera')


def _turned(held: Rotation, yaw_deg: float, pitch_deg: float, roll_deg: float) -> Rotation:
    """Return how a camera is held after it was turned about the vertical, and then tilted."""
    around = Rotation.from_euler('z', yaw_deg, degrees=True)
    return around * held * Rotation.from_euler('xz', (pitch_deg, roll_deg), degrees=True)


def _is_free(world: World, at: NDArray[np.float64]) -> bool:
    most = np.array(world.size) - _FROM_WALL_M
    if (at < _FROM_WALL_M).any() or (at > most).any():
        return False
    for box in world.boxes:
        inside = box.axes @ (at - np.array(box.base))
        half = np.array(box.size) / 2
        beside = np.abs(inside[:2]) <= half[:2] + _FROM_WALL_M / 2
        if beside.all() and -_FROM_WALL_M / 2 <= inside[2] <= box.size[2] + _FROM_WALL_M / 2:
            return False
    return True


def _sees(world: World, camera: Camera, pose: Pose) -> bool:
    """Tell whether a view is of more than what is right in front of it."""
    nearness = visible(world, camera, pose).inverse_depth
    return float((nearness > 1 / _NEAR_M).mean()) <= _NEAR_SHARE
