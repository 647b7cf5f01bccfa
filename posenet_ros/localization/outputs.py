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

"""What a network puts out for one image, before it is a pose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Outputs(NamedTuple):
    """
    Of C crops of one image, and S samples of each.

    `positions_CS3` in metres in the map, `quaternions_wxyz_CS4` of any length, and
    `features_CK`, one a crop.
    """

    positions_CS3: NDArray[np.float64]
    quaternions_wxyz_CS4: NDArray[np.float64]
    features_CK: NDArray[np.float32]
