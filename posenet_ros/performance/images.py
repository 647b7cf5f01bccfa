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

"""Images to ask about where there is no camera: coloured noise of all sizes, full of corners."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# What most cameras of robots deliver: width, height.
CAMERA = (640, 480)
_COARSEST, _OCTAVES = 4, 7


def camera_images(count: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Return so many images uint8 (480, 640, 3), the same for the same seed."""
    generator = np.random.default_rng(seed)
    return [_image(generator) for _ in range(count)]


def _image(generator: np.random.Generator) -> NDArray[np.uint8]:
    width, height = CAMERA
    found = np.zeros((height, width, 3), dtype=np.float32)
    for octave in range(_OCTAVES):
        side = _COARSEST * 2**octave
        cells = generator.standard_normal((side * 3 // 4, side, 3)).astype(np.float32)
        found += cv2.resize(cells, CAMERA, interpolation=cv2.INTER_NEAREST)
    return np.clip(128 + 25 * found, 0, 255).astype(np.uint8)
