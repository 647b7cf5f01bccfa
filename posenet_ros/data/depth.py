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
Depth of an image from the few points that a map knows, and the image from a camera elsewhere.

Structure from motion knows the depth of some hundreds of pixels an image. Between them surfaces
are taken to be smooth, which is enough to see what the image shows from a little to the side: a
view that nobody recorded, with a pose that is known. Such views teach a regressor how images
change with position, which one drive along one path does not (view synthesis for pose
regression: Naseer and Burgard, Deep Regression for Monocular Camera-based 6-DoF Global
Localization in Outdoor Environments, IROS 2017; Moreau et al., LENS, CoRL 2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera
from scipy.spatial.transform import Rotation

# Inverse depths by image.
Depths = Mapping[Path, NDArray[np.float32]]

# Rows and columns of the grid that depths are kept on.
ROWS, COLUMNS = 18, 24
# Of an image of which nothing is known.
UNKNOWN = np.zeros((ROWS, COLUMNS), dtype=np.float32)
FEWEST_POINTS = 20
# A depth is the mean of those of points within a twentieth of the width, or of the nearest few.
_REACH = 1 / 20
_NEAREST = 8
# A point so many times nearer than the usual one is wrong.
_NEARER_AT_MOST = 10.0
# What is nearer to a moved camera than this share of the usual distance counts as behind it.
NEAR = 0.1
# By that much of what it was, a pixel's depth falls at most.
LEAST_DEPTH = 0.05
# Smaller than any depth that a point nearer than the image plane could have.
LEAST_WEIGHT = 1e-12


def inverse_depths(
    pixels_N2: NDArray[np.float64], depths_N: NDArray[np.float64], width: int, height: int
) -> NDArray[np.float32] | None:
    """
    Return inverse depths (ROWS, COLUMNS) of an image from those of some pixels.

    Depths are along the optical axis, in the map's unit. None where there are too few points.
    """
    if len(depths_N) < FEWEST_POINTS:
        return None
    cells_M2 = cells(width, height)
    squared_MN = _squared_distances(cells_M2, pixels_N2)
    nearest_M = np.partition(squared_MN, _NEAREST - 1, axis=1)[:, _NEAREST - 1]
    reach_M = np.maximum(nearest_M, (_REACH * width) ** 2)
    weight_MN = np.exp(-squared_MN / (2 * reach_M[:, None]))
    inverse_N = np.minimum(1 / depths_N, _NEARER_AT_MOST / np.median(depths_N))
    inverse_M = weight_MN @ inverse_N / weight_MN.sum(axis=1)
    return inverse_M.reshape(ROWS, COLUMNS).astype(np.float32)


def seen_moved(
    rgb: NDArray[np.uint8],
    inverse: NDArray[np.float32],
    camera: Camera,
    camera_from_moved: Rotation,
    moved_to: NDArray[np.float64],
    corner: tuple[int, int],
    crop: tuple[int, int],
) -> NDArray[np.uint8] | None:
    """
    Return the crop (height, width) at `corner` of what a camera elsewhere would see.

    `inverse` are the inverse depths of `rgb` (see `inverse_depths`) and `camera` has its
    intrinsics, lens distortion neglected. The camera is turned by `camera_from_moved` and stands
    at `moved_to` (3,), in the frame of the one that took the image and the map's unit. What the
    image does not show repeats its border. None where nothing of it would be in front.
    """
    height, width = rgb.shape[:2]
    seen = _inverse_seen_from(inverse, camera, camera_from_moved, moved_to, (width, height))
    if seen is None:
        return None
    cropped = _grid_at_pixels(seen, (width, height), corner, crop)
    k = camera.matrix
    # p = K (R K^-1 p' + t / depth'), all times the depth from there, with p' a pixel from there.
    turned = (k @ camera_from_moved.as_matrix() @ np.linalg.inv(k)).astype(np.float32)
    shift = (k @ moved_to).astype(np.float32)
    x = np.arange(crop[1], dtype=np.float32)[None] + corner[1]
    y = np.arange(crop[0], dtype=np.float32)[:, None] + corner[0]
    u, v, w = (
        turned[row, 0] * x + turned[row, 1] * y + turned[row, 2] + shift[row] * cropped
        for row in range(3)
    )
    w = np.maximum(w, np.float32(LEAST_DEPTH))
    return cv2.remap(rgb, u / w, v / w, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _inverse_seen_from(
    inverse: NDArray[np.float32],
    camera: Camera,
    camera_from_moved: Rotation,
    moved_to: NDArray[np.float64],
    size: tuple[int, int],
) -> NDArray[np.float32] | None:
    """Return the grid of inverse depths as the moved camera has it; nearer things hide others."""
    cells_M2 = cells(*size)
    rays_M3 = np.column_stack([cells_M2, np.ones(len(cells_M2))]) @ np.linalg.inv(camera.matrix).T
    points_M3 = (rays_M3 / inverse.reshape(-1, 1) - moved_to) @ camera_from_moved.as_matrix()
    near = NEAR / float(np.median(inverse))
    points_M3 = points_M3[points_M3[:, 2] > near]
    if len(points_M3) < FEWEST_POINTS:
        return None
    squared_MN = _squared_distances(cells_M2, camera.project(points_M3))
    nearest_M = np.partition(squared_MN, 3, axis=1)[:, 3]
    reach_M = np.maximum(nearest_M, (size[0] / COLUMNS) ** 2)
    inverse_N = 1 / points_M3[:, 2]
    weight_MN = np.exp(-squared_MN / (2 * reach_M[:, None])) * inverse_N**2 + LEAST_WEIGHT
    seen_M = weight_MN @ inverse_N / weight_MN.sum(axis=1)
    return seen_M.reshape(ROWS, COLUMNS).astype(np.float32)


def _grid_at_pixels(
    grid: NDArray[np.float32],
    size: tuple[int, int],
    corner: tuple[int, int],
    crop: tuple[int, int],
) -> NDArray[np.float32]:
    """Return a grid over an image (width, height), interpolated at the pixels of a crop."""
    sx, sy = COLUMNS / size[0], ROWS / size[1]
    grid_from_crop = np.array(
        [
            [sx, 0, (corner[1] + 0.5) * sx - 0.5],
            [0, sy, (corner[0] + 0.5) * sy - 0.5],
        ]
    )
    return cv2.warpAffine(
        grid,
        grid_from_crop,
        (crop[1], crop[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def cells(width: int, height: int) -> NDArray[np.float64]:
    """Return the pixels (M, 2) in the middle of the cells; the first pixel's centre is 0, 0."""
    x = (np.arange(COLUMNS) + 0.5) * width / COLUMNS - 0.5
    y = (np.arange(ROWS) + 0.5) * height / ROWS - 0.5
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _squared_distances(
    a_M2: NDArray[np.float64], b_N2: NDArray[np.float64]
) -> NDArray[np.float32]:
    x = (a_M2[:, :1] - b_N2[None, :, 0]).astype(np.float32)
    y = (a_M2[:, 1:] - b_N2[None, :, 1]).astype(np.float32)
    return x * x + y * y
