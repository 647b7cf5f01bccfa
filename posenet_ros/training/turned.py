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
What cameras that were turned and moved see of images, many at once and wherever a tensor lies.

The same views as `data.augmentation.seen_turned` and `data.depth.seen_moved` make one by one on
the CPU. No matrix is multiplied by torch here: where that may round to TF32, pixels would move.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from posenet_ros.data.depth import (
    cells,
    COLUMNS,
    FEWEST_POINTS,
    LEAST_DEPTH,
    LEAST_WEIGHT,
    ROWS,
)
from posenet_ros.geometry import Camera
import torch
from torch import Tensor
from torch.nn import functional

# Farther away than any pixel.
_FAR = 1e6


class Turned(NamedTuple):
    """
    How pixels of B turned and moved cameras are found in images.

    `image_from_turned_B33` maps homogeneous pixels, `shift_B3` is added for each inverse depth,
    and `corner_B2` is the top and left of what is seen.
    """

    image_from_turned_B33: Tensor
    shift_B3: Tensor
    corner_B2: Tensor


def seen_by_turned(
    rgb_BHW3: Tensor, turned: Turned, crop: tuple[int, int], inverse_Brc: Tensor | None = None
) -> Tensor:
    """
    Return the crops (B, height, width, 3) of what cameras elsewhere see, as floats.

    `inverse_Brc` are the inverse depths as those cameras have them, on a grid over the image; by
    default, or where they are zero, cameras are only turned. What the image does not show repeats
    its border.
    """
    image_B3HW = rgb_BHW3.permute(0, 3, 1, 2).float()
    y_Bh1, x_B1w = pixels(turned.corner_B2, crop)
    rows = turned.image_from_turned_B33[..., None, None].unbind(dim=1)
    u, v, w = (row[:, 0] * x_B1w + row[:, 1] * y_Bh1 + row[:, 2] for row in rows)
    if inverse_Brc is not None:
        inverse_Bhw = _at_pixels(inverse_Brc, rgb_BHW3.shape[1:3], y_Bh1, x_B1w)
        shifts = turned.shift_B3[..., None, None].unbind(dim=1)
        u, v, w = (part + shift * inverse_Bhw for part, shift in zip((u, v, w), shifts))
    w = w.clamp(min=LEAST_DEPTH)
    return _sampled(image_B3HW, v / w, u / w).permute(0, 2, 3, 1)


def pixels(corner_B2: Tensor, crop: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the rows (B, h, 1) and columns (B, 1, w) of crops at corners (top, left)."""
    rows = torch.arange(crop[0], device=corner_B2.device)
    columns = torch.arange(crop[1], device=corner_B2.device)
    top_B11, left_B11 = corner_B2[..., None, None].unbind(dim=1)
    return top_B11 + rows[:, None], left_B11 + columns


def _at_pixels(grid_Brc: Tensor, size: tuple[int, int], y_Bh1: Tensor, x_B1w: Tensor) -> Tensor:
    """Return a grid over an image (height, width), interpolated at pixels (B, h, w)."""
    shares = (y_Bh1 + 0.5) / size[0], (x_B1w + 0.5) / size[1]
    return at_shares(grid_Brc, *torch.broadcast_tensors(*shares))


def at_shares(grid_Brc: Tensor, y_Bhw: Tensor, x_Bhw: Tensor) -> Tensor:
    """
    Return grids over images, interpolated at shares of the images' heights and widths (B, h, w).

    The grid has ROWS and COLUMNS (see `data.depth`); beyond its outer cells are these.
    """
    y_Bhw, x_Bhw = y_Bhw * ROWS - 0.5, x_Bhw * COLUMNS - 0.5
    return _sampled(grid_Brc[:, None], y_Bhw, x_Bhw)[:, 0]


def _sampled(image_BCHW: Tensor, y_Bhw: Tensor, x_Bhw: Tensor) -> Tensor:
    """Interpolate between pixels; beyond the border are those of the border."""
    height, width = image_BCHW.shape[2:]
    # From -1 to 1 between the centres of the first pixel and of the last.
    shares = [x_Bhw * (2 / (width - 1)) - 1, y_Bhw * (2 / (height - 1)) - 1]
    return functional.grid_sample(
        image_BCHW,
        torch.stack(shares, dim=-1),
        mode='bilinear',
        padding_mode='border',
        align_corners=True,
    )


class MovedCamera:
    """Inverse depths of images of a camera, as the camera has them from where it has moved to."""

    def __init__(self, camera: Camera, device: torch.device) -> None:
        """Take the camera of the images as they lie in memory."""
        self._camera = camera
        cells_M2 = cells(camera.width, camera.height)
        homogeneous_M3 = np.column_stack([cells_M2, np.ones(len(cells_M2))])
        rays_M3 = homogeneous_M3 @ np.linalg.inv(camera.matrix).T
        self._cells_M2 = torch.as_tensor(cells_M2, dtype=torch.float32, device=device)
        self._rays_M3 = torch.as_tensor(rays_M3, dtype=torch.float32, device=device)

    def inverse_depths(
        self, inverse_BM: Tensor, near_B: Tensor, turn_B33: Tensor, moved_to_B3: Tensor
    ) -> tuple[Tensor, Tensor]:
        """
        Return grids of inverse depths (B, rows, columns), and whether there is enough to see (B).

        Of images with `inverse_BM`, from cameras turned by `camera_from_moved` and moved to
        places in the camera's frame; nothing counts that is nearer than `near_B`. Nearer things
        hide others. Where there is too little, the grids are zero.
        """
        points_BM3 = self._rays_M3 / inverse_BM[..., None] - moved_to_B3[:, None]
        x, y, z = (points_BM3[..., None] * turn_B33[:, None]).sum(dim=2).unbind(dim=2)
        front_BM = z > near_B[:, None]
        inverse_BN = torch.where(front_BM, 1 / z, 0)
        camera = self._camera
        u_BN = torch.where(front_BM, camera.fx * x * inverse_BN + camera.cx, _FAR)
        v_BN = torch.where(front_BM, camera.fy * y * inverse_BN + camera.cy, _FAR)
        cell_u_M1, cell_v_M1 = self._cells_M2[..., None].unbind(dim=1)
        squared_BMN = (cell_u_M1 - u_BN[:, None]) ** 2 + (cell_v_M1 - v_BN[:, None]) ** 2
        nearest_BM1 = squared_BMN.topk(4, dim=2, largest=False).values[..., 3:]
        reach_BM1 = nearest_BM1.clamp(min=(camera.width / COLUMNS) ** 2)
        closeness_BMN = torch.exp(-squared_BMN / (2 * reach_BM1))
        weight_BMN = closeness_BMN * inverse_BN[:, None] ** 2 + LEAST_WEIGHT
        weight_BMN = weight_BMN * front_BM[:, None]
        seen_BM = (weight_BMN * inverse_BN[:, None]).sum(dim=2) / weight_BMN.sum(dim=2)
        enough_B = front_BM.sum(dim=1) >= FEWEST_POINTS
        seen_BM = torch.where(enough_B[:, None], seen_BM, 0)
        return seen_BM.view(-1, ROWS, COLUMNS), enough_B
