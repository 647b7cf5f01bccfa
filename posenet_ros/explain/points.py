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

"""The points of a COLMAP model in the map, and where an image would show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.colmap import map_from_camera, open_model
from posenet_ros.data.frames import by_end_of_path, Frame
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.sfm.cameras import colmap_camera

if TYPE_CHECKING:
    import pycolmap

# Images that look nearly the same way from nearly the same place see the same points.
_NEAREST_IMAGES = 6
_FEWEST_COMPARED = 3
# Poses of other origins differ by their drift and by the lens they assumed, but not by more.
_MOST_APART, _MOST_APART_DEG = 0.05, 5.0
_POINTS_FOR_DEPTH = 500
_PIXELS_A_SIDE = 17


@dataclass(frozen=True, eq=False)
class PointMap:
    """
    The registered images of a model, their poses in the map, and the points that they observe.

    `apart` is how far those poses are from the labels of the same images: medians, in the unit
    of the map and in degrees.
    """

    model: pycolmap.Reconstruction
    images: tuple[pycolmap.Image, ...]
    poses: tuple[Pose, ...]
    apart: tuple[float, float]

    @classmethod
    def open(cls, folder: Path, frames: Iterable[Frame]) -> PointMap:
        """
        Read a model that is in the frame of the labels of some frames, known by their names.

        Raises ConfigError where it is not, or nobody can tell, or where it has no points; and
        DatasetError where there is no model, or a damaged one.
        """
        _, model = open_model(folder)
        images = tuple(image for image in model.images.values() if image.has_pose)
        if not model.num_points3D():
            raise ConfigError(f'the COLMAP model {folder} has no points to show')
        poses = tuple(map(map_from_camera, images))
        apart = _apart(folder, [image.name for image in images], poses, frames)
        return cls(model, images, poses, apart)

    def near(self, pose: Pose) -> NDArray[np.float64]:
        """
        Return the points (N, 3) that the images nearest to a view observe.

        What stands in front of other points hides them there as in the view itself. Near are
        images whose picture moves least: by the angle between two cameras, and by their distance
        as an angle at the usual depth.
        """
        apart = np.array([pose.distance(other) for other in self.poses])
        order = np.argsort(apart[:, 0] / self._depth + apart[:, 1])
        ids = sorted({each for at in order[:_NEAREST_IMAGES] for each in self._ids(at)})
        return self._positions(ids)

    def lens(self, camera: Camera | None) -> pycolmap.Camera:
        """
        Return the camera that images are seen through.

        It is the model's, which the points were made with; where that has several, it is the one
        that is known to have taken the frames. Raises ConfigError where neither is known.
        """
        import pycolmap

        cameras = list(self.model.cameras.values())
        if len(cameras) == 1:
            return cameras[0]
        if camera is None:
            raise ConfigError(
                f'the COLMAP model has {len(cameras)} cameras, and the data set does not tell '
                'which of them took its images: give --points with a model of one camera'
            )
        known = colmap_camera(camera, camera.width, camera.height)
        return pycolmap.Camera(
            model=known['model'],
            width=known['width'],
            height=known['height'],
            params=known['params'],
        )

    @cached_property
    def _depth(self) -> float:
        """How far points usually are from the cameras that observe them."""
        centres = {
            image.image_id: pose.translation for image, pose in zip(self.images, self.poses)
        }
        points = list(self.model.points3D.values())
        depths = [
            np.linalg.norm(point.xyz - centres[point.track.elements[0].image_id])
            for point in points[:: max(1, len(points) // _POINTS_FOR_DEPTH)]
        ]
        return float(np.median(depths))

    def _ids(self, at: int) -> list[int]:
        return [each.point3D_id for each in self.images[at].points2D if each.has_point3D()]

    def _positions(self, ids: Sequence[int]) -> NDArray[np.float64]:
        return np.array([self.model.points3D[each].xyz for each in ids]).reshape(-1, 3)


def pixels(
    points: NDArray[np.float64], pose: Pose, lens: pycolmap.Camera, width: int, height: int
) -> NDArray[np.float64]:
    """
    Return where an image of some size shows points (N, 3) of the map, seen from a pose.

    The centre of the first pixel is at (0, 0). Points outside the image are NaN, and so are those
    further out than any pixel, which the polynomials of a lens may fold back into it.
    """
    seen = pose.inverse() @ points
    ahead = seen[:, 2] > 1e-9
    tangent = np.linalg.norm(seen[:, :2], axis=1) / np.where(ahead, seen[:, 2], np.nan)
    found = np.full((len(points), 2), np.nan)
    known = ahead & (tangent <= _widest(lens))
    found[known] = lens.img_from_cam(seen[known])
    found = found * (width / lens.width, height / lens.height) - 0.5
    outside = (found < -0.5) | (found >= (width - 0.5, height - 0.5))
    found[outside.any(axis=1)] = np.nan
    return found


def _widest(lens: pycolmap.Camera) -> float:
    """Return the tangent of the largest angle from the optical axis at which a pixel looks."""
    sides = np.linspace(0, 1, _PIXELS_A_SIDE)
    places = np.array([[x * lens.width, y * lens.height] for x in sides for y in sides])
    rays = lens.cam_from_img(places)
    again = lens.img_from_cam(np.column_stack([rays, np.ones(len(rays))]))
    # Beyond the end of its polynomial a lens has no ray for a pixel, and what is found is none.
    sound = np.linalg.norm(again - places, axis=1) < 1
    return float(np.linalg.norm(rays[sound], axis=1).max(initial=0.0))


def _apart(
    folder: Path, names: Sequence[str], poses: Sequence[Pose], frames: Iterable[Frame]
) -> tuple[float, float]:
    """Return how far poses are from the labels of the same images; refuse another frame."""
    labels = {name: each.map_from_camera for name, each in by_end_of_path(frames).items()}
    pairs = [(pose, labels[name]) for name, pose in zip(names, poses) if name in labels]
    if len(pairs) < _FEWEST_COMPARED:
        raise ConfigError(
            f'{len(pairs)} of the {len(names)} images of the COLMAP model {folder} have the '
            'names of frames of the data set, too few to tell whether it is in their map; give '
            '--points with a model of these frames'
        )
    apart = np.median([pose.distance(label) for pose, label in pairs], axis=0)
    metres, degrees = float(apart[0]), float(np.degrees(apart[1]))
    extent = np.ptp([label.translation for _, label in pairs], axis=0).max()
    if metres > _MOST_APART * extent or degrees > _MOST_APART_DEG:
        raise ConfigError(
            f'the COLMAP model {folder} is not in the map of the labels: its cameras are '
            f'{metres:.3g} and {degrees:.3g} deg from them (medians of {len(pairs)} images, '
            f'{extent:.3g} across); align it to them first, with colmap model_aligner'
        )
    return metres, degrees
