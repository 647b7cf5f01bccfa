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

"""
Held-out frames made hard: blurred, darkened, and seen from where nobody drove.

Such images have a known pose and look less like the training images, so they tell how errors
grow with novelty. Blur and darkness take from the image; a camera that was moved sees it from
outside the drive, which held-out blocks between two training blocks never are.
"""

from __future__ import annotations

from collections.abc import Callable
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.depth import Depths, seen_moved
from posenet_ros.data.frames import Frame
from posenet_ros.evaluation.degradations import degraded
from posenet_ros.geometry import Camera, Pose
from scipy.spatial.transform import Rotation

Rgb = NDArray[np.uint8]
# An image of a frame, the frame, and a number to draw from -> an image and its true pose.
Disturb = Callable[[Rgb, Frame, int], tuple[Rgb, Pose] | None]

_DEGRADATIONS = tuple(
    (kind, level) for kind in ('motion blur', 'dusk and night') for level in (1, 2, 3, 4)
)
# Shares of the distance of what is seen, and the angle about each axis that goes with them.
_MOVES = ((0.15, 10.0), (0.3, 15.0), (0.45, 20.0), (0.6, 20.0))


def disturbances(camera: Camera | None = None, depths: Depths | None = None) -> list[Disturb]:
    """
    Return what to do to held-out frames.

    Cameras are moved where `camera` and inverse `depths` by image (see `data.depth`) are known;
    for a frame without, that gives None.
    """
    every: list[Disturb] = [_degrade(*each) for each in _DEGRADATIONS]
    if camera is not None and depths:
        every += [_move(camera, depths, *each) for each in _MOVES]
    return every


def _degrade(kind: str, level: int) -> Disturb:
    def disturb(rgb: Rgb, frame: Frame, number: int) -> tuple[Rgb, Pose]:
        return degraded(rgb, kind, level, number), frame.map_from_camera

    return disturb


def _move(camera: Camera, depths: Depths, share: float, angle_deg: float) -> Disturb:
    def disturb(rgb: Rgb, frame: Frame, number: int) -> tuple[Rgb, Pose] | None:
        inverse = depths.get(frame.image)
        if inverse is None:
            return None
        rng = np.random.default_rng([frame.stamp_ns, round(100 * share)])
        direction = rng.normal(size=3)
        length = share / float(np.median(inverse))
        turn = Rotation.from_rotvec(rng.uniform(-1, 1, 3) * math.radians(angle_deg))
        camera_from_moved = Pose(
            turn, direction * (length / np.linalg.norm(direction)), 'camera', 'camera'
        )
        seen = seen_moved(
            rgb,
            inverse,
            camera.resized(rgb.shape[1], rgb.shape[0]),
            turn,
            camera_from_moved.translation,
            (0, 0),
            rgb.shape[:2],
        )
        return None if seen is None else (seen, frame.map_from_camera @ camera_from_moved)

    return disturb
