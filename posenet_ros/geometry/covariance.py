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

"""Covariances of poses: six by six, x y z rotX rotY rotZ about fixed axes, as REP-103 has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def carried_covariance(covariance: NDArray[np.float64], lever: ArrayLike) -> NDArray[np.float64]:
    """
    Return the covariance (6, 6) of a body that is rigidly fixed to the one it is known of.

    `lever` (3,) goes from the known body to the other, in metres along the axes of the
    covariance: with a small turn `w` about them the other moves by `w x lever`.
    """
    x, y, z = np.asarray(lever, dtype=np.float64)
    moved = np.eye(6)
    moved[:3, 3:] = [[0, z, -y], [-z, 0, x], [y, -x, 0]]
    return moved @ covariance @ moved.T
