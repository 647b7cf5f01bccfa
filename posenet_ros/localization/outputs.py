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

"""What a network puts out for one image, on the way to a pose."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import (
    covariance_of,
    mean_and_spread,
    Pose,
    rotation_from_columns,
    rotation_from_parts,
)
from scipy.spatial.transform import Rotation

# A vector shorter than this points nowhere.
_NO_LENGTH = 1e-9
_UNKNOWN = (math.nan, math.nan)


class Outputs(NamedTuple):
    """
    Of one image, by several crops or samples: what of it is a pose, and features.

    `positions_N3` in metres in the map with `rotations` (N), which are None where there are none,
    and `features_CK`, one a crop. `informations_N66` tell how sure a scene head is of each pose,
    None of other heads; see `models.resection.Resected`.
    """

    positions_N3: NDArray[np.float64]
    rotations: Rotation | None
    features_CK: NDArray[np.float32]
    informations_N66: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls,
        positions: NDArray[np.float64],
        rotations: NDArray[np.float64],
        features_CK: NDArray[np.float32],
        informations: NDArray[np.float64] | None = None,
    ) -> Outputs:
        """
        Take what is finite of positions (..., 3) and rotations (..., 4 or 6).

        These are quaternions wxyz of any length, or two columns each. One of length zero is none.
        Informations are of 36 numbers each.
        """
        positions = positions.reshape(-1, 3)
        rotations = rotations.reshape(len(positions), -1)
        lengths = _lengths(rotations)
        all_of_it = positions.sum() + lengths.sum()
        if informations is not None:
            informations = informations.reshape(-1, 6, 6)
            all_of_it += informations.sum()
        if not (math.isfinite(all_of_it) and lengths.min() > _NO_LENGTH):
            sound = np.isfinite(positions).all(axis=1) & np.isfinite(lengths)
            sound &= lengths > _NO_LENGTH
            if informations is not None:
                sound &= np.isfinite(informations).all(axis=(1, 2))
                informations = informations[sound]
            positions, rotations = positions[sound], rotations[sound]
        turned = None
        if len(positions):
            turned = _rotations(rotations)
        return cls(positions, turned, features_CK, informations)

    def mean(self) -> tuple[Pose | None, tuple[float, float]]:
        """Return the mean pose, and how far the others are from it, NaN where there is one."""
        frames = {'target': 'map', 'source': 'camera'}
        if self.rotations is None:
            return None, _UNKNOWN
        if len(self.positions_N3) == 1:
            return Pose(self.rotations[0], self.positions_N3[0], **frames), _UNKNOWN
        return mean_and_spread(self.rotations, self.positions_N3, **frames)

    def covariance(self) -> NDArray[np.float64] | None:
        """
        Return the covariance (6, 6) of the mean pose, as the scene head tells it; None of others.

        What crops of one image show is wrong together, so that a mean is no better than they are;
        and it is worse where they are apart.
        """
        if self.rotations is None or self.informations_N66 is None:
            return None
        told_66 = covariance_of(self.informations_N66).mean(axis=0)
        if len(self.positions_N3) == 1:
            return told_66
        mean, _ = self.mean()
        turned_N3 = (self.rotations * mean.rotation.inv()).as_rotvec()
        apart_N6 = np.hstack([self.positions_N3 - mean.translation, turned_N3])
        return told_66 + apart_N6.T @ apart_N6 / len(apart_N6)

    def mean_feature(self) -> NDArray[np.float32]:
        """Return the mean direction at the mean length, which tells how new the image is."""
        if len(self.features_CK) == 1:
            return self.features_CK[0]
        mean = self.features_CK.mean(axis=0)
        length = np.sqrt(np.einsum('ij,ij->i', self.features_CK, self.features_CK)).mean()
        return mean * (length / max(float(np.linalg.norm(mean)), 1e-12))


def _rotations(rotations: NDArray[np.float64]) -> Rotation:
    if rotations.shape[1] == 4:
        w, x, y, z = rotations.T
        return rotation_from_parts(w=w, x=x, y=y, z=z)
    return rotation_from_columns(rotations)


def _lengths(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what tells whether numbers are a rotation: a length (N,) that is not zero then."""
    if rotations.shape[1] == 4:
        return np.sqrt(np.einsum('ij,ij->i', rotations, rotations))
    # The area between two columns, which is zero where one is or both are parallel.
    return np.linalg.norm(np.cross(rotations[:, :3], rotations[:, 3:]), axis=1)
