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

"""Textures in all the sizes that a renderer may need."""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

# RGB uint8 (rows, columns, 3).
Texture: TypeAlias = NDArray[np.uint8]


class Mipmaps:
    """
    A texture reduced by powers of two in each direction on its own.

    Surfaces are mostly seen at a slant that shrinks one direction far more than the other, so
    the levels of both are chosen separately. Levels are made when first asked for.
    """

    def __init__(self, texture: Texture) -> None:
        """Take the texture in its full size."""
        self._levels = {(0, 0): np.ascontiguousarray(texture)}
        rows, columns = texture.shape[:2]
        self._deepest = (int(math.log2(columns)), int(math.log2(rows)))

    def level(self, across: int, down: int) -> Texture:
        """Return the texture shrunk `2 ** across` times in columns, `2 ** down` in rows."""
        key = (min(max(across, 0), self._deepest[0]), min(max(down, 0), self._deepest[1]))
        if key not in self._levels:
            rows, columns = self._levels[0, 0].shape[:2]
            size = (max(columns >> key[0], 1), max(rows >> key[1], 1))
            self._levels[key] = cv2.resize(self._levels[0, 0], size, interpolation=cv2.INTER_AREA)
        return self._levels[key]
