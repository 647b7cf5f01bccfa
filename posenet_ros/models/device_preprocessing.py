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

"""What `Preprocessing` does to images, on the device that has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from posenet_ros.models.preprocessing import Preprocessing
import torch
from torch import nn, Tensor

_WORD = torch.int64
# OpenCV interpolates between pixels by weights of so many steps.
_STEPS = 2048
# It leaves out what of a pixel is no more than this.
_LEAST_SHARE = 1e-3


class DevicePreprocessing(nn.Module):
    """
    Images uint8 (B, height, width, 3) to network input (B * C, 3, h, w), by up to `crops` each.

    It takes what of them it looks at: the rows and columns of `box`, two slices.
    Scaling is a product with a matrix from the left, for the rows, and one from the right. The
    pixels are those of `Preprocessing.prepare_crops`, but for a level here and there where
    rounding is close, in `dtype`. In memory `channels` come last; those beyond three are zero.
    Nothing here waits for the device.
    """

    def __init__(
        self,
        preprocessing: Preprocessing,
        height: int,
        width: int,
        crops: int = 1,
        *,
        dtype: torch.dtype = torch.float32,
        channels: int = 3,
    ) -> None:
        """Prepare for images of one size; raise ImageError for a strip."""
        super().__init__()
        wide, high = preprocessing.checked_size(width, height)
        shrinks = wide * high < width * height
        rows, columns = (
            scaling_matrix(length, scaled, shrinks=shrinks)
            for length, scaled in ((height, high), (width, wide))
        )
        corners = preprocessing.corners(wide, high, crops)
        tall, broad = preprocessing.crop
        if len(corners) == 1:
            # Of what lies outside the one crop nothing is made.
            ((top, left),) = corners
            rows, columns = rows[top : top + tall], columns[left : left + broad]
            corners = [(0, 0)]
        self.box = _seen(rows), _seen(columns)
        rows, columns = rows[:, self.box[0]], columns[:, self.box[1]]
        self.crops = len(corners)
        self._dtype, self._channels = dtype, channels
        # OpenCV rounds a half to the even level, but up in the mean of four pixels.
        self._halves_up = shrinks and (width, height) == (2 * wide, 2 * high)
        tops, lefts = np.array(corners).T
        scale = 1 / (255 * np.array(preprocessing.std))
        self._keep('_rows_hH', rows)
        self._keep('_columns_Ww', columns.T.copy())
        self._keep('_row_C1', tops[:, None, None] + np.arange(tall)[:, None])
        self._keep('_column_C1', lefts[:, None, None] + np.arange(broad))
        self._keep('_scale_311', scale.reshape(3, 1, 1))
        self._keep('_offset_311', (-255 * np.array(preprocessing.mean) * scale).reshape(3, 1, 1))

    def _keep(self, name: str, values: NDArray[np.float64 | np.int64]) -> None:
        tensor = torch.from_numpy(values)
        whole = tensor if tensor.dtype == torch.int64 else tensor.float()
        self.register_buffer(name, whole, persistent=False)

    def forward(self, rgb_BHW3: Tensor) -> Tensor:
        """Scale what lies in the box, round as images are, normalise and cut."""
        planes_B3HW = rgb_BHW3.permute(0, 3, 1, 2).float()
        scaled_B3hw = torch.matmul(torch.matmul(self._rows_hH, planes_B3HW), self._columns_Ww)
        rounded_B3hw = (scaled_B3hw + 0.5).floor() if self._halves_up else scaled_B3hw.round()
        image_B3hw = torch.addcmul(self._offset_311, rounded_B3hw, self._scale_311)
        shape = (len(image_B3hw), *image_B3hw.shape[2:], self._channels)
        image_BhwC = torch.zeros(shape, dtype=self._dtype, device=image_B3hw.device)
        image_BhwC[..., :3] = image_B3hw.permute(0, 2, 3, 1)
        return self._cut(image_BhwC).permute(0, 3, 1, 2)

    def _cut(self, image_BhwC: Tensor) -> Tensor:
        """Return the crops (B * C, h, w, channels) of images."""
        if self.crops == 1:
            return image_BhwC
        whole = image_BhwC.element_size() * self._channels == _WORD.itemsize
        # A pixel that fills a word is fetched as one.
        pixel_Bhwx = image_BhwC.view(_WORD) if whole else image_BhwC
        crop_BChwx = pixel_Bhwx[:, self._row_C1, self._column_C1]
        return crop_BChwx.view(self._dtype).flatten(0, 1)


def _seen(weights: NDArray[np.float64]) -> slice:
    """Return which pixels count for any."""
    (counted,) = weights.any(axis=0).nonzero()
    return slice(int(counted[0]), int(counted[-1]) + 1)


def scaling_matrix(length: int, scaled: int, *, shrinks: bool) -> NDArray[np.float64]:
    """
    Return the weights (scaled, length) of pixels in a row that is scaled to another length.

    As OpenCV has them: where an image `shrinks`, of the share of each pixel in the area that
    becomes one (INTER_AREA), else of the two next to it (INTER_LINEAR).
    """
    if length == scaled:
        return np.eye(length)
    step = length / scaled
    pixel = np.arange(length)
    if shrinks:
        first = step * np.arange(scaled)[:, None]
        overlap = np.minimum(first + step, pixel + 1) - np.maximum(first, pixel)
        area = np.minimum(step, length - first)
        return np.where(overlap > _LEAST_SHARE, overlap, 0) / area
    at = np.clip((np.arange(scaled) + 0.5) * step - 0.5, 0, length - 1)[:, None]
    return np.round(np.maximum(1 - np.abs(at - pixel), 0) * _STEPS) / _STEPS
