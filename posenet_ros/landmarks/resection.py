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
Camera resectioning: from points of the map and where they are in an image to the camera's pose.

Everything here is on the plane one unit ahead of the camera, where the lens is out of the way;
errors are told in pixels at the middle of the image.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

# Three points have up to four poses; a fourth chooses, and two more confirm.
FEWEST_MATCHES = 6
_RANSAC_PX = 6.0
_RANSAC_ROUNDS = 3000
_RANSAC_CONFIDENCE = 0.9999
# Beyond so many pixels an error counts for less and less (Cauchy).
_ROBUST_PX = 1.5
_ROUNDS = 10
_STILL = 1e-6
_DAMPING = 1e-9
_LEAST_DEPTH = 0.05
# A pose is found with a focal length that is a tenth off.
_FACTORS = (1.0, 0.83, 1.2, 0.69, 1.44, 0.58, 1.73, 0.5, 2.0)


class Attitude(NamedTuple):
    """Where a camera is as matching needs it: `rotation` (3, 3) and `centre` (3,) in the map."""

    map_from_image: NDArray[np.float64]
    centre: NDArray[np.float64]

    def into_image(self, points_N3: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return points of the map in the axes of the image."""
        return (np.asarray(points_N3, dtype=np.float64) - self.centre) @ self.map_from_image


class Resected(NamedTuple):
    """
    A pose that was refined, and how firmly the points hold it.

    `information` (6, 6) is the Hessian of half the squared errors, each in units of 1.5 pixels,
    with respect to a move (3, metres) and a turn (3, radians) along the fixed axes of the map.
    `error_px` is the median error.
    """

    attitude: Attitude
    information: NDArray[np.float64]
    error_px: float


def resect(
    points_M3: NDArray[np.floating], rays_M2: NDArray[np.float64], focal: float
) -> tuple[Attitude, NDArray[np.int64]] | None:
    """
    Find the pose that most matches agree with: P3P in LO-RANSAC, by OpenCV's USAC.

    Returns it with the numbers of the matches that agree, None where there is none. The same
    matches give the same pose.
    """
    if len(points_M3) < FEWEST_MATCHES:
        return None
    # The focal length gives the tolerance its unit.
    matrix = np.diag([focal, focal, 1.0])
    found = cv2.solvePnPRansac(
        np.ascontiguousarray(points_M3, dtype=np.float64),
        np.ascontiguousarray(rays_M2 * focal),
        matrix,
        None,
        params=_usac(),
    )
    solved, _, turn, move, inliers = found
    if not solved or inliers is None or len(inliers) < FEWEST_MATCHES:
        return None
    image_from_map = cv2.Rodrigues(turn)[0]
    centre = -image_from_map.T @ move.ravel()
    if not np.isfinite(centre).all():
        return None
    return Attitude(image_from_map.T, centre), inliers.ravel().astype(np.int64)


def _usac() -> cv2.UsacParams:
    params = cv2.UsacParams()
    params.threshold = _RANSAC_PX
    params.maxIterations = _RANSAC_ROUNDS
    params.confidence = _RANSAC_CONFIDENCE
    params.sampler = cv2.SAMPLING_UNIFORM
    params.score = cv2.SCORE_METHOD_MSAC
    params.loMethod = cv2.LOCAL_OPTIM_INNER_LO
    params.loIterations = 5
    params.loSampleSize = 14
    params.randomGeneratorState = 0
    return params


def refine(
    points_M3: NDArray[np.floating],
    rays_M2: NDArray[np.float64],
    start: Attitude,
    focal: float,
) -> Resected | None:
    """
    Minimise the errors of matches in the image, large ones counted for less (Cauchy).

    Gauss-Newton on SE(3) with weights that are computed anew (IRLS). Returns None where the
    points do not hold a pose, or where one falls behind the camera.
    """
    points = np.asarray(points_M3, dtype=np.float64)
    if len(points) < FEWEST_MATCHES:
        return None
    attitude = start
    for _ in range(_ROUNDS):
        system = _linearised(points, rays_M2, attitude, focal)
        if system is None:
            return None
        jacobian, error, weight = system
        hessian = jacobian.T @ (jacobian * weight[:, None])
        hessian.flat[::7] += _DAMPING * np.trace(hessian)
        step = -np.linalg.solve(hessian, jacobian.T @ (weight * error))
        turn = Rotation.from_rotvec(step[3:]).as_matrix()
        attitude = Attitude(turn @ attitude.map_from_image, attitude.centre + step[:3])
        if np.abs(step).max() < _STILL:
            break
    system = _linearised(points, rays_M2, attitude, focal)
    if system is None:
        return None
    jacobian, error, weight = system
    information = jacobian.T @ (jacobian * weight[:, None])
    return Resected(attitude, information, _middle_px(error))


def _middle_px(error: NDArray[np.float64]) -> float:
    """Return the median error in pixels."""
    return float(np.median(np.hypot(*error.reshape(-1, 2).T))) * _ROBUST_PX


class Zoom(NamedTuple):
    """
    By what factor the focal length differs from the one told, and its standard deviation.

    `pose` is refined together with it; its `information` is what is left where nobody tells the
    focal length.
    """

    factor: float
    deviation: float
    pose: Resected


def zoom_of(
    points_M3: NDArray[np.floating],
    rays_M2: NDArray[np.float64],
    start: Attitude,
    focal: float,
) -> Zoom | None:
    """
    Let matches say what focal length the camera has: the pose is refined together with it.

    Points at one distance hardly tell, and then the deviation is large. None where they hold
    no pose.
    """
    points, attitude, factor = np.asarray(points_M3, dtype=np.float64), start, 1.0
    for _ in range(_ROUNDS):
        # A camera of a longer focal length has all rays farther out by the factor.
        system = _linearised(points, rays_M2 / factor, attitude, focal)
        if system is None or factor <= 0:
            return None
        jacobian, error, weight = system
        outward = (rays_M2 / factor).ravel() * focal / _ROBUST_PX
        jacobian = np.column_stack([jacobian, outward / factor])
        hessian = jacobian.T @ (jacobian * weight[:, None])
        hessian.flat[::8] += _DAMPING * np.trace(hessian)
        step = -np.linalg.solve(hessian, jacobian.T @ (weight * error))
        turn = Rotation.from_rotvec(step[3:6]).as_matrix()
        attitude = Attitude(turn @ attitude.map_from_image, attitude.centre + step[:3])
        factor += float(step[6])
        if np.abs(step).max() < _STILL:
            break
    deviation = float(np.sqrt(np.linalg.inv(hessian)[6, 6]))
    if not (np.isfinite(factor) and factor > 0):
        return None
    beside = hessian[:6, 6]
    information = hessian[:6, :6] - np.outer(beside, beside) / hessian[6, 6]
    return Zoom(factor, deviation, Resected(attitude, information, _middle_px(error)))


def free_focal(
    points_M3: NDArray[np.floating], rays_M2: NDArray[np.float64], focal: float
) -> float | None:
    """
    Return by what factor the focal length differs from a guess, from matches of any camera.

    The pose is looked for by one focal length after the other, up to twice and half the guess;
    with the one that most matches agree with, both are refined. None where there is no pose.
    """
    best: tuple[Attitude, NDArray[np.int64], float] | None = None
    for factor in _FACTORS:
        found = resect(points_M3, rays_M2 / factor, focal * factor)
        if found is not None and (best is None or len(found[1]) > len(best[1])):
            best = (*found, factor)
    if best is None:
        return None
    attitude, agree, factor = best
    points, rays = np.asarray(points_M3)[agree], rays_M2[agree] / factor
    zoom = zoom_of(points, rays, attitude, focal * factor)
    return factor * zoom.factor if zoom else None


def _linearised(
    points: NDArray[np.float64], rays_M2: NDArray[np.float64], attitude: Attitude, focal: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """
    Return the Jacobian (2M, 6), the errors (2M) in units of the robust width, and weights (2M).

    The camera's centre moves by d and its axes turn by w, both along the axes of the map: a point
    p goes to R^T (p - c - d - w x (p - c)) to first order.
    """
    image_from_map = attitude.map_from_image.T
    beside = points - attitude.centre
    seen = beside @ attitude.map_from_image
    depth = seen[:, 2]
    if (depth < _LEAST_DEPTH).any():
        return None
    unit = focal / _ROBUST_PX
    plane = seen[:, :2] / depth[:, None]
    error = (plane - rays_M2) * unit
    # d plane / d seen, (M, 2, 3).
    slope = np.zeros((len(points), 2, 3))
    slope[:, 0, 0] = slope[:, 1, 1] = 1 / depth
    slope[:, :, 2] = -plane / depth[:, None]
    by_map = slope @ image_from_map * unit
    jacobian = np.empty((len(points), 2, 6))
    jacobian[:, :, :3] = -by_map
    # -(w x b) seen along a row r is -r . (w x b) = -w . (b x r) = w . (r x b).
    for axis, (one, other) in enumerate(((1, 2), (2, 0), (0, 1))):
        jacobian[:, :, 3 + axis] = (
            by_map[:, :, one] * beside[:, None, other] - by_map[:, :, other] * beside[:, None, one]
        )
    weight = np.repeat(1 / (1 + np.einsum('ij,ij->i', error, error)), 2)
    return jacobian.reshape(-1, 6), error.ravel(), weight
