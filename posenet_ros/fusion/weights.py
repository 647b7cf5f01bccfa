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

"""What each of several answers is worth beside the others, by how far it is off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# From where on what is off counts less: 95 % efficient where errors are normal.
_CAUCHY = 2.385
# The median length of normal errors in one, two and three directions, in deviations.
_MEDIANS = {1: 0.6745, 2: 1.1774, 3: 1.5382}
_LEAST_SCALE = 1e-12
# So many times surer than others one may be and still be confirmed by them.
_SURER = 5.0
# With fewer there is no telling which of them is off.
_FEWEST = 4


def confirmed(deviations_N: NDArray[np.float64], least: int) -> NDArray[np.float64]:
    """
    Return deviations as far as others can confirm them: of those that are told, not NaN.

    Who knows next to nothing agrees with anything, and one that is sure beside such would answer
    alone. None counts as more than five times surer than the `least`-th surest.
    """
    told = np.sort(deviations_N[np.isfinite(deviations_N)])
    if len(told) < least:
        return deviations_N
    return np.maximum(deviations_N, told[least - 1] / _SURER)


def effective_number(weights_n: NDArray[np.float64]) -> float:
    """Return of how many with equal weights a mean would be as sure (Kish 1965); 1 of none."""
    return float(weights_n.sum() ** 2 / (weights_n**2).sum()) if len(weights_n) else 1.0


def cauchy_weights(off_n: NDArray[np.float64], directions: int) -> NDArray[np.float64]:
    """
    Return what each is worth that is so many usual deviations off in so many directions.

    Cauchy's weights, in units of what is usual among these: of six that are exact and one that is
    a little off, six remain.
    """
    if len(off_n) < _FEWEST:
        return np.ones(len(off_n))
    scale = max(float(np.median(off_n)) / _MEDIANS[directions], _LEAST_SCALE)
    return 1 / (1 + (off_n / (_CAUCHY * scale)) ** 2)
