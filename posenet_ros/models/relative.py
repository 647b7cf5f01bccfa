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
From two images to where one camera is as the other sees it.

After Laskar, Melekhov, Kalia, Kannala (2017), whose network (`pooled`) connects what the trunk
makes of either image as a whole. Ours (`matching`) looks in each image for what is in the other,
cell by cell, and reads the relative pose off where it is found; the trunk stays as it came, so
that its maps can be kept. Translations are in the frame of the known camera, as the published
network's are not: in the world's they could not be carried to another world.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera
from posenet_ros.models.rotations import matrix_from_6d
import torch
from torch import nn, Tensor
from torch.nn import functional

MATCHERS = ('matching', 'pooled')
# Direction, logarithm of the distance, two columns of the rotation.
_OUTPUTS = 3 + 1 + 6
# How wide the layer is that errors are told by, and how many kinds of these there are.
_DOUBTING, _ERRORS = 64, 3
_COLUMNS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
# Into what grid the image is gathered, and how wide the published network's layer is.
_GRID, _PUBLISHED_HIDDEN = (3, 4), 1024
_FIRST_SHARPNESS = 10.0
_NO_MASS = 1e-3
# No pair is so far apart, in metres; a network that has not learned yet may say anything.
FARTHEST_M = 20.0
# Logarithms of the errors that can be told: from a millimetre to that.
_LOG_ERRORS = (math.log(1e-3), math.log(FARTHEST_M))
# Rows of attention are of whole multiples of so many numbers.
_ALIGNED = 8
# OpenCV's usual five steps leave the corners of a wide image some pixels off.
_EXACTLY = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-9)


@dataclass(frozen=True)
class RelativeArchitecture:
    """
    What a relative pose is read off with.

    `matcher` is ours or the published one; the rest is of ours. `key` is how many numbers cells
    are compared by, `width` that of the convolutions after it, and `hidden` that of the layer
    that reads the pose off these. `looks` numbers say there what a cell looks like, beside where
    it is found; with none, all is told by geometry.
    """

    matcher: str = 'matching'
    key: int = 64
    width: int = 96
    dropout: float = 0.1
    looks: int = 0
    hidden: int = 256

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if self.matcher not in MATCHERS:
            raise ConfigError(f'matcher must be {" or ".join(MATCHERS)}, not {self.matcher!r}')
        widths = min(self.key, self.width, self.hidden)
        if widths < 1 or self.looks < 0 or not 0 <= self.dropout < 1:
            raise ConfigError(f'no network can be built of {self}')


class RelativePrediction(NamedTuple):
    """
    Where the camera of each image asked is, in the frame of the known camera beside it.

    `direction_B3` of length one, `log_distance_B` in the logarithm of metres, less than it is
    where the direction is not sure, and `rotation_B33` is `known_from_asked`. `log_error_B3` are
    logarithms of the errors that are to be expected: of the position across the direction and
    along it, in metres, and of the rotation, in radians.
    """

    direction_B3: Tensor
    log_distance_B: Tensor
    rotation_B33: Tensor
    log_error_B3: Tensor


class Side(NamedTuple):
    """
    One of two images: a map (B, C, h, w), and rays of its cells (B, 2, h, w).

    The map is the trunk's, or what is kept of that: see `RelativePoseNet.describe`.
    """

    map_BChw: Tensor
    ray_B2hw: Tensor


class RelativePoseNet(nn.Module):
    """
    Two maps of one trunk in, a relative pose out.

    With `matching`, each cell of either image asks all cells of the other which of them shows the
    same. What it learns is where that is, as a ray of the other camera, how sure that is and
    how spread; a few convolutions make a pose of all cells. Cells are told by their rays, so
    that cameras of any focal length go together.
    """

    def __init__(self, architecture: RelativeArchitecture, channels: int) -> None:
        """Build for maps of so many channels."""
        super().__init__()
        self.architecture = architecture
        self.channels = channels
        matching = architecture.matcher == 'matching'
        self.matcher = _Matching(architecture, channels) if matching else _Pooled(channels)
        hidden = architecture.hidden if matching else _PUBLISHED_HIDDEN
        self.regressor = nn.Sequential(
            nn.Linear(self.matcher.features, hidden),
            *([] if matching else [nn.BatchNorm1d(hidden)]),
            nn.ReLU(inplace=True),
            nn.Dropout(architecture.dropout),
            nn.Linear(hidden, _OUTPUTS),
        )
        self.doubts = nn.Sequential(
            nn.Linear(self.matcher.features, _DOUBTING),
            nn.ReLU(inplace=True),
            nn.Linear(_DOUBTING, _ERRORS),
        )
        # On the device beforehand: to send it there in every step is to wait for the device.
        self.register_buffer('columns_6', torch.tensor(_COLUMNS), persistent=False)

    def forward(self, asked: Side, known: Side) -> RelativePrediction:
        """Return where the cameras of `asked` are, as those of `known` have them."""
        sides = (Side(self.describe(map_BChw), rays) for map_BChw, rays in (asked, known))
        return self.compare(*sides)

    def describe(self, map_BChw: Tensor) -> Tensor:
        """
        Return by what images are compared (B, D, h, w), of the trunk's maps.

        It is all that a database has to keep of an image; of the published network a single cell.
        """
        # In single precision: where a cell is found must be told to a fraction of a cell.
        with torch.autocast(map_BChw.device.type, enabled=False):
            return self.matcher.describe(map_BChw.float())

    def described_shape(self, rows: int, columns: int) -> tuple[int, int, int]:
        """Return the shape (D, h, w) of what `describe` returns of a map of so many cells."""
        shape = (1, self.channels, rows, columns)
        return tuple(self.describe(self.columns_6.new_zeros(shape)).shape[1:])

    @property
    def describing(self) -> dict[str, Tensor]:
        """What `describe` has learned, by name."""
        return self.matcher.describing

    def compare(self, asked: Side, known: Side) -> RelativePrediction:
        """Return what `forward` does, of sides that are described."""
        features_BF = self.matcher(asked, known).float()
        with torch.autocast(features_BF.device.type, enabled=False):
            output_BO = self.regressor(features_BF)
            # How wrong an answer is must not change what is answered.
            log_error_B3 = self.doubts(features_BF.detach()).clamp(*_LOG_ERRORS)
        columns_B6 = output_BO[:, 4:] + self.columns_6
        return RelativePrediction(
            functional.normalize(output_BO[:, :3], dim=1),
            output_BO[:, 3],
            matrix_from_6d(columns_B6),
            log_error_B3,
        )


class _Pooled(nn.Module):
    """Both images as a whole, side by side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.features = 2 * channels
        self.describing: dict[str, Tensor] = {}

    def describe(self, map_BChw: Tensor) -> Tensor:
        return map_BChw.mean(dim=(2, 3), keepdim=True)

    def forward(self, asked: Side, known: Side) -> Tensor:
        return torch.cat([side.map_BChw.flatten(1) for side in (asked, known)], dim=1)


class _Matching(nn.Module):
    """What each image shows of the other, gathered over a grid."""

    def __init__(self, architecture: RelativeArchitecture, channels: int) -> None:
        super().__init__()
        width = architecture.width
        self.key = nn.Conv2d(channels, architecture.key, 1)
        self.looks = nn.Conv2d(channels, architecture.looks, 1) if architecture.looks else None
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(_FIRST_SHARPNESS)))
        self.nowhere = nn.Parameter(torch.zeros(()))
        # The cell's ray, where it is found, how far that is from it, how spread, and how surely.
        inputs = 2 + 2 + 2 + 2 + 1 + architecture.looks
        self.layers = nn.Sequential(
            *_layer(inputs, width),
            *_layer(width, width),
            *_layer(width, 2 * width, stride=2),
            *_layer(2 * width, 2 * width),
            nn.AdaptiveAvgPool2d(_GRID),
            nn.Flatten(),
        )
        self.features = 2 * 2 * width * _GRID[0] * _GRID[1]

    @property
    def describing(self) -> dict[str, Tensor]:
        parts = {'key': self.key, **({} if self.looks is None else {'looks': self.looks})}
        return nn.ModuleDict(parts).state_dict()

    def describe(self, map_BChw: Tensor) -> Tensor:
        """Return the keys of all cells, and upon them what they look like."""
        key_BDhw = functional.normalize(self.key(map_BChw), dim=1)
        if self.looks is None:
            return key_BDhw
        return torch.cat([key_BDhw, self.looks(map_BChw)], dim=1)

    def forward(self, asked: Side, known: Side) -> Tensor:
        # Where a cell is found must be told to a fraction of a cell: not in bfloat16.
        with torch.autocast(asked.map_BChw.device.type, enabled=False):
            seen = [self._seen(*sides) for sides in ((asked, known), (known, asked))]
        return torch.cat([self.layers(cells_BChw) for cells_BChw in seen], dim=1)

    def _seen(self, side: Side, other: Side) -> Tensor:
        """Return what the cells of one side find in the other."""
        width = self.key.out_channels
        key_BDN, other_key_BDM = (each.map_BChw[:, :width].flatten(2) for each in (side, other))
        sharp_BDN = self.log_sharpness.exp() * key_BDN
        found = _found(sharp_BDN, other_key_BDM, self.nowhere, other.ray_B2hw.flatten(2))
        ray_B2N = side.ray_B2hw.flatten(2)
        parts = [ray_B2N, found.ray_B2N, found.ray_B2N - ray_B2N]
        parts += [found.spread_B2N, found.mass_BN[:, None], side.map_BChw[:, width:].flatten(2)]
        return torch.cat(parts, dim=1).unflatten(2, side.map_BChw.shape[2:])


class _Found(NamedTuple):
    """The mean ray at which each of N cells is found, its deviation, and how much of it is."""

    ray_B2N: Tensor
    spread_B2N: Tensor
    mass_BN: Tensor


def _found(query_BDN: Tensor, key_BDM: Tensor, nowhere: Tensor, ray_B2M: Tensor) -> _Found:
    """
    Return where cells N are found among cells M, by the softmax of the products of their keys.

    One more cell, that is alike to all by `nowhere`, takes what is not found. That is attention
    (Vaswani et al. 2017) whose values are rays, and torch does it without writing down how
    alike all are to all.
    """
    width = -(-(key_BDM.shape[1] + 1) // _ALIGNED) * _ALIGNED
    query_BNW = _padded(torch.cat([query_BDN, torch.ones_like(query_BDN[:, :1])], dim=1), width)
    nowhere_W = functional.pad(nowhere[None], (key_BDM.shape[1], width - key_BDM.shape[1] - 1))
    key_BMW = _padded(key_BDM, width)
    key_BMW = torch.cat([key_BMW, nowhere_W.expand(len(key_BMW), 1, -1)], dim=1)
    told_B5M = torch.cat([ray_B2M, ray_B2M**2, torch.ones_like(ray_B2M[:, :1])], dim=1)
    value_BMW = _padded(functional.pad(told_B5M, (0, 1)), width)
    sums_BNW = functional.scaled_dot_product_attention(
        query_BNW[:, None], key_BMW[:, None], value_BMW[:, None], scale=1.0
    )[:, 0]
    sums_B5N = sums_BNW[..., :5].transpose(1, 2)
    mass_BN = sums_B5N[:, 4]
    mean_B4N = sums_B5N[:, :4] / (mass_BN[:, None] + _NO_MASS)
    mean_B2N, square_B2N = mean_B4N[:, :2], mean_B4N[:, 2:]
    variance_B2N = (square_B2N - mean_B2N**2).clamp(min=1e-8)
    return _Found(mean_B2N, variance_B2N.sqrt(), mass_BN)


def _padded(rows_BDN: Tensor, width: int) -> Tensor:
    """Return N rows of one length, the rest zeros, as torch's fast attention wants them."""
    padded_BWN = functional.pad(rows_BDN, (0, 0, 0, width - rows_BDN.shape[1]))
    return padded_BWN.transpose(1, 2).contiguous()


def _layer(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class Cells(NamedTuple):
    """
    Where the cells of a map look in an image (width, height) of `size`.

    Of `shape` (rows, columns) the first is centred at the pixel `first` (x, y) and the others
    `step` pixels on. torchvision's trunks pad on both sides and halve from the first pixel on, so
    that this is the image's corner and not the middle of a tile.
    """

    shape: tuple[int, int]
    size: tuple[int, int]
    first: tuple[float, float]
    step: float

    def pixels(self, camera: Camera) -> NDArray[np.float64]:
        """Return the centres (h, w, 2) in pixels of a camera, whose whole image they cover."""
        scale = np.array([camera.width, camera.height]) / np.array(self.size)
        columns = self.first[0] + self.step * np.arange(self.shape[1])
        rows = self.first[1] + self.step * np.arange(self.shape[0])
        return (np.stack(np.meshgrid(columns, rows), axis=-1) + 0.5) * scale - 0.5


def cell_rays(camera: Camera, cells: Cells) -> NDArray[np.float32]:
    """
    Return the rays (2, h, w) through the centres of cells.

    x and y at a distance of 1 along the optical axis, without the lens's distortion.
    """
    pixels = cells.pixels(camera)
    points = pixels.reshape(-1, 1, 2)
    inputs = (camera.matrix, np.array(camera.coefficients))
    if camera.distortion == 'equidistant':
        rays = cv2.fisheye.undistortPoints(points, *inputs, criteria=_EXACTLY)
    elif camera.distortion == 'none':
        rays = (points - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
    else:
        rays = cv2.undistortPointsIter(points, *inputs, None, None, _EXACTLY)
    return rays.reshape(*pixels.shape).transpose(2, 0, 1).astype(np.float32)
