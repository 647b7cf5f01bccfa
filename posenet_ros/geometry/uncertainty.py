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
How sure a pose is.

A covariance (6, 6) of `map_from_body` is that of small errors in the order x y z rotX rotY rotZ
along and about the fixed axes of the map, in m^2, m rad and rad^2, as in
geometry_msgs/PoseWithCovariance: `estimate.translation = true.translation + error[:3]` and
`estimate.rotation = exp(error[3:]) true.rotation`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry.pose import Pose
from scipy.spatial.transform import Rotation

# Of numbers of single precision, sums of some hundred.
_ROUNDED = 1e-6
_LEAST_KNOWN = 1e-12


def check_covariance(covariance: ArrayLike) -> NDArray[np.float64]:
    """
    Return a read-only copy of a pose covariance, or refuse it.

    A filter takes a zero for near-total trust, so a matrix that is not finite, symmetric and
    positive definite raises GeometryError.
    """
    covariance = np.array(covariance, dtype=np.float64)
    if covariance.shape != (6, 6) or not np.isfinite(covariance).all():
        raise GeometryError(f'a pose covariance is 6x6 and finite, got shape {covariance.shape}')
    # Not np.allclose, which takes longer than all else here.
    if (np.abs(covariance - covariance.T) > 1e-12 + 1e-6 * np.abs(covariance)).any():
        raise GeometryError('a pose covariance is symmetric, and this one is not')
    smallest = np.linalg.eigvalsh(covariance)[0]
    if smallest <= 0:
        raise GeometryError(
            f'a pose covariance is positive definite; the smallest eigenvalue is {smallest:.3g}'
        )
    covariance.flags.writeable = False
    return covariance


def pose_error(estimate: Pose, true: Pose) -> NDArray[np.float64]:
    """Return the error (6,) of an estimate; raise GeometryError where the frames differ."""
    if (estimate.target, estimate.source) != (true.target, true.source):
        raise GeometryError(
            f'{estimate.target}_from_{estimate.source} is no estimate of '
            f'{true.target}_from_{true.source}'
        )
    turned = (estimate.rotation * true.rotation.inv()).as_rotvec()
    return np.concatenate([estimate.translation - true.translation, turned])


def covariance_at_lever(covariance: NDArray[np.float64], lever: ArrayLike) -> NDArray[np.float64]:
    """
    Return the covariance of another point of the same rigid body.

    `lever` (3,) leads from the point whose covariance is given to the other, in axes of the map;
    both may be stacks, (N, 6, 6) and (N, 3). The other point swings with errors of rotation:
    `error' = error + rotation_error x lever`, which is the adjoint of SE(3) in fixed axes.
    """
    lever = np.asarray(lever, dtype=np.float64)
    swing = np.zeros((*lever.shape[:-1], 6, 6))
    swing[...] = np.eye(6)
    x, y, z = np.moveaxis(lever, -1, 0)
    swing[..., 0, 4], swing[..., 0, 5] = z, -y
    swing[..., 1, 3], swing[..., 1, 5] = -z, x
    swing[..., 2, 3], swing[..., 2, 4] = y, -x
    return swing @ covariance @ np.swapaxes(swing, -1, -2)


def covariance_of(information: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the covariances (..., 6, 6) of informations that may be rounded to single precision.

    What rounding leaves of a direction of which next to nothing is known may be zero, or less. It
    counts as what rounding can tell at least, which is more than is known.
    """
    scale = 1 / np.sqrt(np.maximum(np.diagonal(information, axis1=-2, axis2=-1), _LEAST_KNOWN))
    alike = information * scale[..., :, None] * scale[..., None, :]
    values, vectors = np.linalg.eigh((alike + np.swapaxes(alike, -1, -2)) / 2)
    inverse = 1 / np.maximum(values, _ROUNDED * np.maximum(values[..., -1:], 1))
    whole = (vectors * inverse[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return whole * scale[..., :, None] * scale[..., None, :]


def covariance_in_axes(
    covariance: NDArray[np.float64], new_from_old: Rotation
) -> NDArray[np.float64]:
    """Return a covariance (6, 6) with errors along and about the axes of another frame."""
    turn = np.kron(np.eye(2), new_from_old.as_matrix())
    return turn @ covariance @ turn.T
