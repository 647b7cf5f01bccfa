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

"""Places of points that no two of look alike, frames that saw them, and cameras that look back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera, Pose
from posenet_ros.landmarks import features as features_module
from posenet_ros.landmarks.features import LocalFeatures
from posenet_ros.landmarks.landmark_map import LandmarkMap
import pytest
from scipy.spatial.transform import Rotation

CAMERA = Camera(640, 480, 525.0, 520.0, 321.0, 238.0)
# Looks that have little in common: their cosines are about 0.4.
WIDTH = 64
# What frames look like as a whole.
PLACE = 16


@dataclass
class Told:
    """An extractor that finds what it was told to find."""

    found: LocalFeatures | None = None
    width = WIDTH

    def extract(self, rgb: NDArray[np.uint8]) -> LocalFeatures:
        return self.found

    def to_dict(self) -> dict[str, Any]:
        return {'kind': 'told'}


def looks(count: int, seed: int) -> NDArray[np.uint8]:
    """Return descriptors (count, WIDTH) that are unlike each other."""
    return (255 * np.random.default_rng(seed).random((count, WIDTH)) ** 4).astype(np.uint8)


def project(camera: Camera, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a camera with a lens has points that are ahead of it."""
    if camera.distortion == 'none':
        return camera.project(points)
    way = cv2.fisheye.projectPoints if camera.distortion == 'equidistant' else cv2.projectPoints
    still, lens = np.zeros(3), np.array(camera.coefficients)
    points = np.ascontiguousarray(points, dtype=np.float64)[:, None]
    if camera.distortion == 'equidistant':
        return way(points, still, still, camera.matrix, lens)[0].reshape(-1, 2)
    return way(points, still, still, camera.matrix, lens)[0].reshape(-1, 2)


def looking(position: Any, towards: Any, roll_deg: float = 0.0) -> Pose:
    """Return `map_from_camera` of a camera that looks at a point, its y down."""
    z = np.subtract(towards, position).astype(np.float64)
    z /= np.linalg.norm(z)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    turn = Rotation.from_matrix(np.stack([x, np.cross(z, x), z], axis=1))
    roll = Rotation.from_euler('z', roll_deg, degrees=True)
    return Pose(turn * roll, np.array(position, dtype=np.float64), 'map', 'camera')


@dataclass
class Place:
    """Points with looks (P, WIDTH), and frames that saw all that is ahead of them."""

    points: NDArray[np.float64]
    looks: NDArray[np.uint8]
    poses: list[Pose]
    camera: Camera = CAMERA

    def ahead(self, pose: Pose, camera: Camera) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the numbers of the points in an image, and where."""
        own = pose.inverse() @ self.points
        numbers = np.flatnonzero(own[:, 2] > 0.2)
        # What lies far aside is in no image, and a polynomial lens may fold it back into it.
        flat = own[numbers, :2] / own[numbers, 2:]
        numbers = numbers[np.abs(flat).max(axis=1) < 3]
        if not len(numbers):
            return numbers, np.zeros((0, 2))
        pixels = project(camera, own[numbers])
        inside = ((pixels >= 0) & (pixels <= [camera.width - 1, camera.height - 1])).all(axis=1)
        return numbers[inside], pixels[inside]

    def look(self, pose: Pose) -> NDArray[np.float32]:
        """Return what the place looks like as a whole from a pose: like what is near to it."""
        own = np.concatenate([pose.translation, 2 * pose.rotation.as_matrix()[:, 2]])
        rng = np.random.default_rng(7)
        waves = np.cos(own @ rng.normal(0, 0.5, (6, PLACE)) + rng.uniform(0, 6, PLACE))
        return (waves / np.linalg.norm(waves)).astype(np.float32)

    def map(self, extractor: Any = None, **other: Any) -> LandmarkMap:
        """Return the map of the place."""
        seen = [np.sort(self.ahead(pose, self.camera)[0]) for pose in self.poses]
        counts = [len(each) for each in seen]
        values = {
            'points_P3': self.points.astype(np.float32),
            'first_row': np.arange(len(self.points) + 1, dtype=np.int32),
            'descriptors': self.looks,
            'first_seen': np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            'seen': np.concatenate(seen).astype(np.int32),
            'centres_F3': np.array([p.translation for p in self.poses], dtype=np.float32),
            'rotations_F33': np.array(
                [p.rotation.as_matrix() for p in self.poses], dtype=np.float32
            ),
            'places_FK': np.array([self.look(p) for p in self.poses], dtype=np.float16),
            'camera': self.camera,
            'extractor': extractor or Told(),
            'image_from_label': Pose.identity('image', 'camera'),
        }
        return LandmarkMap(**{**values, **other})

    def features(
        self,
        pose: Pose,
        camera: Camera | None = None,
        *,
        noise: float = 0.5,
        share: float = 0.5,
        clutter: int = 60,
        seed: int = 0,
    ) -> LocalFeatures:
        """
        Return what is found in an image from a pose: a share of the points, and clutter.

        `noise` is in pixels of the image, and looks differ a little from those of the map.
        """
        camera = camera or self.camera
        rng = np.random.default_rng(seed)
        numbers, pixels = self.ahead(pose, camera)
        some = np.flatnonzero(rng.random(len(numbers)) < share)
        pixels = pixels[some] + rng.normal(0, noise, (len(some), 2))
        blurred = self.looks[numbers[some]] + rng.normal(0, 8, (len(some), WIDTH))
        aside = rng.uniform(0, [camera.width, camera.height], (clutter, 2))
        return LocalFeatures(
            np.concatenate([pixels, aside]).astype(np.float32),
            np.concatenate(
                [np.clip(blurred, 0, 255).astype(np.uint8), looks(clutter, 1000 + seed)]
            ),
        )


def box_of_points(count: int, seed: int, size: tuple[float, float, float] = (8, 6, 3)) -> Any:
    """Return points on the walls of a room."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, size, (count, 3))
    wall = rng.integers(0, 4, count)
    points[wall == 0, 0], points[wall == 1, 0] = 0, size[0]
    points[wall == 2, 1], points[wall == 3, 1] = 0, size[1]
    return points


@pytest.fixture(scope='session')
def room() -> Place:
    """Return a room that was driven around in, looking outwards and ahead."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    poses = [
        looking(
            [4 + 1.5 * np.cos(a), 3 + np.sin(a), 1.2],
            [4 + 4 * np.cos(a + 0.5), 3 + 4 * np.sin(a + 0.5), 1.3],
        )
        for a in angles
    ]
    return Place(box_of_points(1500, 1), looks(1500, 2), poses)


@pytest.fixture
def query() -> Pose:
    """Return a pose in the room that no frame was taken from."""
    return looking([4.6, 3.3, 1.1], [8.0, 4.2, 1.4], roll_deg=4)


@pytest.fixture
def make_place() -> Callable[..., Place]:
    return Place


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> type[Told]:
    """Have maps know the extractor that finds what it was told to find."""
    monkeypatch.setitem(features_module._KINDS, 'told', Told)
    return Told


@pytest.fixture
def project_points() -> Callable[..., NDArray[np.float64]]:
    return project


@pytest.fixture
def look_at() -> Callable[..., Pose]:
    return looking


@pytest.fixture
def distinct() -> Callable[[int, int], NDArray[np.uint8]]:
    return looks
