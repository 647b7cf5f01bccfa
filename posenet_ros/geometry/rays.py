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

"""Pixels as rays: where they are seen on the plane one unit ahead, the lens out of the way."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry.camera import Camera


def rays_of(camera: Camera, pixels_N2: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return where pixels are seen on the plane one unit ahead (N, 2), without the lens."""
    pixels = np.ascontiguousarray(pixels_N2, dtype=np.float64).reshape(-1, 1, 2)
    if not len(pixels):
        return np.zeros((0, 2))
    lens = np.array(camera.coefficients)
    if camera.distortion == 'equidistant':
        return cv2.fisheye.undistortPoints(pixels, camera.matrix, lens).reshape(-1, 2)
    return cv2.undistortPoints(pixels, camera.matrix, lens).reshape(-1, 2)
