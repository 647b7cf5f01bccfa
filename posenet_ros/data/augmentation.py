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

"""Change training images as the world might, and their poses along with them."""

from __future__ import annotations

from dataclasses import dataclass
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera
from scipy.spatial.transform import Rotation

# Of a direction that points nowhere.
_STILL = 1e-12


@dataclass(frozen=True)
class Augmentation:
    """
    How much a training image may change; zeros change nothing.

    `shift`: the crop is taken anywhere in the image (1) or nearer to its centre, while the
    label stays, as in the paper. `turn_deg` turns the camera by a random angle up to this one
    about its own x and y axes, `roll_deg` about its optical axis; a rotation needs no depth, so
    the new image and the new label are exact, but the camera's intrinsics must be known. `move`
    also moves the camera as cameras do move in the map, up to this share of the distance of what
    it sees, where that distance is known (see `data.depth`), in the share `moved` of all images.
    `brightness` and `contrast` are shares of the full range and of the contrast there is.
    """

    shift: float = 1.0
    turn_deg: float = 0.0
    roll_deg: float = 0.0
    brightness: float = 0.2
    contrast: float = 0.2
    move: float = 0.0
    moved: float = 0.0

    @property
    def needs_camera(self) -> bool:
        """Whether images are seen from turned or moved cameras."""
        return max(self.turn_deg, self.roll_deg, self.move * self.moved) > 0

    def moves(self, rng: np.random.Generator) -> bool:
        """Tell whether to see the next image from a moved camera."""
        return rng.random() < self.moved

    def move_by(
        self, distance: float, usual_33: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """
        Return how far to move a camera (3,) that sees things at a distance, in the map.

        It moves in the directions in which cameras do move there, that of a robot on a floor in
        two: `usual_33` turns independent numbers into such moves (see `usual_moves`).
        """
        direction = usual_33 @ rng.normal(size=3)
        # As in a disc that is filled evenly: more far moves than near ones, which look better.
        length = self.move * distance * math.sqrt(rng.random())
        return direction * (length / max(float(np.linalg.norm(direction)), _STILL))

    def corner(
        self, height: int, width: int, crop: tuple[int, int], rng: np.random.Generator
    ) -> tuple[int, int]:
        """Return the upper left corner (top, left) of a random crop in an image."""
        free = np.array([height - crop[0], width - crop[1]])
        middle = free // 2
        offset = (rng.random(2) - 0.5) * self.shift * (free + 1)
        top, left = np.clip(np.floor(middle + offset + 0.5), 0, free).astype(int)
        return int(top), int(left)

    def turn(self, rng: np.random.Generator) -> Rotation:
        """Return a random `camera_from_turned`."""
        limits = np.radians([self.turn_deg, self.turn_deg, self.roll_deg])
        return Rotation.from_rotvec(rng.uniform(-limits, limits))

    def recolour(self, rgb_BHW3: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Change brightness and contrast of each image of a batch by itself."""
        if not self.brightness and not self.contrast:
            return rgb_BHW3
        values = np.arange(256, dtype=np.float32)
        recoloured = np.empty_like(rgb_BHW3)
        for index, rgb in enumerate(rgb_BHW3):
            gain = 1 + rng.uniform(-self.contrast, self.contrast)
            lift = 255 * rng.uniform(-self.brightness, self.brightness)
            # Contrast turns about the middle of this image, so that it does not also brighten.
            middle = float(rgb[::8, ::8].mean())
            table = np.clip((values - middle) * gain + middle + lift, 0, 255).astype(np.uint8)
            recoloured[index] = cv2.LUT(rgb, table)
        return recoloured


def usual_moves(positions_N3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a root (3, 3) of the covariance of camera positions; zero where none moves."""
    variances_3, axes_33 = np.linalg.eigh(np.cov(positions_N3.T, bias=True))
    return axes_33 * np.sqrt(np.maximum(variances_3, 0))


def seen_turned(
    rgb: NDArray[np.uint8],
    camera: Camera,
    camera_from_turned: Rotation,
    corner: tuple[int, int],
    crop: tuple[int, int],
) -> NDArray[np.uint8]:
    """
    Return the crop (height, width) at `corner` of what a camera turned in place would see.

    `camera` has the intrinsics of `rgb`, lens distortion neglected. What the image does not
    show repeats its border.
    """
    top, left = corner
    shifted = np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
    k = camera.matrix
    # A pixel of the crop, as a ray of the turned camera, as a ray and pixel of the image.
    image_from_crop = k @ camera_from_turned.as_matrix() @ np.linalg.inv(k) @ shifted
    return cv2.warpPerspective(
        rgb,
        image_from_crop,
        (crop[1], crop[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
