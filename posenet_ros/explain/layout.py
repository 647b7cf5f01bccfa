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

"""Frames on a plane by what a trunk makes of them, and how simply that tells their poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.evaluation.metrics import pose_errors, PoseErrors
from posenet_ros.geometry import Pose
from posenet_ros.training.closed_form import ridge
from scipy.spatial.transform import Rotation
import torch

_NEIGHBOURS = 10
_PERPLEXITY = 30.0
# As where training begins.
_RIDGE = 0.03
_SEED = 0


@dataclass(frozen=True, eq=False)
class Layout:
    """
    The frames as one trunk sees them, on a plane (N, 2), and how far test frames tell their pose.

    `faithful` is the trustworthiness of the layout (Venna and Kaski, ICANN 2001) for ten
    neighbours: 1 where all neighbours on the plane are neighbours among the vectors too. `linear`
    are the errors of poses linear in the vectors, `nearest` those of the poses of the training
    frames with the nearest vectors.
    """

    place_N2: NDArray[np.float64]
    faithful: float
    linear: PoseErrors
    nearest: PoseErrors


def lay_out(
    feature_ND: NDArray[np.float32], train: Sequence[Frame], test: Sequence[Frame]
) -> Layout:
    """Lay out the features of training frames, then of test frames, always in the same way."""
    from sklearn.manifold import trustworthiness, TSNE

    count = len(feature_ND)
    tsne = TSNE(perplexity=min(_PERPLEXITY, (count - 1) / 3), init='pca', random_state=_SEED)
    place_N2 = tsne.fit_transform(feature_ND)
    neighbours = min(_NEIGHBOURS, (count - 1) // 2)
    known_ND, asked_MD = np.split(feature_ND, [len(train)])
    known, truth = ([frame.map_from_camera for frame in part] for part in (train, test))
    return Layout(
        place_N2.astype(np.float64),
        float(trustworthiness(feature_ND, place_N2, n_neighbors=neighbours)),
        pose_errors(truth, linear_poses(known_ND, known, asked_MD)),
        pose_errors(truth, [known[number] for number in nearest(asked_MD, known_ND)]),
    )


def linear_poses(
    known_ND: NDArray[np.float32], known: Sequence[Pose], asked_MD: NDArray[np.float32]
) -> list[Pose]:
    """
    Return poses for vectors, by ridge regression on known ones (as a linear head begins).

    What is linear are positions and rotation matrices; of the latter, the nearest rotation counts.
    """
    target_NK = np.array(
        [np.append(pose.translation, pose.rotation.as_matrix().ravel()) for pose in known]
    )
    mean_D, mean_K = known_ND.mean(axis=0), target_NK.mean(axis=0)
    centred = torch.from_numpy(known_ND - mean_D), torch.from_numpy(target_NK - mean_K)
    weight_DK = ridge(*centred, _RIDGE).numpy()
    found_MK = (asked_MD - mean_D) @ weight_DK + mean_K
    return [
        Pose(_nearest_rotation(row[3:].reshape(3, 3)), row[:3], 'map', 'camera')
        for row in found_MK
    ]


def _nearest_rotation(matrix_33: NDArray[np.float64]) -> Rotation:
    """Return the rotation nearest to a matrix (Schoenemann, 1966)."""
    u, _, vt = np.linalg.svd(matrix_33)
    u[:, -1] *= np.sign(np.linalg.det(u @ vt))
    return Rotation.from_matrix(u @ vt)


def nearest(asked_MD: NDArray[np.float32], known_ND: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return for each vector the number of the nearest known one, by the Euclidean distance."""
    return np.array([np.argmin(np.square(known_ND - each).sum(axis=1)) for each in asked_MD])
