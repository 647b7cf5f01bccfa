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
Images of nowhere, made of noise or of images of the map, which no map may verify.

Noise has features of every size and nothing else. A scrambled image has all that an image of the
map has, but for the order: 8 x 6 tiles of it, none where it was. A mirrored one has its shapes and
colours, too, and is of a place that does not exist. The same images every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.evaluation.strangers import MIRRORED, NOISE, Strangers

Rgb = NDArray[np.uint8]

_TILES = 8, 6
# Width and height, where no camera is known.
_USUAL_SIZE = 640, 480
_MIDDLE, _DEVIATION = 128.0, 50.0
# Blobs of noise are 1, 2, 4 .. pixels across, up to such a share of the height.
_LARGEST = 1 / 4


class OwnImages(Protocol):
    """Images of the map, of which others are made."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def some(self, numbers: Iterable[int]) -> Iterator[Rgb]:
        """Yield the images of these numbers, which do not fall; one may come several times."""
        ...


def how_many(strangers: Strangers, own: OwnImages) -> int:
    """Return how many images are made: an image can be mirrored only once."""
    once = strangers.kind == MIRRORED
    return min(strangers.images, len(own)) if once else strangers.images


def made(
    strangers: Strangers, own: OwnImages, size: tuple[int, int] | None = None
) -> Iterator[Rgb]:
    """
    Yield images uint8 (H, W, 3) that are of nowhere.

    They are made of images of the map that are evenly spread over `own`; noise has the `size`
    (width, height) of the map's camera. Scrambled ones are each in another order, also where there
    are more of them than images; mirrored ones are at most as many as there are images.
    """
    if strangers.kind == NOISE:
        for number in range(strangers.images):
            yield noise(*(size or _USUAL_SIZE), number)
        return
    mirror = strangers.kind == MIRRORED
    count = how_many(strangers, own)
    numbers = np.linspace(0, len(own) - 1, count).round().astype(int).tolist()
    for number, rgb in enumerate(own.some(numbers)):
        yield np.ascontiguousarray(rgb[:, ::-1]) if mirror else scrambled(rgb, number)


def scrambled(rgb: Rgb, seed: int) -> Rgb:
    """
    Return an image with its 8 x 6 tiles in another order, none where it was.

    What is left over at the right and below, less than a tile of pixels, stays.
    """
    across, down = _TILES
    height, width = rgb.shape[0] // down, rgb.shape[1] // across
    order = np.random.default_rng(seed).permutation(across * down)
    mixed = rgb.copy()
    # Each takes the place of the next: one ring, in which none keeps its own.
    for tile, place in zip(order, np.roll(order, -1)):
        mixed[_part(place, height, width)] = rgb[_part(tile, height, width)]
    return mixed


def _part(tile: int, height: int, width: int) -> tuple[slice, slice]:
    row, column = divmod(int(tile), _TILES[0])
    return (
        slice(row * height, (row + 1) * height),
        slice(column * width, (column + 1) * width),
    )


def noise(width: int, height: int, seed: int) -> Rgb:
    """Return coloured noise whose blobs are of all sizes, in other shares for each seed."""
    rng = np.random.default_rng(seed)
    blob, total = 1, np.zeros((height, width, 3), dtype=np.float32)
    while blob <= max(_LARGEST * height, 1):
        small = rng.standard_normal((-(-height // blob), -(-width // blob), 3), dtype=np.float32)
        total += rng.uniform() * cv2.resize(small, (width, height))
        blob *= 2
    total *= _DEVIATION / max(float(total.std()), 1e-6)
    return np.clip(total + _MIDDLE, 0, 255).astype(np.uint8)
