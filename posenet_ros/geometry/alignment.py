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

"""Fit one set of points to another by a rigid motion or a similarity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry.pose import Pose
from posenet_ros.geometry.trajectory import Trajectory
from scipy.spatial.transform import Rotation


@dataclass(frozen=True, eq=False)
class Sim3:
    """
    A similarity `target_from_source`: `p_target = scale * rotation(p_source) + translation`.

    Applied to a camera pose it turns the rotation, and scales and moves the centre; the camera
    itself does not change size.
    """

    scale: float
    rotation: Rotation
    translation: NDArray[np.float64]
    target: str
    source: str

    def apply(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map points (3,) or (N, 3) from source to target."""
        # A copy: SciPy's rotations take no read-only arrays.
        return self.scale * self.rotation.apply(np.array(points)) + self.translation

    def apply_to(self, poses: Trajectory) -> Trajectory:
        """Map poses `source_from_body` to `target_from_body`."""
        if poses.target != self.source:
            raise GeometryError(
                f'{self.target}_from_{self.source} does not meet '
                f'{poses.target}_from_{poses.source}'
            )
        return Trajectory(
            poses.stamps_ns,
            self.rotation * poses.rotations,
            self.apply(poses.translations),
            self.target,
            poses.source,
        )

    def pose(self) -> Pose:
        """Return the rigid part; raise GeometryError where the scale is not one."""
        if abs(self.scale - 1) > 1e-9:
            raise GeometryError(f'a similarity of scale {self.scale} is no rigid transform')
        return Pose(self.rotation, self.translation, self.target, self.source)


def fit_similarity(
    source_points: NDArray[np.float64],
    target_points: NDArray[np.float64],
    *,
    target: str,
    source: str,
    with_scale: bool = True,
) -> Sim3:
    """
    Return the least-squares similarity from paired points (N, 3), N >= 3.

    The closed form of Umeyama (PAMI 1991). `with_scale=False` fits a rigid motion. Raises
    GeometryError where the points do not determine the rotation: fewer than three, or all on
    one line or in one place.
    """
    source_points = np.asarray(source_points, dtype=np.float64)
    target_points = np.asarray(target_points, dtype=np.float64)
    if source_points.shape != target_points.shape or source_points.shape[1:] != (3,):
        raise GeometryError('a fit needs two arrays (N, 3) of paired points')
    if not (np.isfinite(source_points).all() and np.isfinite(target_points).all()):
        raise GeometryError('a fit needs finite points')
    if len(source_points) < 3:
        raise GeometryError(f'a fit needs at least 3 pairs of points, got {len(source_points)}')
    source_mean, target_mean = source_points.mean(axis=0), target_points.mean(axis=0)
    centred = source_points - source_mean
    covariance = (target_points - target_mean).T @ centred / len(centred)
    u, singular, vt = np.linalg.svd(covariance)
    if singular[1] <= 1e-9 * max(singular[0], 1e-12):
        raise GeometryError('the points lie on one line or in one place: no rotation fits alone')
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = Rotation.from_matrix(u @ np.diag(signs) @ vt)
    variance = (centred**2).sum(axis=1).mean()
    scale = float(singular @ signs / variance) if with_scale else 1.0
    translation = target_mean - scale * rotation.apply(source_mean)
    return Sim3(scale, rotation, translation, target, source)
