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

"""The camera: renders what it sees in a thread of its own, and spoils what should be spoilt."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import cv2
import numpy as np
from posenet_ros.drill.plan import Look
from posenet_ros.evaluation.degradations import motion_blur
from posenet_ros.recovery.rehearsal.camera import bursts
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.simulation.mipmaps import Texture
from posenet_ros.simulation.options import SimulationOptions
from posenet_ros.simulation.render import render
from posenet_ros.simulation.sensor import Sensor
from posenet_ros.simulation.world import World

# The sensor's noise and exposure come round again after so many images.
_FRAMES = 4096
# A hand in front of the lens lets so much light through.
_COVERED = 0.03


def looks(share: float, rate_hz: float, rng: np.random.Generator) -> Iterator[Look]:
    """Yield without end how the images of a drive are, a share blurred or covered in bursts."""
    while True:
        spoilt = bursts(_FRAMES, share, rate_hz, rng)
        kind = Look.BLURRED
        for before, now in zip([False, *spoilt], spoilt):
            if now and not before:
                kind = (Look.BLURRED, Look.COVERED)[int(rng.integers(2))]
            yield kind if now else Look.CLEAR


class Camera:
    """Takes one image after the other; closes with `close`."""

    def __init__(self, options: SimulationOptions, rng: np.random.Generator) -> None:
        """Take size, mounting and sensor from the options of a simulation."""
        self._options = options
        self._sensor = Sensor(options.width, options.height, _FRAMES, options.sensor, rng)
        self._rng = rng
        self._numbers = count()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix='camera')

    def take(self, world: World, spot: Spot, look: Look) -> Future[Texture]:
        """Begin an image (RGB) of a robot at a spot."""
        return self._worker.submit(self._taken, world, spot, look, next(self._numbers))

    def _taken(self, world: World, spot: Spot, look: Look, number: int) -> Texture:
        map_from_camera = spot.pose('map', 'base') @ self._options.robot.base_from_camera
        image = render(world, self._options.camera, map_from_camera)
        if look is Look.COVERED:
            image = (_COVERED * image).astype(np.uint8)
        elif look is Look.BLURRED:
            image = motion_blur(image, 5, self._rng)
            image = cv2.GaussianBlur(image, (0, 0), image.shape[1] / 50)
        return self._sensor.expose(image, number % _FRAMES)

    def close(self) -> None:
        """End the thread."""
        self._worker.shutdown(cancel_futures=True)
