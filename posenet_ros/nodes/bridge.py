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
The decoder of the node: cv_bridge where it is installed and safe, ours elsewhere.

Both give the same array. A cv_bridge built against another NumPy kills the process at its first
conversion, and no `except` catches that; so a child process tries it once, on one small image
of every encoding, and only the encodings in which it gave our array are left to it.
"""

from __future__ import annotations

from collections.abc import Callable
import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.images import decode
from sensor_msgs.msg import Image

_PROBE_TIMEOUT_S = 30.0
# Bytes of one pixel in the encodings that are tried.
_ENCODINGS = {
    'rgb8': 3,
    'bgr8': 3,
    'rgba8': 4,
    'bgra8': 4,
    'mono8': 1,
    'mono16': 2,
    'bayer_rggb8': 1,
    'bayer_bggr8': 1,
    'bayer_gbrg8': 1,
    'bayer_grbg8': 1,
    'yuv422': 2,
    'yuv422_yuy2': 2,
}
# What a message that cv_bridge cannot read may bring out of it, its own error a TypeError.
_FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
    cv2.error,
)


class Decoder(NamedTuple):
    """How messages become RGB arrays, and by what, for the log."""

    decode: Callable[[Any], NDArray[np.uint8]]
    description: str


def make_decoder() -> Decoder:
    """Return the decoder for this machine; takes a moment where cv_bridge has to be tried."""
    if importlib.util.find_spec('cv_bridge') is None:
        return Decoder(decode, 'own decoder (cv_bridge is not installed)')
    safe, reason = _probe()
    if not safe:
        return Decoder(decode, f'own decoder ({reason})')
    bridge = importlib.import_module('cv_bridge').CvBridge()

    def decode_by_bridge(message: Any) -> NDArray[np.uint8]:
        if not _suits(message, safe):
            return decode(message)
        try:
            return np.ascontiguousarray(bridge.imgmsg_to_cv2(message, 'rgb8'))
        except _FAILURES:
            # Ours makes an array of it or says, as an ImageError, why there is none.
            return decode(message)

    return Decoder(decode_by_bridge, f'cv_bridge for {", ".join(sorted(safe))}')


def _probe() -> tuple[frozenset[str], str]:
    """Return the encodings that are safe with cv_bridge, or none and why."""
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    try:
        child = subprocess.run(
            [sys.executable, '-m', __name__],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return frozenset(), f'cv_bridge did not answer within {_PROBE_TIMEOUT_S:.0f} s'
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        return frozenset(), (
            f'cv_bridge dies with {name} under NumPy {np.__version__}; it needs the NumPy it was '
            'built against'
        )
    if child.returncode > 0:
        last = (child.stderr.strip().splitlines() or ['no message'])[-1]
        return frozenset(), f'cv_bridge does not work here: {last}'
    safe = frozenset(json.loads(child.stdout))
    return safe, '' if safe else 'cv_bridge gives other arrays than ours'


def _suits(message: Any, safe: frozenset[str]) -> bool:
    """
    Tell whether cv_bridge reads a message as it should.

    It takes rows for whole pixels, padding included, its way to swap bytes ended with NumPy 1,
    and a size that does not fit the data is not its own to explain.
    """
    encoding = getattr(message, 'encoding', None)
    if encoding not in safe or message.is_bigendian or min(message.width, message.height) < 1:
        return False
    pixel_bytes = _ENCODINGS[encoding]
    return (
        message.step % pixel_bytes == 0
        and message.step >= message.width * pixel_bytes
        and len(message.data) >= message.step * message.height
    )


def _sample(encoding: str, width: int = 12, height: int = 6, padding: int = 3) -> Image:
    """Return a small image, rows padded by so many pixels, bytes that no two pixels share."""
    step = (width + padding) * _ENCODINGS[encoding]
    values = (np.arange(step * height) * 37 % 251).astype(np.uint8)
    message = Image(height=height, width=width, encoding=encoding, step=step)
    message.data = values.tobytes()
    return message


def _try_all() -> list[str]:
    """Run in the child: name the encodings in which cv_bridge gives our array."""
    cv_bridge = importlib.import_module('cv_bridge')
    bridge = cv_bridge.CvBridge()
    same = []
    for encoding in _ENCODINGS:
        message = _sample(encoding)
        try:
            theirs = bridge.imgmsg_to_cv2(message, 'rgb8')
        except cv_bridge.CvBridgeError:
            # An encoding it does not convert, which is then left to our decoder.
            continue
        if np.array_equal(theirs, decode(message)):
            same.append(encoding)
    return same


if __name__ == '__main__':
    print(json.dumps(_try_all()))
