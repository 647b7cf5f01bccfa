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

"""What an image shows of a place: its features, on the plane ahead of its camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera, rays_of
from posenet_ros.landmarks.features import LocalFeatures, unit_rows

# Tolerances in pixels are of images so wide.
USUAL_WIDTH = 640
# The parts of an image that are told apart, across and down.
CELLS = 8, 6
# On the plane ahead, 76 degrees aside: what a fisheye sees farther out would make that plane
# boundless, and chance seem to be none.
_WIDEST = 4.0


@dataclass(frozen=True, eq=False)
class Sighting:
    """
    N features of an image that `camera` took: what each looks like, and where it is.

    `unit_ND` are rows of unit length; `pixels_N2` are in the image, and `rays_N2` on the plane one
    unit ahead of the camera, without the lens.
    """

    unit_ND: NDArray[np.float32]
    pixels_N2: NDArray[np.float32]
    rays_N2: NDArray[np.float64]
    camera: Camera

    @classmethod
    def of(cls, features: LocalFeatures, camera: Camera) -> Sighting:
        """Take features that `camera` saw; those far aside are left out."""
        rays = rays_of(camera, features.pixels)
        some = (np.abs(rays) < _WIDEST).all(axis=1)
        looks = unit_rows(features.descriptors[some])
        return cls(looks, features.pixels[some], rays[some], camera)

    def __len__(self) -> int:
        """Return how many features there are."""
        return len(self.unit_ND)

    def zoomed(self, factor: float) -> Sighting:
        """Return the same features as a camera of another focal length would have seen them."""
        camera = replace(self.camera, fx=self.camera.fx * factor, fy=self.camera.fy * factor)
        return replace(self, rays_N2=rays_of(camera, self.pixels_N2), camera=camera)

    @property
    def focal(self) -> float:
        """In pixels of at most the usual width: larger images are not known more exactly."""
        return self.camera_focal * min(1.0, USUAL_WIDTH / self.camera.width)

    @property
    def camera_focal(self) -> float:
        """In pixels of the image."""
        return (self.camera.fx + self.camera.fy) / 2

    def parts_of(self, rays_N2: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return in which part of the image places on the plane ahead are."""
        low, high = self.corners
        share = np.clip((rays_N2 - low) / np.maximum(high - low, 1e-9), 0, 1 - 1e-9)
        column, row = (share * CELLS).astype(np.int64).T
        return row * CELLS[0] + column

    @cached_property
    def corners(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The box on the plane ahead that the image covers, as far aside as features count."""
        across, down = self.camera.width - 1, self.camera.height - 1
        edge = [(x * across / 2, y * down / 2) for x in range(3) for y in range(3)]
        rays = np.clip(rays_of(self.camera, np.array(edge)), -_WIDEST, _WIDEST)
        return rays.min(axis=0), rays.max(axis=0)


def in_parts(parts_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many there are in each part of an image."""
    return np.bincount(parts_N, minlength=CELLS[0] * CELLS[1])
