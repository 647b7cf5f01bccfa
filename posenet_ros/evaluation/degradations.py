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
What weather, light, people and other lenses do to an image, at five levels each.

After figure 8 of the PoseNet paper (Kendall, Grimes, Cipolla, ICCV 2015). The camera's pose stays
the same in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError

Rgb = NDArray[np.uint8]
LEVELS = (1, 2, 3, 4, 5)

_BLUR_LENGTHS = (0.01, 0.02, 0.035, 0.055, 0.08)
_LIGHT_LEFT = (0.7, 0.5, 0.35, 0.22, 0.12)
_VEILS = (0.15, 0.3, 0.45, 0.6, 0.75)
_DROPS = (100, 250, 500, 900, 1500)
_COVERED = (0.05, 0.1, 0.2, 0.3, 0.4)
_ZOOMS = (1.05, 1.1, 1.2, 1.35, 1.5)
_FOG_COLOUR = (205.0, 208.0, 212.0)


def motion_blur(rgb: Rgb, level: int, rng: np.random.Generator) -> Rgb:
    """Smear along a straight line in a random direction, 1 % to 8 % of the width long."""
    length = max(round(_BLUR_LENGTHS[level - 1] * rgb.shape[1]), 2)
    size = length | 1
    kernel = np.zeros((size, size), dtype=np.float32)
    angle = rng.uniform(0, math.pi)
    reach = (size - 1) / 2 * np.array([math.cos(angle), math.sin(angle)])
    middle = (size - 1) / 2
    start, end = (np.round(middle + sign * reach).astype(int) for sign in (-1, 1))
    cv2.line(kernel, tuple(map(int, start)), tuple(map(int, end)), 1.0)
    return cv2.filter2D(rgb, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def night(rgb: Rgb, level: int, rng: np.random.Generator) -> Rgb:
    """Leave 70 % to 12 % of the light, bluish, with the sensor's noise that comes with it."""
    left = _LIGHT_LEFT[level - 1]
    tint = np.array([left, left * (0.9 + 0.1 * left), left * (0.95 + 0.05 / max(left, 0.5))])
    noise = rng.normal(0, 1 + 6 * (1 - left), rgb.shape[:2])[..., None]
    return np.clip(rgb * tint + noise, 0, 255).astype(np.uint8)


def fog(rgb: Rgb, level: int, rng: np.random.Generator) -> Rgb:
    """Draw an even veil over the image, and soften it: nobody tells the depth."""
    veil = _VEILS[level - 1]
    soft = cv2.GaussianBlur(rgb, (0, 0), 0.2 + 2 * veil * rgb.shape[1] / 640)
    return np.clip((1 - veil) * soft + veil * np.array(_FOG_COLOUR), 0, 255).astype(np.uint8)


def rain(rgb: Rgb, level: int, rng: np.random.Generator) -> Rgb:
    """Draw bright streaks that fall alike, under a thin veil."""
    height, width = rgb.shape[:2]
    streaks = np.zeros((height, width), dtype=np.uint8)
    slant = rng.uniform(-0.3, 0.3)
    count = _DROPS[level - 1]
    for x, y, length in zip(
        rng.integers(0, width, count),
        rng.integers(-height // 10, height, count),
        rng.uniform(0.03, 0.09, count) * height,
    ):
        end = (int(x + slant * length), int(y + length))
        cv2.line(streaks, (int(x), int(y)), end, 255, max(width // 400, 1))
    alpha = cv2.GaussianBlur(streaks, (0, 0), 0.7)[..., None] / 255 * 0.7
    veil = 0.06 * level
    dimmed = (1 - veil) * rgb + veil * 150
    return np.clip((1 - alpha) * dimmed + alpha * 225, 0, 255).astype(np.uint8)


def people(rgb: Rgb, level: int, rng: np.random.Generator) -> Rgb:
    """Let people stand in front of 5 % to 40 % of the image."""
    height, width = rgb.shape[:2]
    covered = np.zeros((height, width), dtype=np.uint8)
    seen = rgb.copy()
    while covered.mean() < _COVERED[level - 1]:
        tall = rng.uniform(0.5, 0.95) * height
        centre = (int(rng.uniform(0, width)), int(height - 0.35 * tall))
        clothes, skin = rng.integers(10, 200, 3).tolist(), rng.integers(90, 220, 3).tolist()
        head = (centre[0], int(height - 0.83 * tall))
        parts = [
            (centre, (int(0.13 * tall), int(0.42 * tall)), clothes),
            (head, (int(0.06 * tall), int(0.085 * tall)), skin),
        ]
        for middle, axes, colour in parts:
            cv2.ellipse(seen, middle, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
            cv2.ellipse(covered, middle, axes, 0, 0, 360, 1, -1)
    return seen


def focal_length(rgb: Rgb, level: int, rng: np.random.Generator) -> Rgb:
    """Look through a lens of 1.05 to 1.5 times the focal length."""
    height, width = rgb.shape[:2]
    zoom = _ZOOMS[level - 1]
    about = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0, zoom)
    return cv2.warpAffine(rgb, about, (width, height), flags=cv2.INTER_LINEAR)


DEGRADATIONS: dict[str, Callable[[Rgb, int, np.random.Generator], Rgb]] = {
    'motion blur': motion_blur,
    'dusk and night': night,
    'fog': fog,
    'rain': rain,
    'people': people,
    'focal length': focal_length,
}


def degraded(rgb: Rgb, kind: str, level: int, seed: int) -> Rgb:
    """Return an image (H, W, 3), changed; raise ConfigError for an unknown kind or level."""
    if kind not in DEGRADATIONS or level not in LEVELS:
        raise ConfigError(
            f'unknown degradation {kind!r} of level {level}; known are '
            f'{", ".join(DEGRADATIONS)}, at levels {LEVELS[0]} to {LEVELS[-1]}'
        )
    return DEGRADATIONS[kind](rgb, level, np.random.default_rng(seed))
