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
Choose the frames of a recording that are worth reconstructing.

Of every interval of time the sharpest frame is taken, unless it shows what the one before
showed, or odometry says that the robot has hardly moved since: a robot that waits for a lift adds
nothing but work. The recording is read once and one image is kept at a time, so memory does not
grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.bags import StampedImage
from posenet_ros.errors import ImageError, LabellingError
from posenet_ros.geometry import NS_PER_S, seconds_text

# Sharpness is compared at this width, where it is blur that counts and not the sensor's noise.
_SHARPNESS_WIDTH = 320
_THUMBNAIL_SIZE = (64, 48)
# Root mean square of the difference of two thumbnails of zero mean and unit deviation. Noise of
# a camera that stands still makes 0.01, a move of a few millimetres indoors 0.06.
_SAME_VIEW = 0.03
# Stamps jitter: a frame this share of an interval early still belongs to the next one.
_EARLY = 0.02
_LARGEST_DAMAGED_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Candidate:
    """One decoded frame: pixels (H, W, 3), how sharp it is, and a thumbnail to compare by."""

    stamp_ns: int
    rgb: NDArray[np.uint8]
    sharpness: float
    thumbnail: NDArray[np.float64]

    @classmethod
    def measure(cls, stamp_ns: int, rgb: NDArray[np.uint8]) -> Candidate:
        """Measure sharpness as the variance of the Laplacian of a reduced grey image."""
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        factor = min(1.0, _SHARPNESS_WIDTH / grey.shape[1])
        small = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        sharpness = float(cv2.Laplacian(small, cv2.CV_32F).var())
        thumbnail = cv2.resize(small, _THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA)
        centred = thumbnail - thumbnail.mean()
        # A lens cap has no contrast; do not blow its noise up to a picture.
        return cls(stamp_ns, rgb, sharpness, centred / max(float(centred.std()), 4.0))

    def same_view(self, other: Candidate) -> bool:
        """Tell whether two frames show the same but for noise and exposure."""
        difference = self.thumbnail - other.thumbnail
        return float(np.sqrt((difference**2).mean())) < _SAME_VIEW


@dataclass(frozen=True)
class Selection:
    """
    Which frames were chosen.

    `seen` images were read, `damaged` of them could not be decoded; `still` intervals were left
    out because nothing had moved since the frame before. `width` and `height` are in pixels.
    """

    stamps_ns: tuple[int, ...]
    width: int
    height: int
    seen: int
    still: int
    damaged: int

    @property
    def duration_s(self) -> float:
        """The time from the first to the last chosen frame."""
        return (self.stamps_ns[-1] - self.stamps_ns[0]) / NS_PER_S


def select_frames(
    images: Iterable[StampedImage],
    *,
    rate_hz: float,
    keep: Callable[[int, NDArray[np.uint8]], None],
    stood: Callable[[int, int], bool] = lambda before_ns, now_ns: False,
) -> Selection:
    """
    Choose frames at `rate_hz` and hand each to `keep(stamp_ns, rgb)`.

    `stood` tells whether the camera hardly moved from one stamp to another. Raises
    LabellingError where images change their size, where too many are damaged, or where there
    are none.
    """
    reading = _Reading()
    stamps_ns: list[int] = []
    still = 0
    size = None
    before: Candidate | None = None
    for best in _sharpest(reading.candidates(images), rate_hz):
        if before and (best.same_view(before) or stood(before.stamp_ns, best.stamp_ns)):
            still += 1
            continue
        size = _same_size(size, best)
        keep(best.stamp_ns, best.rgb)
        stamps_ns.append(best.stamp_ns)
        before = best
    if reading.damaged > _LARGEST_DAMAGED_SHARE * reading.seen:
        raise LabellingError(
            f'{reading.damaged} of {reading.seen} images cannot be decoded: {reading.error}'
        )
    if size is None:
        raise LabellingError('the recording has no images')
    return Selection(tuple(stamps_ns), *size, reading.seen, still, reading.damaged)


def _same_size(size: tuple[int, int] | None, frame: Candidate) -> tuple[int, int]:
    height, width = frame.rgb.shape[:2]
    if size is not None and size != (width, height):
        raise LabellingError(
            f'the images change from {size[0]}x{size[1]} to {width}x{height} pixels at '
            f'{seconds_text(frame.stamp_ns)}; record with one setting of the camera'
        )
    return width, height


class _Reading:
    """Decodes a stream of images and counts those that cannot be."""

    def __init__(self) -> None:
        self.seen = 0
        self.damaged = 0
        self.error: ImageError | None = None

    def candidates(self, images: Iterable[StampedImage]) -> Iterator[Candidate]:
        for image in images:
            self.seen += 1
            try:
                rgb = image.decode()
            except ImageError as error:
                self.damaged += 1
                self.error = self.error or error
                continue
            yield Candidate.measure(image.stamp_ns, rgb)


def _sharpest(candidates: Iterable[Candidate], rate_hz: float) -> Iterator[Candidate]:
    """Return the sharpest candidate of every interval that has any; the first of equals."""
    first_ns, best, interval = None, None, 0
    for candidate in candidates:
        first_ns = candidate.stamp_ns if first_ns is None else first_ns
        elapsed_s = (candidate.stamp_ns - first_ns) / NS_PER_S
        current = int(elapsed_s * rate_hz + _EARLY)
        if best is not None and current != interval:
            yield best
            best = None
        interval = current
        if best is None or candidate.sharpness > best.sharpness:
            best = candidate
    if best is not None:
        yield best
