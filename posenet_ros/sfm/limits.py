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

"""How many threads a stage may use without using all memory."""

from __future__ import annotations

from posenet_ros.machine import cores

# The longer side of the images that features are taken from.
LARGEST_SIDE = 1600
# Features of a frame. Soft: SIFT keeps whole levels, so up to half as many more.
LARGEST_FEATURE_COUNT = 1536
_FEWEST_FEATURES = 768
# Features of a recording. Mapping holds what it made of all of them: 1.4 million take 2 GiB.
_ALL_FEATURES = 1_400_000
# SIFT finds more in an image doubled in size, at four times the cost: for small images only.
_DOUBLED_UP_TO = 1000

_MEMORY_BYTES = 3 << 29
# The scale space of an image as it is, measured with pycolmap's SIFT.
_BYTES_PER_PIXEL = 75
# Matching compares all descriptors of two images at once, as 32-bit numbers, both ways.
_MATCHING_BYTES = 2 * 4 * (3 * LARGEST_FEATURE_COUNT // 2) ** 2


def first_octave(width: int, height: int) -> int:
    """Return SIFT's first octave for images of a size in pixels: -1 doubles them, 0 does not."""
    return -1 if max(width, height) <= _DOUBLED_UP_TO else 0


def feature_count(frames: int) -> int:
    """
    Return the most features to take of each of so many frames.

    A long recording sees every place often, and has enough of them with fewer a frame.
    """
    share = _ALL_FEATURES // max(frames, 1)
    return min(LARGEST_FEATURE_COUNT, max(_FEWEST_FEATURES, share))


def feature_threads(width: int, height: int) -> int:
    """Return the threads for SIFT on images of a size in pixels."""
    scale = min(1.0, LARGEST_SIDE / max(width, height)) * 2 ** -first_octave(width, height)
    return _threads(round(width * height * scale**2) * _BYTES_PER_PIXEL)


def matching_threads() -> int:
    """Return the threads for matching."""
    return _threads(_MATCHING_BYTES)


def _threads(bytes_each: int) -> int:
    return max(1, min(cores(), _MEMORY_BYTES // max(bytes_each, 1)))
