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

"""Local features of an image: what a map is made of, and what is matched against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
import math
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError

# Below this a descriptor is that of next to nothing.
_LEAST_SUM = 1e-6
_LEAST_SIDE = 16
# OpenCV's SIFT has features so far right of and below where they are, in the image that it gets:
# it doubles images by their pixels' edges and halves places by their centres.
_TOO_FAR_PX = 0.25
# Contrast is raised so many times at most, and such a share of the pixels may become black, or
# white.
_MOST_GAIN, _CUT = 8.0, 0.0005


class LocalFeatures(NamedTuple):
    """
    N features: where they are, and what they look like.

    `pixels` (N, 2) float32 are in the image as it was given, the centre of its first pixel at
    (0, 0). `descriptors` (N, D) uint8 are compared by their cosine.
    """

    pixels: NDArray[np.float32]
    descriptors: NDArray[np.uint8]


class Extractor(Protocol):
    """
    Anything that finds features.

    A map says by `to_dict` which extractor it was made with; images are asked about by the same.
    """

    width: int

    def extract(self, rgb: NDArray[np.uint8]) -> LocalFeatures:
        """Return the features of an image uint8 (H, W, 3), or (H, W)."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return what `extractor_of` needs to make the same one."""
        ...


@dataclass(frozen=True)
class Sift:
    """
    SIFT (Lowe, 2004) by OpenCV, on the image made smaller, as RootSIFT (Arandjelovic, 2012).

    Images are scaled down to `pixels`, the width times the height; OpenCV doubles that before
    it begins, so that an image of four times as many loses little. One whose grey values spread
    less than `spread` (standard deviation, of 255) is stretched to that, up to eight times: what a
    feature looks like does not change by that, and at dusk or in fog they are found by it.
    `contrast` is the least that a feature has, and at most `most` features are kept, those of most
    contrast first.
    """

    pixels: int = 320 * 240
    contrast: float = 0.02
    most: int = 1000
    spread: float = 50.0

    width = 128

    def __post_init__(self) -> None:
        """Refuse sizes in which nothing can be found."""
        least = min(self.contrast, self.spread)
        if self.pixels < _LEAST_SIDE**2 or self.most < 1 or not least >= 0:
            raise ConfigError(f'nothing can be found with {self}')

    def extract(self, rgb: NDArray[np.uint8]) -> LocalFeatures:
        """Return the features of an image uint8 (H, W, 3), or (H, W)."""
        if not rgb.size:
            return self._nothing()
        grey = rgb if rgb.ndim == 2 else cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        height, width = grey.shape
        share = min(1.0, math.sqrt(self.pixels / (width * height)))
        if share < 1.0:
            size = max(round(width * share), _LEAST_SIDE), max(round(height * share), _LEAST_SIDE)
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        grey = self._stretched(grey)
        sift = cv2.SIFT_create(nfeatures=self.most, contrastThreshold=self.contrast)
        keypoints, descriptors = sift.detectAndCompute(grey, None)
        if descriptors is None:
            return self._nothing()
        found = np.array([keypoint.pt for keypoint in keypoints], dtype=np.float32) - _TOO_FAR_PX
        # Pixel centres are at whole numbers in both sizes.
        scale = np.array([width / grey.shape[1], height / grey.shape[0]], dtype=np.float32)
        # OpenCV keeps more than asked where contrasts are equal.
        pixels = ((found + 0.5) * scale - 0.5)[: self.most]
        return LocalFeatures(pixels, _root(descriptors[: self.most]))

    def _stretched(self, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image of little contrast with more of it, as far as next to nothing is cut."""
        deviation = float(grey.std())
        if deviation >= self.spread or deviation == 0:
            return grey
        counts = np.bincount(grey.ravel(), minlength=256).cumsum()
        low, high = np.searchsorted(counts, [_CUT * grey.size, (1 - _CUT) * grey.size])
        gain = min(self.spread / deviation, 255 / max(high - low, 1), _MOST_GAIN)
        return cv2.addWeighted(grey, gain, grey, 0, 127.5 - gain * (low + high) / 2)

    def _nothing(self) -> LocalFeatures:
        return LocalFeatures(np.zeros((0, 2), np.float32), np.zeros((0, self.width), np.uint8))

    def to_dict(self) -> dict[str, Any]:
        """Return what `extractor_of` needs to make the same one."""
        return {'kind': 'sift', **asdict(self)}


def _root(descriptors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the square roots of descriptors whose numbers add up to one, in 255 steps."""
    sums = np.maximum(descriptors.sum(axis=1, keepdims=True), _LEAST_SUM)
    return np.rint(255 * np.sqrt(descriptors / sums)).astype(np.uint8)


_KINDS = {'sift': Sift}


def extractor_of(values: Mapping[str, Any]) -> Extractor:
    """Make the extractor that `to_dict` described; raise ConfigError for one that is not known."""
    given = dict(values)
    kind = given.pop('kind', None)
    if kind not in _KINDS:
        raise ConfigError(f'unknown local features {kind!r}; known are {", ".join(_KINDS)}')
    try:
        return _KINDS[kind](**given)
    except TypeError as error:
        raise ConfigError(f'{kind} features cannot be made with {given}: {error}') from error


def unit_rows(descriptors: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return descriptors (N, D) as float32 rows of unit length, whose products are cosines."""
    rows = descriptors.astype(np.float32)
    lengths = np.sqrt(np.einsum('ij,ij->i', rows, rows))
    return rows / np.maximum(lengths, _LEAST_SUM)[:, None]
