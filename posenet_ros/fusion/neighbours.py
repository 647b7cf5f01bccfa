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

"""What is fused: known cameras, and where each has another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Pose
from scipy.spatial.transform import Rotation

# How far a matrix may be from a rotation, by its largest entry.
_ROTATION_TOLERANCE = 1e-3
_LEAST_LENGTH = 1e-12
# Metres: what is farther away is a mistake, and its square would not fit.
_MOST = 1e9
# Nobody is surer than a millimetre and a tenth of one in angle, or less sure than of nothing.
_LEAST_DEVIATIONS, _MOST_DEVIATION = np.array([1e-3, 1e-3, 1e-4]), 1e3


@dataclass(frozen=True, eq=False)
class Neighbours:
    """
    N known cameras, the one that looks most like the image first, and what each says of it.

    All in axes of the map: `centres_N3` are the cameras' own, `directions_N3` lead from there
    towards the camera that is asked for, `rotations_N33` are its `map_from_camera`, and
    `distances_N` how far it is, NaN where nothing tells. `deviations_N3` are standard deviations
    of what each says: of the end of its way in either direction across it and along it, metres,
    and of the rotation about each axis, radians; NaN where it does not tell. `usable_N` is False
    where a number is not finite or absurd, a direction has no length or a matrix is no rotation:
    these say nothing.
    """

    centres_N3: NDArray[np.float64]
    directions_N3: NDArray[np.float64]
    rotations_N33: NDArray[np.float64]
    distances_N: NDArray[np.float64]
    deviations_N3: NDArray[np.float64]
    usable_N: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return N."""
        return len(self.centres_N3)

    @classmethod
    def of(
        cls,
        centres_N3: ArrayLike,
        directions_N3: ArrayLike,
        rotations_N33: ArrayLike,
        distances_N: ArrayLike | None = None,
        deviations_N3: ArrayLike | None = None,
    ) -> Neighbours:
        """Take the parts, directions of any length; raise GeometryError for other shapes."""
        centres = np.array(centres_N3, dtype=np.float64).reshape(-1, 3)
        directions = np.array(directions_N3, dtype=np.float64).reshape(-1, 3)
        rotations = np.array(rotations_N33, dtype=np.float64).reshape(-1, 3, 3)
        count = len(centres)
        distances = np.full(count, np.nan) if distances_N is None else np.array(distances_N, float)
        deviations = np.full((count, 3), np.nan)
        if deviations_N3 is not None:
            deviations = np.array(deviations_N3, float).reshape(-1, 3)
        shapes = [each.shape for each in (centres, directions, rotations, distances, deviations)]
        if shapes != [(count, 3), (count, 3), (count, 3, 3), (count,), (count, 3)]:
            raise GeometryError(f'neighbours have N centres, directions, rotations, not {shapes}')
        with np.errstate(invalid='ignore', over='ignore'):
            lengths = np.linalg.norm(directions, axis=1)
            turned = rotations @ np.swapaxes(rotations, 1, 2) - np.eye(3)
            usable = (np.abs(centres) < _MOST).all(axis=1)
            usable &= (lengths > _LEAST_LENGTH) & (lengths < _MOST)
            usable &= np.abs(turned).max(axis=(1, 2), initial=0) <= _ROTATION_TOLERANCE
            usable &= np.linalg.det(np.nan_to_num(rotations)) > 0
            distances[~((distances >= 0) & (distances < _MOST))] = np.nan
            deviations[~(deviations >= 0).all(axis=1)] = np.nan
            deviations = np.clip(deviations, _LEAST_DEVIATIONS, _MOST_DEVIATION)
        directions[usable] /= lengths[usable, None]
        return cls(centres, directions, rotations, distances, deviations, usable)

    @classmethod
    def from_relative(
        cls,
        map_from_neighbour: Sequence[Pose],
        neighbour_from_camera: Sequence[Pose],
        *,
        distances: bool = True,
    ) -> Neighbours:
        """
        Take where cameras are, and where each has the other one in its own frame.

        Without `distances` only the direction of a relative translation counts. A relative pose
        without a translation is of an image from the very same place: it says nothing of where.
        """
        if len(map_from_neighbour) != len(neighbour_from_camera):
            raise GeometryError(
                f'of {len(map_from_neighbour)} cameras {len(neighbour_from_camera)} have a pose'
            )
        whole = [
            known @ relative.renamed(target=known.source)
            for known, relative in zip(map_from_neighbour, neighbour_from_camera)
        ]
        centres_N3 = np.array([pose.translation for pose in map_from_neighbour]).reshape(-1, 3)
        offsets_N3 = np.array([pose.translation for pose in whole]).reshape(-1, 3) - centres_N3
        rotations = np.array([pose.rotation.as_matrix() for pose in whole]).reshape(-1, 3, 3)
        lengths_N = np.linalg.norm(offsets_N3, axis=1) if distances else None
        return cls.of(centres_N3, offsets_N3, rotations, lengths_N)

    def nearest(self) -> Pose | None:
        """Return the pose of the first that is usable with its own rotation; None without one."""
        usable = np.flatnonzero(self.usable_N)
        if not len(usable):
            return None
        return pose_at(self.centres_N3[usable[0]], self.rotations_N33[usable[0]])


def pose_at(centre_3: NDArray[np.float64], rotation_33: NDArray[np.float64]) -> Pose:
    """Return `map_from_camera`."""
    return Pose(Rotation.from_matrix(rotation_33), centre_3, 'map', 'camera')
