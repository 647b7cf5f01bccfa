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
The depth of labelled images, from the map that their labels come from or one made for it.

Public data sets bring poses and no points. Some of their images are then reconstructed as those
of a recording would be, and the model is scaled to the poses; nothing else is taken from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.depth import Depths, FEWEST_POINTS, inverse_depths
from posenet_ros.data.frames import by_end_of_path, Frame
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import Camera
from posenet_ros.sfm.process import run_stage
from posenet_ros.sfm.scene_map import reconstruct_scene
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

_MOST_POINTS = 200
# An image that is not in the model is told its depth by so many that are, those nearest to it.
_NEIGHBOURS = 3
# A radian of turning counts as much as this share of the scene's size.
_TURN_AS_SHARE = 0.5
# Cameras nearer to each other than this share of the scene's size tell little of its scale.
_APART = 0.25
# Half of the distances between cameras may differ by more than this share, or the map is of
# another place.
_LARGEST_DIFFERENCE = 0.1


def depths_of(
    frames: Sequence[Frame], camera: Camera, *, model: Path | None, work: Path
) -> Depths:
    """
    Return inverse depths (see `data.depth`) by image, of those frames that a map tells of.

    `model` is a COLMAP model of the frames' images, by the ends of their paths; where it is None
    one is made in the folder `work`, of at most 200 frames. Depths are in the unit of the poses.
    Raises LabellingError where there is no such map, or one that does not fit the poses.
    """
    if model is None:
        model, names = reconstruct_scene(frames, camera, work)
    else:
        names = None
    seen = run_stage(
        'seen',
        log=work.parent / 'logs' / 'sfm.log',
        title='reading points',
        unit='image',
        model=str(model),
        most=_MOST_POINTS,
    )
    surroundings = _Surroundings(frames, _by_frame(frames, seen, names))
    found = {}
    for number, frame in enumerate(frames):
        pixels, depths = surroundings.points_in(number, camera)
        inverse = inverse_depths(pixels, depths, camera.width, camera.height)
        if inverse is not None:
            found[frame.image] = inverse
    return found


def _by_frame(
    frames: Sequence[Frame], seen: dict[str, Any], names: dict[str, int] | None
) -> dict[int, dict[str, NDArray[np.float64]]]:
    """Return what was seen by the number of the frame."""
    if names is None:
        numbers = {frame.image: number for number, frame in enumerate(frames)}
        ends = by_end_of_path(frames)
        names = {name: numbers[ends[name].image] for name in seen if name in ends}
    mapped = {
        names[name]: {key: np.array(value, dtype=np.float64) for key, value in values.items()}
        for name, values in seen.items()
        if name in names and len(values['points']) >= FEWEST_POINTS
    }
    if len(mapped) < 3:
        raise LabellingError(f'only {len(mapped)} images of the map are among the frames')
    return mapped


def _scale(frames: Sequence[Frame], mapped: dict[int, dict[str, NDArray[np.float64]]]) -> float:
    """
    Return the frames' unit over the model's: the median ratio of distances between cameras.

    Images that were mapped at the wrong place are few, and do not count in a median. Raises
    LabellingError where the distances do not go together.
    """
    positions = np.array([frames[number].map_from_camera.translation for number in mapped])
    found = np.array([values['position'] for values in mapped.values()])
    told, mapped_as = pdist(positions), pdist(found)
    far = (told > _APART * told.max()) & (mapped_as > 0)
    if not far.any():
        raise LabellingError('the scale of the map cannot be told: its cameras are at one place')
    logs = np.log(told[far] / mapped_as[far])
    scale = float(np.median(logs))
    difference = float(np.median(np.abs(logs - scale)))
    if difference > _LARGEST_DIFFERENCE:
        raise LabellingError(
            'the map of these images and their poses are not of one place: distances between '
            f'cameras differ by {100 * np.expm1(difference):.0f} % (median)'
        )
    return float(np.exp(scale))


class _Surroundings:
    """What some of the frames see, and which of them are near to any other."""

    def __init__(
        self, frames: Sequence[Frame], mapped: dict[int, dict[str, NDArray[np.float64]]]
    ) -> None:
        self._frames = frames
        self._mapped = mapped
        self._scale = _scale(frames, mapped)
        self._numbers = list(mapped)
        poses = [frames[number].map_from_camera for number in self._numbers]
        self._positions_M3 = np.array([pose.translation for pose in poses])
        self._rotations_M = Rotation.concatenate([pose.rotation for pose in poses])
        self._size = float(np.linalg.norm(np.ptp(self._positions_M3, axis=0)))

    def points_in(
        self, number: int, camera: Camera
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return pixels and depths of the points in a frame: its own, or its neighbours'."""
        if number in self._mapped:
            own = self._mapped[number]
            depths = self._scale * own['points'][:, 2]
            return own['pixels'][depths > 0], depths[depths > 0]
        camera_from_map = self._frames[number].map_from_camera.inverse()
        parts = []
        for other in self._nearest(number):
            # The rotation between data sets' depth and colour cameras cancels out nearly.
            camera_from_other = camera_from_map @ self._frames[other].map_from_camera
            parts.append(camera_from_other @ (self._scale * self._mapped[other]['points']))
        points = np.concatenate(parts)
        pixels = camera.project(points)
        inside = ((pixels >= 0) & (pixels < [camera.width, camera.height])).all(axis=1)
        return pixels[inside], points[inside, 2]

    def _nearest(self, number: int) -> list[int]:
        """Return the mapped frames that are nearest to one, by position and attitude."""
        own = self._frames[number].map_from_camera
        distances_M = np.linalg.norm(self._positions_M3 - own.translation, axis=1)
        angles_M = (own.rotation.inv() * self._rotations_M).magnitude()
        order = np.argsort(distances_M + _TURN_AS_SHARE * self._size * angles_M)
        return [self._numbers[index] for index in order[:_NEIGHBOURS]]
