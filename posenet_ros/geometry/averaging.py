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

"""Means of poses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry.pose import angles_between, Pose
from scipy.spatial.transform import Rotation


def mean_pose(poses: Sequence[Pose], weights: ArrayLike | None = None) -> Pose:
    """
    Return the mean of poses of the same body in the same frame.

    Positions are averaged. The rotation is the eigenvector to the largest eigenvalue of the sum
    of `w q q^T` (Markley, Cheng, Crassidis, Oshman, Averaging Quaternions, 2007), to which q and
    -q are the same; SciPy's mean is that. Raises GeometryError for no poses, or of several
    frames.
    """
    if not poses:
        raise GeometryError('there is no pose to take a mean of')
    frames = {(pose.target, pose.source) for pose in poses}
    if len(frames) > 1:
        raise GeometryError(f'poses between several frames have no mean: {sorted(frames)}')
    first = poses[0]
    translations = np.array([pose.translation for pose in poses])
    rotations = Rotation.concatenate([pose.rotation for pose in poses])
    return Pose(
        rotations.mean(weights),
        np.average(translations, axis=0, weights=weights),
        first.target,
        first.source,
    )


def mean_and_spread(
    rotations: Rotation, translations_N3: NDArray[np.float64], *, target: str, source: str
) -> tuple[Pose, tuple[float, float]]:
    """
    Return the mean of N poses, as `mean_pose` has it, and how far they are from it.

    The latter root mean square, in metres and radians.
    """
    turn, middle = rotations.mean(), translations_N3.mean(axis=0)
    squares_m = ((translations_N3 - middle) ** 2).sum(axis=1)
    squares_rad = angles_between(turn, rotations) ** 2
    spread = float(np.sqrt(squares_m.mean())), float(np.sqrt(squares_rad.mean()))
    return Pose(turn, middle, target, source), spread
