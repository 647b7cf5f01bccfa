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
Rigid transforms that know which frames they connect.

`a_from_b` maps coordinates given in frame b to frame a, `p_in_a = a_from_b @ p_in_b`, and in a
product the inner names cancel: `map_from_base = map_from_camera @ camera_from_base`.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from posenet_ros.errors import GeometryError
from scipy.spatial.transform import Rotation

_UNIT_TOLERANCE = 1e-2
# Of what points nowhere.
_NO_LENGTH = 1e-9


def rotation_from_parts(*, w: ArrayLike, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> Rotation:
    """
    Return one rotation from quaternion parts, or a stack from parts of shape (N,).

    The parts are normalised here; q and -q are the same rotation. Raises GeometryError for a
    quaternion of length zero or with a part that is not finite.
    """
    # The one place that knows SciPy's order.
    parts = np.stack([x, y, z, w], axis=-1).astype(np.float64)
    norms = np.linalg.norm(parts, axis=-1, keepdims=True)
    sound = np.isfinite(norms) & (norms >= 1e-9)
    if not sound.all():
        x, y, z, w = np.atleast_2d(parts)[~sound.ravel()][0]
        raise GeometryError(f'no rotation has the quaternion w={w} x={x} y={y} z={z}')
    return Rotation.from_quat(parts / norms)


def rotation_from_columns(columns_N6: ArrayLike) -> Rotation:
    """
    Return N rotations from two 3-vectors each, by Gram-Schmidt: the first two columns.

    As Zhou et al. (On the Continuity of Rotation Representations in Neural Networks, CVPR 2019)
    have networks put out rotations. Raises GeometryError where the two are parallel, or zero.
    """
    columns = np.asarray(columns_N6, dtype=np.float64).reshape(-1, 2, 3)
    first, second = columns[:, 0], columns[:, 1]
    area = np.linalg.norm(np.cross(first, second), axis=1)
    if not area.min(initial=np.inf) > _NO_LENGTH:
        raise GeometryError('two columns that point the same way, or nowhere, are no rotation')
    first = first / np.linalg.norm(first, axis=1, keepdims=True)
    second = second - (first * second).sum(axis=1, keepdims=True) * first
    second = second / np.linalg.norm(second, axis=1, keepdims=True)
    return Rotation.from_matrix(np.stack([first, second, np.cross(first, second)], axis=2))


def angles_between(rotation: Rotation, others: Rotation) -> NDArray[np.float64]:
    """Return by which angles (N,), in radians, other rotations differ from one."""
    one_4, others_N4 = rotation.as_quat(), others.as_quat()
    # By chords, not by cosines, which do not tell small angles from none.
    to_q, to_minus_q = (np.linalg.norm(others_N4 - each, axis=1) for each in (one_4, -one_4))
    return 4 * np.arcsin(np.minimum(to_q, to_minus_q) / 2)


def check_unit(*, w: float, x: float, y: float, z: float) -> None:
    """
    Raise GeometryError for quaternion parts from a text that are further than 1e-2 from length 1.

    Numbers of few digits pass; digits that were lost and columns in another order do not.
    """
    length = math.hypot(w, x, y, z)
    if not abs(length - 1) <= _UNIT_TOLERANCE:
        raise GeometryError(f'a quaternion has length 1, and this one {length:.4g}')


class Quaternion(NamedTuple):
    """A unit quaternion whose order cannot be mistaken: read its fields by name."""

    w: float
    x: float
    y: float
    z: float


@dataclass(frozen=True, eq=False)
class Pose:
    """
    A rigid transform `target_from_source`, in metres.

    As the pose of a body it is `map_from_camera`: the body's frame is the source, and
    `translation` is where its origin lies in the target frame. `target` and `source` mean what
    they mean to tf2's `lookup_transform(target, source)`.
    """

    rotation: Rotation
    translation: NDArray[np.float64]
    target: str
    source: str

    def __post_init__(self) -> None:
        """Check the parts and make the translation a float vector of its own."""
        translation = np.array(self.translation, dtype=np.float64)
        if translation.shape != (3,) or not np.isfinite(translation).all():
            raise GeometryError(f'a translation is three finite numbers, not {translation}')
        if not self.rotation.single:
            raise GeometryError('a pose holds one rotation; use Trajectory for many')
        object.__setattr__(self, 'translation', translation)

    @classmethod
    def identity(cls, target: str, source: str) -> Pose:
        """Return the transform between two frames that coincide."""
        return cls(Rotation.identity(), np.zeros(3), target, source)

    @classmethod
    def from_matrix(cls, matrix: ArrayLike, *, target: str, source: str) -> Pose:
        """
        Build from a homogeneous 4x4 (or 3x4) matrix `target_from_source`.

        Raises GeometryError when the upper left 3x3 is not a rotation (beyond 1e-3, so that
        matrices printed with few digits pass; they are projected to the nearest rotation).
        """
        matrix = np.asarray(matrix, dtype=np.float64)
        if matrix.shape not in ((4, 4), (3, 4)) or not np.isfinite(matrix).all():
            raise GeometryError(f'a pose matrix is 4x4 and finite, not {matrix.shape}')
        linear = matrix[:3, :3]
        if np.abs(linear @ linear.T - np.eye(3)).max() > 1e-3 or np.linalg.det(linear) < 0:
            raise GeometryError('the upper left 3x3 of a pose matrix must be a rotation')
        return cls(Rotation.from_matrix(linear), matrix[:3, 3], target, source)

    @classmethod
    def from_quaternion(
        cls,
        *,
        w: float,
        x: float,
        y: float,
        z: float,
        translation: ArrayLike,
        target: str,
        source: str,
    ) -> Pose:
        """
        Build from quaternion parts by name, normalised here; q and -q are the same pose.

        Raises GeometryError for a quaternion of length zero or with a part that is not finite.
        """
        rotation = rotation_from_parts(w=w, x=x, y=y, z=z)
        return cls(rotation, np.asarray(translation), target, source)

    def quaternion(self) -> Quaternion:
        """Return the rotation as a unit quaternion with w >= 0."""
        x, y, z, w = self.rotation.as_quat(canonical=True)
        return Quaternion(w=float(w), x=float(x), y=float(y), z=float(z))

    def matrix(self) -> NDArray[np.float64]:
        """Return the homogeneous 4x4 matrix `target_from_source`."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation.as_matrix()
        matrix[:3, 3] = self.translation
        return matrix

    def inverse(self) -> Pose:
        """Return `source_from_target`."""
        inverse = self.rotation.inv()
        return Pose(inverse, -inverse.apply(self.translation), self.source, self.target)

    def renamed(self, *, target: str | None = None, source: str | None = None) -> Pose:
        """Return the same transform between frames of other names."""
        return Pose(self.rotation, self.translation, target or self.target, source or self.source)

    @overload
    def __matmul__(self, other: Pose) -> Pose: ...

    @overload
    def __matmul__(self, other: NDArray[np.float64]) -> NDArray[np.float64]: ...

    def __matmul__(self, other: Pose | NDArray[np.float64]) -> Pose | NDArray[np.float64]:
        """
        Compose `a_from_b @ b_from_c = a_from_c`, or map points (3,) or (N, 3) from b to a.

        Raises GeometryError when the inner frames differ.
        """
        if not isinstance(other, Pose):
            # SciPy's rotations take no read-only arrays.
            return self.rotation.apply(np.array(other)) + self.translation
        if self.source != other.target:
            raise GeometryError(
                f'{self.target}_from_{self.source} @ {other.target}_from_{other.source}: '
                f'the inner frames {self.source!r} and {other.target!r} do not meet'
            )
        return Pose(
            self.rotation * other.rotation,
            self.rotation.apply(other.translation) + self.translation,
            self.target,
            other.source,
        )

    def distance(self, other: Pose) -> tuple[float, float]:
        """
        Return how far two poses of the same body are apart, in metres and radians.

        The angle is that of the rotation between them, in [0, pi]; it equals
        `2 * acos|<q1, q2>|` of their quaternions. Raises GeometryError when the frames differ.
        """
        if (self.target, self.source) != (other.target, other.source):
            raise GeometryError(
                f'cannot compare {self.target}_from_{self.source} '
                f'with {other.target}_from_{other.source}'
            )
        metres = float(np.linalg.norm(self.translation - other.translation))
        return metres, float((self.rotation.inv() * other.rotation).magnitude())

    def __repr__(self) -> str:
        """Show frames, position and quaternion in a form to read, not to parse."""
        position = ', '.join(f'{value:.3f}' for value in self.translation)
        quaternion = ', '.join(
            f'{name}={value:.4f}' for name, value in self.quaternion()._asdict().items()
        )
        return f'<{self.target}_from_{self.source} [{position}] {quaternion}>'
