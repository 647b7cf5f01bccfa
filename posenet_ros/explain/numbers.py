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

"""Numbers of a figure as JSON has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

_DIGITS = 6


def plain(values: ArrayLike) -> Any:
    """Return a number, or lists of them, as plain values; what is not finite is None."""
    if np.ndim(values):
        return [plain(each) for each in values]
    value = float(values)
    return round(value, _DIGITS) if math.isfinite(value) else None
