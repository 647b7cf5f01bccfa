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

"""What a real image sensor adds to a perfect image: falling light, changing exposure, noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.simulation.mipmaps import Texture
from scipy.ndimage import gaussian_filter1d

# Noise is cut from a sheet this much larger than an image, at another place for each frame.
MARGIN = 64


@dataclass(frozen=True)
class SensorErrors:
    """
    How far images are from perfect; zeros leave them as they are.

    `noise` is the standard deviation of a pixel in grey levels of 255, `vignetting` the share of
    light that the corners lack, `exposure` the standard deviation of the slow changes of
    brightness, as a share.
    """

    noise: float = 2.0
    vignetting: float = 0.15
    exposure: float = 0.05


class Sensor:
    """The errors of one camera over a recording of so many frames; the same for the same seed."""

    def __init__(
        self, width: int, height: int, frames: int, errors: SensorErrors, rng: np.random.Generator
    ) -> None:
        """Draw the noise and the course of the exposure."""
        self._errors = errors
        self._light = _vignette(width, height, errors.vignetting)
        self._gain = _gains(frames, errors.exposure, rng)
        shape = (height + MARGIN, width + MARGIN, 3)
        sheet = errors.noise * rng.standard_normal(shape, dtype=np.float32)
        self._noise = np.rint(np.clip(sheet, -127, 127)).astype(np.int8)
        self._places = rng.integers(MARGIN, size=(frames, 2))

    def expose(self, image: Texture, frame: int) -> Texture:
        """Return the image as the sensor would have it for this frame of the recording."""
        light = self._light * np.float32(self._gain[frame])
        taken = cv2.multiply(image, light, dtype=cv2.CV_8U)
        if self._errors.noise == 0:
            return taken
        top, left = self._places[frame]
        noise = self._noise[top : top + image.shape[0], left : left + image.shape[1]]
        return cv2.add(taken, noise, dtype=cv2.CV_8U)


def _vignette(width: int, height: int, loss: float) -> NDArray[np.float32]:
    """Return the share of light (height, width, 3) that reaches each pixel."""
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)
    radius_squared = (x**2 + (y**2)[:, None]) / 2
    return np.repeat((1 - loss * radius_squared)[:, :, None], 3, axis=2)


def _gains(frames: int, spread: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a brightness for each frame that wanders slowly around one."""
    slow = gaussian_filter1d(rng.standard_normal(frames + 200), 20, mode='nearest')[100:-100]
    return 1 + spread * np.clip(slow / 0.12, -2.5, 2.5)
