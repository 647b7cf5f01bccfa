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

"""How another camera, in another light, might have taken the same image."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

# Limits of what is drawn: of the exponent of brightness, of the gain of all colours and of each by
# itself, of their saturation, of blur in shares of the width, of noise in grey values, and of what
# JPEG leaves.
_GAMMA, _GAIN, _TINT, _SATURATION = (0.6, 1.6), (0.6, 1.3), (0.85, 1.15), (0.3, 1.3)
_BLUR, _NOISE, _QUALITY = 0.006, 8.0, (35, 95)


def another_look(rgb: NDArray[np.uint8], seed: Sequence[int]) -> NDArray[np.uint8]:
    """
    Return an image (H, W, 3) in other colours, blurred, with noise, and as a JPEG leaves it.

    The same seed gives the same look. What is where in the image stays.
    """
    rng = np.random.default_rng(list(seed))
    levels = np.linspace(0, 1, 256)[:, None] ** rng.uniform(*_GAMMA)
    gains_3 = rng.uniform(*_GAIN) * rng.uniform(*_TINT, 3)
    table = np.clip(255 * levels * gains_3, 0, 255).astype(np.uint8)
    seen = cv2.LUT(rgb, table[None]).astype(np.float32)
    grey = seen.mean(axis=2, keepdims=True)
    seen = grey + (seen - grey) * np.float32(rng.uniform(*_SATURATION))
    spread = rng.uniform(0, _BLUR) * rgb.shape[1]
    if spread > 0.1:
        seen = cv2.GaussianBlur(seen, (0, 0), spread)
    seen += rng.standard_normal(seen.shape, dtype=np.float32) * rng.uniform(0, _NOISE)
    seen = np.clip(seen, 0, 255).astype(np.uint8)
    quality = int(rng.integers(*_QUALITY))
    # The order of colours is that of the file and back, and of no consequence but a little blur.
    _, data = cv2.imencode('.jpg', seen, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)
