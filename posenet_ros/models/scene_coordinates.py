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
Scene coordinates: which point of the map each cell of an image shows, and how surely.

A head that regresses the pose itself has to learn how images change with it, which a drive along
one path does not show. What a thing looks like changes less: cells that are known from elsewhere
are known from here too, and geometry makes a pose of them (`models.resection`). Scene coordinates
are by Shotton et al., Scene Coordinate Regression Forests for Camera Relocalization in RGB-D
Images, CVPR 2013; that they can be learned on a frozen trunk, in minutes and from poses alone, is
by Brachmann, Cavallari, Prisacariu, Accelerated Coordinate Encoding, CVPR 2023.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera, rays_of
from posenet_ros.models.preprocessing import Preprocessing
import torch
from torch import nn, Tensor
from torch.nn import functional

# Cells are those of the trunk's map at stride 16; what it has at stride 8 tells where in them.
STRIDE = 16
_WIDTH = 384
# A map at stride 8 is seen whole, or, where that has more channels, as a mean over each cell.
_MOST_FINE = 1024
# The error that a cell is told to have, in pixels of the network's input.
_LEAST_PX, _MOST_PX = 0.5, 100.0


class Cells(NamedTuple):
    """
    What N images show: per cell a point of the map (N, C, 3), and its error to be expected (N, C).

    The error is in pixels of the network's input.
    """

    point_NC3: Tensor
    error_NC: Tensor


class SceneCoordinates(nn.Module):
    """
    A perceptron that sees one cell of the trunk's maps at a time.

    `middle_3` and `unit`, in metres, are where it starts from and in what it counts; `focal` is
    that of the network's input, in pixels, and `rays_C2` are where the middles of the cells lie
    on the plane one unit ahead of the camera, without the lens. Rays and focal length are those
    of the model's camera and not kept with the weights; see `set_camera`.
    """

    middle_3: Tensor
    unit: Tensor
    rays_C2: Tensor
    focal: Tensor

    def __init__(self, channels: Sequence[int]) -> None:
        """Take the depth of the maps at strides 8 and 16."""
        super().__init__()
        fine, coarse = channels
        self._whole = 4 * fine <= _MOST_FINE
        self.width = (4 * fine if self._whole else fine) + coarse
        self.first = nn.Linear(self.width, _WIDTH)
        self.block = nn.Sequential(
            nn.Linear(_WIDTH, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, _WIDTH), nn.ReLU()
        )
        self.last = nn.Sequential(nn.Linear(_WIDTH, _WIDTH), nn.ReLU())
        self.point = nn.Linear(_WIDTH, 3)
        self.error = nn.Sequential(nn.Linear(_WIDTH, 64), nn.ReLU(), nn.Linear(64, 1))
        self.register_buffer('middle_3', torch.zeros(3))
        self.register_buffer('unit', torch.ones(()))
        self.register_buffer('rays_C2', torch.zeros(1, 2), persistent=False)
        self.register_buffer('focal', torch.ones(()), persistent=False)
        # What a camera without its lens would see there, and what the lens makes of such; for
        # learning of turned cameras.
        self.register_buffer('bent_C2', torch.zeros(1, 2), persistent=False)
        # Where in the image such rays are seen, in shares of its width and height.
        self.register_buffer('image_from_bent_23', torch.zeros(2, 3), persistent=False)
        self.lens: Callable[[Tensor], Tensor] | None = None

    def set_camera(
        self, camera: Camera, preprocessing: Preprocessing, rows: int, columns: int
    ) -> None:
        """Take the camera that images are of, how they become input, and how many cells it has."""
        rays_C2, focal = cell_rays(camera, preprocessing, rows, columns)
        device = self.middle_3.device
        bare = replace(camera, distortion='none', coefficients=())
        bent_C2, _ = cell_rays(bare, preprocessing, rows, columns)
        self.bent_C2 = torch.as_tensor(bent_C2, dtype=torch.float32, device=device)
        image_from_bent = [
            [camera.fx / camera.width, 0, (camera.cx + 0.5) / camera.width],
            [0, camera.fy / camera.height, (camera.cy + 0.5) / camera.height],
        ]
        self.image_from_bent_23 = torch.tensor(image_from_bent, dtype=torch.float32, device=device)
        self.lens = None if camera == bare else partial(_straightened, camera)
        self.rays_C2 = torch.as_tensor(rays_C2, dtype=torch.float32, device=device)
        self.focal = torch.tensor(focal, dtype=torch.float32, device=device)

    def seen(self, fine_BChw: Tensor, coarse_BChw: Tensor) -> Tensor:
        """Return what is seen of each cell (B, cells, `width`), from the two maps."""
        size = [(2 if self._whole else 1) * side for side in coarse_BChw.shape[2:]]
        if list(fine_BChw.shape[2:]) != size:
            fine_BChw = functional.adaptive_avg_pool2d(fine_BChw, size)
        if self._whole:
            fine_BChw = functional.pixel_unshuffle(fine_BChw, 2)
        parts = fine_BChw, coarse_BChw
        # As in `GridDescriptor`: light does not count, and no level outweighs another.
        scaled = [
            functional.normalize(part.float(), dim=1) * part.shape[1] ** 0.5 for part in parts
        ]
        return torch.cat(scaled, dim=1).flatten(2).transpose(1, 2)

    def forward(self, seen_XD: Tensor) -> tuple[Tensor, Tensor]:
        """
        Return points of the map (..., 3) and errors (...), of cells (..., `width`).

        What learns of errors is cut off from what learns of points, which they would pull towards
        cells that are easy.
        """
        first = functional.relu(self.first(seen_XD))
        hidden = self.last(first + self.block(first))
        # Half precision would round points to a thousandth of the scene and worse.
        with torch.autocast(hidden.device.type, enabled=False):
            point = self.middle_3 + self.unit * self.point(hidden.float())
            logarithm = self.error(hidden.detach().float())[..., 0]
        return point, (_LEAST_PX + logarithm.exp()).clamp(max=_MOST_PX)


def cell_rays(
    camera: Camera, preprocessing: Preprocessing, rows: int, columns: int
) -> tuple[NDArray[np.float64], float]:
    """
    Return where the cells' middles are seen on the plane one unit ahead, and the focal length.

    (C, 2), row by row; the focal length is in pixels of the network's input, the mean of both.
    """
    wide, high = preprocessing.resized_size(camera.width, camera.height)
    small = camera.resized(wide, high)
    [(top, left)] = preprocessing.corners(wide, high, 1)
    y = (np.arange(rows) + 0.5) * STRIDE - 0.5 + top
    x = (np.arange(columns) + 0.5) * STRIDE - 0.5 + left
    pixels = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return rays_of(small, pixels), (small.fx + small.fy) / 2


def _straightened(camera: Camera, bent_BC2: Tensor) -> Tensor:
    """Return rays without the lens of those that take pixels for where there is none."""
    focal, centre = np.array([camera.fx, camera.fy]), np.array([camera.cx, camera.cy])
    pixels_N2 = bent_BC2.cpu().double().numpy().reshape(-1, 2) * focal + centre
    straight = torch.from_numpy(rays_of(camera, pixels_N2)).to(bent_BC2)
    return straight.view(bent_BC2.shape)
