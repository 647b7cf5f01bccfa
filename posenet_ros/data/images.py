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
One decoder for every image: the trainer and the node see the same pixels.

The conversions are OpenCV's, in the order and with the rounding of cv_bridge, so `decode` gives
the array of cv_bridge's `imgmsg_to_cv2(message, 'rgb8')`. Messages are taken as they come from
rosbags or rclpy: only their fields matter.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ImageError
from posenet_ros.files import written_whole


class _Encoding(NamedTuple):
    """How pixels lie in a message: bytes a channel, channels, OpenCV's way to RGB."""

    depth: int
    channels: int
    to_rgb: int | None


# OpenCV names a Bayer pattern by the second and third pixel of the second row, ROS by the first
# two of the first and second: ROS's rggb is OpenCV's BG.
_BAYER = {
    'rggb': cv2.COLOR_BayerBG2RGB,
    'bggr': cv2.COLOR_BayerRG2RGB,
    'gbrg': cv2.COLOR_BayerGR2RGB,
    'grbg': cv2.COLOR_BayerGB2RGB,
}

_COLOURS = {
    'rgb': (3, None),
    'bgr': (3, cv2.COLOR_BGR2RGB),
    'rgba': (4, cv2.COLOR_RGBA2RGB),
    'bgra': (4, cv2.COLOR_BGRA2RGB),
    'mono': (1, cv2.COLOR_GRAY2RGB),
    **{f'bayer_{pattern}': (1, code) for pattern, code in _BAYER.items()},
}

_ENCODINGS = {
    **{
        f'{name}{8 * depth}': _Encoding(depth, channels, code)
        for name, (channels, code) in _COLOURS.items()
        for depth in (1, 2)
    },
    **dict.fromkeys(('yuv422', 'uyvy'), _Encoding(1, 2, cv2.COLOR_YUV2RGB_UYVY)),
    **dict.fromkeys(('yuv422_yuy2', 'yuyv'), _Encoding(1, 2, cv2.COLOR_YUV2RGB_YUY2)),
    # The generic types carry no colour; drivers that use them mean OpenCV's own order.
    '8UC1': _Encoding(1, 1, cv2.COLOR_GRAY2RGB),
    '8UC3': _Encoding(1, 3, cv2.COLOR_BGR2RGB),
    '8UC4': _Encoding(1, 4, cv2.COLOR_BGRA2RGB),
    '16UC1': _Encoding(2, 1, cv2.COLOR_GRAY2RGB),
}

# 4:2:0 in two planes: the luma rows, then half as many rows of interleaved chroma.
_TWO_PLANES = {'nv12': cv2.COLOR_YUV2RGB_NV12, 'nv21': cv2.COLOR_YUV2RGB_NV21}

_JPEG_START, _JPEG_END = b'\xff\xd8', b'\xff\xd9'
# Frames of all kinds that JPEG has; among their codes are those of three tables.
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# Older ones give BGR, which takes another pass over the pixels.
_GIVES_RGB = hasattr(cv2, 'IMREAD_COLOR_RGB')
_COLOUR = cv2.IMREAD_COLOR_RGB if _GIVES_RGB else cv2.IMREAD_COLOR
_REDUCED = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8 | _COLOUR,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4 | _COLOUR,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2 | _COLOUR,
}


def decode(message: Any) -> NDArray[np.uint8]:
    """
    Return the pixels of a sensor_msgs Image or CompressedImage as RGB (H, W, 3).

    The array is contiguous. It is the message's own memory where that holds just this and may be
    written to, as with rclpy's: who changes one changes the other. Row padding and byte order are
    respected, 16 bits are scaled to 8 by 255/65535, an orientation written in a JPEG is ignored.
    Raises ImageError for an encoding without colour or grey values (depth, say), a size that
    cannot be, or data that is too short or corrupt.
    """
    if hasattr(message, 'format'):
        return _decompressed(bytes(message.data), message.format)
    if message.height < 1 or message.width < 1:
        raise ImageError(f'an image of {message.width}x{message.height} pixels has no content')
    if message.encoding in _TWO_PLANES:
        return _from_two_planes(message)
    encoding = _ENCODINGS.get(message.encoding)
    if encoding is None:
        raise ImageError(
            f'cannot make colours of encoding {message.encoding!r}; known are '
            f'{", ".join([*_ENCODINGS, *_TWO_PLANES])}'
        )
    row_bytes = message.width * encoding.channels * encoding.depth
    rows = _rows(message, row_bytes, message.height)
    order = '>' if message.is_bigendian else '<'
    pixels = rows.view(f'{order}u{encoding.depth}').astype(f'u{encoding.depth}', copy=False)
    shape = (message.height, message.width, encoding.channels)
    rgb = _to_rgb(pixels.reshape(shape), encoding.to_rgb, message.encoding)
    return rgb if rgb.flags.writeable else rgb.copy()


def decode_smaller(
    message: Any, ample: Callable[[int, int], tuple[int, int]]
) -> NDArray[np.uint8] | None:
    """
    Return a JPEG's pixels as `decode` does, at an eighth, a quarter or half of its size.

    `ample` tells of an image of some width and height which size (width, height) still does. None
    for messages other than JPEGs, and where half of one is less than that. Raises ImageError for
    a JPEG that is truncated or corrupt.
    """
    if not hasattr(message, 'format') or _mosaic(message.format) is not None:
        return None
    data = bytes(message.data)
    size = jpeg_size(data)
    if size is None:
        return None
    fewest = ample(*size)
    for divisor, flags in _REDUCED.items():
        if all(side >= divisor * least for side, least in zip(size, fewest)):
            return _decompressed(data, message.format, flags)
    return None


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG by its header, None for what is none."""
    if not data.startswith(_JPEG_START):
        return None
    at = len(_JPEG_START)
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _JPEG_FRAMES:
            height, width = data[at + 5 : at + 7], data[at + 7 : at + 9]
            return int.from_bytes(width, 'big'), int.from_bytes(height, 'big')
        at += 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    return None


def _rows(message: Any, row_bytes: int, count: int) -> NDArray[np.uint8]:
    """Return `count` rows without their padding, as bytes (count, row_bytes)."""
    if message.step < row_bytes:
        raise ImageError(
            f'a row of {message.width} pixels in {message.encoding} takes {row_bytes} bytes, '
            f'but the step is {message.step}'
        )
    data = np.frombuffer(message.data, dtype=np.uint8)
    needed = message.step * count
    if len(data) < needed:
        raise ImageError(
            f'the image data is too short: {count} rows of {message.step} bytes are {needed} '
            f'bytes, got {len(data)}'
        )
    return np.ascontiguousarray(data[:needed].reshape(count, message.step)[:, :row_bytes])


def _from_two_planes(message: Any) -> NDArray[np.uint8]:
    if message.height % 2 or message.width % 2:
        raise ImageError(
            f'an image in {message.encoding} has an even size, not '
            f'{message.width}x{message.height}'
        )
    rows = _rows(message, message.width, message.height * 3 // 2)
    return _to_rgb(rows, _TWO_PLANES[message.encoding], message.encoding)


def _to_rgb(pixels: NDArray[Any], code: int | None, name: str) -> NDArray[np.uint8]:
    """Convert colours first and bits second, as cv_bridge does."""
    if code is not None:
        try:
            pixels = cv2.cvtColor(pixels, code)
        except cv2.error as error:
            height, width = pixels.shape[:2]
            raise ImageError(f'{width}x{height} pixels cannot be {name}: {error.err}') from error
    if pixels.dtype == np.uint16:
        pixels = cv2.convertScaleAbs(pixels, alpha=255 / 65535)
    return pixels


def _decompressed(data: bytes, name: str, flags: int = _COLOUR) -> NDArray[np.uint8]:
    """
    Decode a JPEG, PNG or other image file held in memory.

    `name` is the format field: 'jpeg', or 'rgb8; jpeg compressed bgr8' as compressed image
    transport writes it. `flags` are OpenCV's for an image of colours.
    """
    if 'compressedDepth' in name:
        raise ImageError(f'{name!r} is a depth image; choose the colour topic')
    mosaic = _mosaic(name)
    pixels = _read_buffer(data, flags if mosaic is None else cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise ImageError(
            f'the compressed image (format {name!r}, {len(data)} bytes) is truncated or corrupt'
        )
    if mosaic is None:
        return _to_rgb(pixels, None if _GIVES_RGB else cv2.COLOR_BGR2RGB, name)
    return _to_rgb(pixels, mosaic, name)


def _mosaic(name: str) -> int | None:
    """
    Return OpenCV's way to the colours of a Bayer mosaic by its format field, None for another.

    Compressed image transport compresses a mosaic as it is, as a grey image.
    """
    if 'compressed bgr' in name or 'compressed rgb' in name:
        return None
    patterns = (code for key, code in _BAYER.items() if name.startswith(f'bayer_{key}'))
    return next(patterns, None)


def _read_buffer(data: bytes, flags: int) -> NDArray[np.uint8] | None:
    # Not every OpenCV refuses a JPEG that ends early; some fill the rest with grey.
    if data.startswith(_JPEG_START) and data.rfind(_JPEG_END) < 0:
        return None
    try:
        return cv2.imdecode(
            np.frombuffer(data, dtype=np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:
        # OpenCV answers most bad data with None, and an empty buffer with an exception.
        return None


def read_image(path: Path) -> NDArray[np.uint8]:
    """
    Return the pixels of an image file as RGB (H, W, 3), exactly as `decode` gives them.

    Raises ImageError for a file that is missing or no whole image.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f'cannot read the image {path}: {error.strerror}') from error
    try:
        return _decompressed(data, path.suffix.lstrip('.'))
    except ImageError as error:
        raise ImageError(f'{path}: {error}') from error


def encode_jpeg(path: Path, rgb: NDArray[np.uint8], quality: int = 95) -> None:
    """Write RGB (H, W, 3) as a JPEG file, whole or not at all."""
    done, data = cv2.imencode(
        '.jpg', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise ImageError(f'cannot compress an image of shape {rgb.shape} to {path}')
    with written_whole(path) as partial:
        partial.write_bytes(data)
