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
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera
from scipy.spatial.transform import Rotation

# Of a direction that points nowhere.
_STILL = 1e-12
# The middle of an image's colours is that of every eighth pixel of every eighth row.
MIDDLE_STEP = 8


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

    def draw(
        self,
        free_B2: NDArray[np.int64],
        usual_33: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> Changes:
        """
        Return how to change each of B images, all drawn at once.

        `free_B2` are the rows and columns that an image has more than a crop, and `usual_33`
        turns independent numbers into moves as cameras make them there (see `usual_moves`).
        """
        count = len(free_B2)
        limits = np.radians([self.turn_deg, self.turn_deg, self.roll_deg])
        return Changes(
            self._corners(free_B2, rng),
            Rotation.from_rotvec(rng.uniform(-limits, limits, (count, 3))),
            self._moves(count, usual_33, rng),
            1 + rng.uniform(-self.contrast, self.contrast, count),
            255 * rng.uniform(-self.brightness, self.brightness, count),
        )

    def _corners(self, free_B2: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the upper left corner (top, left) of a random crop of each image."""
        offset = (rng.random(free_B2.shape) - 0.5) * self.shift * (free_B2 + 1)
        return np.clip(np.floor(free_B2 // 2 + offset + 0.5), 0, free_B2).astype(np.int64)

    def _moves(
        self, count: int, usual_33: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """
        Return how far to move each camera, in the map and as a share of the distance it sees.

        It moves in the directions in which cameras do move there, that of a robot on a floor in
        two. Those that do not move have zeros.
        """
        moved_B = rng.random(count) < self.moved
        direction_B3 = rng.normal(size=(count, 3)) @ usual_33.T
        # As in a disc that is filled evenly: more far moves than near ones, which look better.
        length_B = moved_B * self.move * np.sqrt(rng.random(count))
        norm_B = np.linalg.norm(direction_B3, axis=1)
        return direction_B3 * (length_B / np.maximum(norm_B, _STILL))[:, None]

    @property
    def recolours(self) -> bool:
        """Whether brightness or contrast change."""
        return max(self.brightness, self.contrast) > 0


class Changes(NamedTuple):
    """
    How B images are changed: where they are cropped, from where they are seen, and their colours.

    `corner_B2` is the crop's top and left, `turn` the B rotations `camera_from_turned`, `move_B3`
    in the map, as a share of the distance of what is seen. Colours are multiplied by `gain_B`
    about the middle of their image, which contrast therefore does not brighten, and `lift_B` is
    added, of 255.
    """

    corner_B2: NDArray[np.int64]
    turn: Rotation
    move_B3: NDArray[np.float64]
    gain_B: NDArray[np.float64]
    lift_B: NDArray[np.float64]


def unchanged(free_B2: NDArray[np.int64]) -> Changes:
    """Return the changes that leave images as they are, cropped in the middle."""
    count = len(free_B2)
    return Changes(free_B2 // 2, **still(count), gain_B=np.ones(count), lift_B=np.zeros(count))


def still(count: int) -> dict[str, Any]:
    """Return the part of the changes that leaves cameras where they are."""
    return {'turn': Rotation.from_rotvec(np.zeros((count, 3))), 'move_B3': np.zeros((count, 3))}


def recolour(
    rgb_BHW3: NDArray[np.uint8], gain_B: NDArray[np.float64], lift_B: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Change contrast and brightness of each image of a batch, see `Changes`."""
    values = np.arange(256, dtype=np.float32)
    recoloured = np.empty_like(rgb_BHW3)
    for index, (rgb, gain, lift) in enumerate(zip(rgb_BHW3, gain_B.tolist(), lift_B.tolist())):
        middle = float(rgb[::MIDDLE_STEP, ::MIDDLE_STEP].mean())
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
