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
How the images of one camera become those of another, where that is exact.

Seen from one point, two cameras of one lens differ by scale and shift alone: by binning, by the
size that images are delivered in, by the region of the sensor that is read (REP 104), by zoom.
That is undone by cutting and resizing, as far as the pixels are there. What the network does not
look at may be missing. Where a lens bends differently, nothing is undone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera

Box = tuple[float, float, float, float]

# Of what the network looks at, in delivered pixels: less is the rounding of sizes and offsets.
_MISSING_PX = 1.0
# Of width over height; less comes from rounding sizes.
_OTHER_SHAPE = 0.01


@dataclass(frozen=True)
class View:
    """
    What is done with the images of a camera so that the network sees those of its own.

    `window` (left, top, right, bottom) is cut out, in pixels of the image and possibly beyond its
    edges; then it gets the `shape`, width over height, of the camera of training. Without a
    window images stay as they are. `refusal` says why they are not those of training and cannot
    be made so, `note` what is done where they can.
    """

    window: tuple[int, int, int, int] | None = None
    shape: float = 1.0
    refusal: str = ''
    note: str = ''

    def of(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image (H, W, 3) as the camera of training would have taken it."""
        if self.window is None:
            return rgb
        left, top, right, bottom = self.window
        height, width = rgb.shape[:2]
        inside = rgb[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
        beyond = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
        whole = (
            cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE) if any(beyond) else inside
        )
        wide, high = right - left, bottom - top
        if abs(wide / (high * self.shape) - 1) > _OTHER_SHAPE:
            # Narrower or lower, never larger: the network's own resizing comes after.
            size = min(wide, round(high * self.shape)), min(high, round(wide / self.shape))
            whole = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        return whole


AS_IT_IS = View()


# Every image asks, and the answer changes with the camera only.
@lru_cache(maxsize=16)
def view_of(
    trained: Camera,
    told: Camera,
    size: tuple[int, int],
    looked_at: Callable[[int, int], Box],
    tolerance: float,
) -> View:
    """
    Return how images of some `size` (width, height) become those of the camera of training.

    `told` is the camera by CameraInfo; `looked_at` returns which part of an image of some size
    the network sees (left, top, right, bottom). `tolerance` is that of `difference`.
    """
    width, height = size
    if abs(width * told.height / (height * told.width) - 1) > _OTHER_SHAPE:
        return View(
            refusal=f'images are {width}x{height}, and the CameraInfo is of '
            f'{told.width}x{told.height}'
        )
    seen = told.resized(width, height)
    unlike = difference(trained, seen, tolerance)
    if not unlike:
        return AS_IT_IS
    if bent_px(trained, seen) > tolerance * trained.width:
        return View(refusal=unlike + _hint(trained, seen))
    left, right = _reach(trained.width, trained.cx, trained.fx, seen.cx, seen.fx)
    top, bottom = _reach(trained.height, trained.cy, trained.fy, seen.cy, seen.fy)
    across, down = (right - left) / trained.width, (bottom - top) / trained.height
    box = looked_at(trained.width, trained.height)
    missing = (
        -(left + box[0] * across),
        -(top + box[1] * down),
        left + box[2] * across - width,
        top + box[3] * down - height,
    )
    if max(missing) > _MISSING_PX:
        lacking = ', '.join(
            f'{number:.0f} pixels {side}'
            for number, side in zip(missing, ('left', 'above', 'right', 'below'))
            if number > _MISSING_PX
        )
        return View(refusal=f'{unlike}; of what the network looks at they lack {lacking}')
    window = (round(left), round(top), round(right), round(bottom))
    return View(
        window,
        trained.width / trained.height,
        note=f'cut to that of training: columns {window[0]} to {window[2]} and rows {window[1]} '
        f'to {window[3]} of {width}x{height}',
    )


def _reach(
    pixels: int, centre: float, focal: float, seen_centre: float, seen_focal: float
) -> tuple[float, float]:
    """Return from where to where an image of so many pixels reaches, in those of another."""
    # Counted from the edge of the first pixel, whose middle is at zero.
    scale = seen_focal / focal
    start = seen_centre + 0.5 - (centre + 0.5) * scale
    return start, start + pixels * scale


def difference(trained: Camera, seen: Camera, tolerance: float) -> str:
    """
    Return in what the camera differs from the one of training, or '' where it does not.

    An image that is only larger or smaller is the same to the network. `tolerance` is a share of
    the image width: focal lengths and centres are compared in it.
    """
    if abs(seen.width * trained.height - trained.width * seen.height) > tolerance * (
        seen.width * trained.height
    ):
        return (
            f'the camera is not that of training: images of {seen.width}x{seen.height} have '
            f'another shape than {trained.width}x{trained.height}'
        )
    scaled = trained.resized(seen.width, seen.height)
    names = [
        f'{name} {getattr(seen, name):.1f} instead of {getattr(scaled, name):.1f}'
        for name in ('fx', 'fy', 'cx', 'cy')
        if abs(getattr(seen, name) - getattr(scaled, name)) > tolerance * seen.width
    ]
    moved_px = bent_px(scaled, seen)
    if moved_px > tolerance * seen.width:
        names.append(f'a distortion that puts the corners {moved_px:.0f} pixels elsewhere')
    return f'the camera is not that of training: {", ".join(names)}' if names else ''


def bent_px(trained: Camera, seen: Camera) -> float:
    """Return how far apart two lenses put the corners of the first one's image, in its pixels."""
    return float(np.abs(_corners(seen, trained) - _corners(trained, trained)).max()) * trained.fx


def _hint(trained: Camera, seen: Camera) -> str:
    """Return what may be behind another distortion."""
    straight = replace(trained, distortion='none', coefficients=())
    bends = [bent_px(straight, camera) > 1 for camera in (trained, seen)]
    if bends == [True, False]:
        return '; images of training were raw, and these are rectified: subscribe to the raw ones'
    if bends == [False, True]:
        return '; images of training were rectified, and these are raw by the name of their topic'
    return ''


def _corners(camera: Camera, frame: Camera) -> NDArray[np.float64]:
    """
    Return where a lens puts the corners of an image, on the plane one unit ahead.

    Effects are compared and not coefficients, since a calibration refined by structure from
    motion has small ones where CameraInfo has none. `frame` gives the corners, the same for all.
    """
    x = np.array([-frame.cx, frame.width - 1 - frame.cx]) / frame.fx
    y = np.array([-frame.cy, frame.height - 1 - frame.cy]) / frame.fy
    rays = np.array([[each, other, 1.0] for each in x for other in y])
    if camera.distortion == 'none':
        return rays[:, :2]
    fisheye = camera.distortion == 'equidistant'
    project = cv2.fisheye.projectPoints if fisheye else cv2.projectPoints
    still, lens = np.zeros(3), np.array(camera.coefficients)
    return project(rays[:, None], still, still, np.eye(3), lens)[0].reshape(-1, 2)
