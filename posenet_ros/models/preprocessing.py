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

"""The one path from pixels to network input, shared by training, evaluation and the node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError, ImageError, ModelError
import torch
from torch import Tensor

# Panoramas are less elongated than this.
_MOST_ELONGATED = 10
# How many times the size that an image is scaled to it may come in, and no better: at 1.9 times
# poses were as good as by the whole image, at 1.4 their orientations were a tenth worse.
AMPLE = 1.75


@dataclass(frozen=True)
class Preprocessing:
    """
    How an image becomes network input.

    The image is scaled until its shorter side has `short_side` pixels, then `crop` (height,
    width) is cut out: 256 and 224 x 224 in the paper (section 3.2). `mean` and `std` are per
    channel, of colours from 0 to 1; the mean is the scene's own, as the paper found best.
    """

    short_side: int = 256
    crop: tuple[int, int] = (224, 224)
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        """Refuse a crop that does not fit, and deviations of zero."""
        object.__setattr__(self, 'crop', tuple(int(side) for side in self.crop))
        object.__setattr__(self, 'mean', tuple(float(value) for value in self.mean))
        object.__setattr__(self, 'std', tuple(float(value) for value in self.std))
        if len(self.crop) != 2 or not 32 <= min(self.crop) <= self.short_side:
            raise ConfigError(
                f'a crop needs at least 32 pixels a side and its shorter side must fit into '
                f'{self.short_side}, got {self.crop}'
            )
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ConfigError('mean and std need three values each, the std above zero')

    def resize(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """
        Scale an image (H, W, 3) so that its shorter side is `short_side`.

        Where the crop is wider than that image would be (a camera of another shape), it is
        scaled until the crop fits. Raises ImageError for a strip, whose other side would become
        as long as memory.
        """
        return _scaled(rgb, self.checked_size(rgb.shape[1], rgb.shape[0]))

    def checked_size(self, width: int, height: int) -> tuple[int, int]:
        """Return what `resized_size` does (width, height); raise ImageError for a strip."""
        if max(height, width) > _MOST_ELONGATED * min(height, width):
            raise ImageError(f'an image of {width}x{height} pixels is no camera image')
        return self.resized_size(width, height)

    def resized_size(self, width: int, height: int) -> tuple[int, int]:
        """Return to which size (width, height) `resize` scales an image of another."""
        scale = max(
            self.short_side / min(height, width), self.crop[0] / height, self.crop[1] / width
        )
        return max(round(width * scale), self.crop[1]), max(round(height * scale), self.crop[0])

    def ample_size(self, width: int, height: int) -> tuple[int, int]:
        """Return to which size (width, height) an image may be reduced before `resize`."""
        wide, high = self.resized_size(width, height)
        return math.ceil(AMPLE * wide), math.ceil(AMPLE * high)

    def centre_box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """
        Return what the centre crop of an image of some size covers: left, top, right, bottom.

        In its own pixels, counted from the edge of the first.
        """
        wide, high = self.resized_size(width, height)
        left, top = self._centre(wide, high)
        x, y = width / wide, height / high
        return left * x, top * y, (left + self.crop[1]) * x, (top + self.crop[0]) * y

    def crop_at(self, rgb: NDArray[np.uint8], top: int, left: int) -> NDArray[np.uint8]:
        """Cut the crop out of a resized image, its upper left corner at a pixel."""
        return rgb[top : top + self.crop[0], left : left + self.crop[1]]

    def centre(self, rgb: NDArray[np.uint8]) -> tuple[int, int]:
        """Return the upper left corner (top, left) of the centre crop of a resized image."""
        left, top = self._centre(rgb.shape[1], rgb.shape[0])
        return top, left

    def _centre(self, width: int, height: int) -> tuple[int, int]:
        return (width - self.crop[1]) // 2, (height - self.crop[0]) // 2

    def normalise(self, rgb_BHW3: Tensor) -> Tensor:
        """Turn colours (B, H, W, 3), uint8 or float from 0 to 255, into input (B, 3, H, W)."""
        return self._normalised(rgb_BHW3).contiguous()

    def _normalised(self, rgb_BHW3: Tensor) -> Tensor:
        """Return what `normalise` does in memory as the colours lie: channels last."""
        width = rgb_BHW3.shape[2]
        # By whole rows: three numbers at a time are too few for the CPU's vectors.
        shift, scale = self.shift_and_scale(rgb_BHW3.device)
        rows_BHW = (rgb_BHW3.flatten(2).float() - shift.repeat(width)) * scale.repeat(width)
        return rows_BHW.view(rgb_BHW3.shape).permute(0, 3, 1, 2)

    def shift_and_scale(self, device: torch.device | str = 'cpu') -> tuple[Tensor, Tensor]:
        """Return what is taken from colours from 0 to 255, then what they are multiplied by."""
        scale = torch.tensor([1 / (255 * value) for value in self.std], device=device)
        return torch.tensor(self.mean, device=device) * 255, scale

    def prepare(self, rgb: NDArray[np.uint8]) -> Tensor:
        """Turn an image (H, W, 3) of any size into network input (3, h, w) by its centre crop."""
        return self.normalise(torch.from_numpy(self._centre_crop(rgb))[None])[0]

    def prepare_crops(self, rgb: NDArray[np.uint8], count: int) -> Tensor:
        """
        Turn an image of any size into up to `count` crops (N, 3, h, w), evenly spread over it.

        The paper's dense evaluation has 128 (section 3.2). Fewer are returned where the image is
        hardly larger than a crop and some would be the same; one is the centre crop. In memory
        channels come last, as they do in images.
        """
        if count == 1:
            return self._normalised(torch.from_numpy(self._centre_crop(rgb))[None])
        small = self.resize(rgb)
        corners = self.corners(small.shape[1], small.shape[0], count)
        crops = np.stack([self.crop_at(small, *corner) for corner in corners])
        return self._normalised(torch.from_numpy(crops))

    def _centre_crop(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the centre crop of what `resize` gives, of which no more is made than that."""
        height, width = rgb.shape[:2]
        wide, high = self.checked_size(width, height)
        left, top = self._centre(wide, high)
        if wide * high < width * height:
            rows, high, top = _leading_to(height, high, top, self.crop[0])
            columns, wide, left = _leading_to(width, wide, left, self.crop[1])
            rgb = rgb[rows, columns]
        return np.ascontiguousarray(self.crop_at(_scaled(rgb, (wide, high)), top, left))

    def corners(self, width: int, height: int, count: int) -> list[tuple[int, int]]:
        """
        Return the upper left corners (top, left) of crops, evenly spread over a resized image.

        They lie on the grid of up to `count` whose steps are most alike; one is the centre crop's.
        """
        if count == 1:
            left, top = self._centre(width, height)
            return [(top, left)]
        high, wide = height - self.crop[0], width - self.crop[1]
        grids = [(rows, count // rows) for rows in range(1, count + 1) if count % rows == 0]
        rows, columns = min(
            grids, key=lambda grid: abs((high + 1) / grid[0] - (wide + 1) / grid[1])
        )
        tops = np.unique(np.linspace(0, high, rows).round() if rows > 1 else [high // 2])
        lefts = np.unique(np.linspace(0, wide, columns).round() if columns > 1 else [wide // 2])
        return [(int(top), int(left)) for top in tops for left in lefts]

    def beside_centre(self, width: int, height: int, count: int) -> NDArray[np.float32]:
        """
        Return how many pixels right of and below the centre crop the crops of an image lie (N, 2).

        They are those of `prepare_crops`, in its order; the image has `width` and `height`.
        """
        wide, high = self.checked_size(width, height)
        left, top = self._centre(wide, high)
        corners = np.array(self.corners(wide, high, count), dtype=np.float32)
        return corners[:, ::-1] - np.array([left, top], dtype=np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `from_dict` reads them back."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Read what `to_dict` wrote; raise ModelError for keys or values that do not fit."""
        expected = {field.name for field in fields(cls)}
        if set(values) != expected:
            odd = sorted(set(values) ^ expected)
            raise ModelError(f'the preprocessing lacks or has unknown keys: {", ".join(odd)}')
        try:
            return cls(**values)
        except (TypeError, ValueError, ConfigError) as error:
            raise ModelError(f'the preprocessing has impossible values: {error}') from error


def _scaled(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image scaled to a size (width, height); itself where it has that."""
    height, width = rgb.shape[:2]
    if size == (width, height):
        return rgb
    # Averaging areas keeps fine texture from turning into noise when an image shrinks.
    shrinks = size[0] * size[1] < width * height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(rgb, size, interpolation=method)


def _leading_to(length: int, scaled: int, start: int, count: int) -> tuple[slice, int, int]:
    """
    Return which of `length` pixels become `count` of `scaled` ones, from `start` on.

    Averaged areas depend on where pixels lie, so it is cut only where edges of both kinds meet:
    what is returned is a slice, how many pixels it is scaled to, and the start among these.
    """
    shared = math.gcd(length, scaled)
    before, after = length // shared, scaled // shared
    first, last = start // after, -(-(start + count) // after)
    return slice(first * before, last * before), (last - first) * after, start - first * after
