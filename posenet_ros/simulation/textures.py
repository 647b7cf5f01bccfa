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

"""Procedural textures: the stuff that walls, floors and furniture are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.simulation.mipmaps import Texture

Colour: TypeAlias = tuple[float, float, float]
# Paints a face: (random generator, width, height in metres) -> texture.
Paint: TypeAlias = Callable[[np.random.Generator, float, float], Texture]

# 5 mm a texel: at 0.8 m, nearer than the robot comes to most things, a 640x480 image with a
# field of view of 75 degrees resolves 2 mm, and at 2 m this.
TEXELS_PER_METRE = 200

INTERIOR: tuple[Colour, ...] = (
    (196, 98, 66),
    (214, 168, 72),
    (88, 118, 92),
    (132, 150, 118),
    (58, 88, 124),
    (118, 148, 172),
    (126, 50, 54),
    (66, 70, 78),
    (48, 116, 118),
    (206, 184, 150),
    (222, 136, 112),
    (156, 128, 100),
    (104, 112, 62),
    (172, 186, 190),
)


def texels(metres: float, density: float = TEXELS_PER_METRE) -> int:
    """Return how many texels a length has, at least two."""
    return max(round(metres * density), 2)


def canvas(
    colour: Colour, width: float, height: float, density: float = TEXELS_PER_METRE
) -> Texture:
    """Return a plain texture for a face of this size in metres."""
    shape = (texels(height, density), texels(width, density), 3)
    return np.full(shape, np.clip(colour, 0, 255), dtype=np.uint8)


def colour(
    rng: np.random.Generator,
    saturation: tuple[float, float] = (0.3, 0.8),
    value: tuple[float, float] = (0.4, 0.95),
) -> Colour:
    """Draw a colour of any hue, with saturation and value between bounds in [0, 1]."""
    hsv = [rng.uniform(0, 360), rng.uniform(*saturation), rng.uniform(*value)]
    red, green, blue = cv2.cvtColor(np.float32([[hsv]]), cv2.COLOR_HSV2RGB)[0, 0] * 255
    return (float(red), float(green), float(blue))


def tint(rng: np.random.Generator, white: float = 0.0) -> Colour:
    """Draw a colour that people furnish with, never quite the same; mixed with `white`."""
    base = np.array(INTERIOR[rng.integers(len(INTERIOR))]) * rng.uniform(0.88, 1.12)
    mixed = (1 - white) * base + white * np.array([244, 240, 232]) + rng.normal(0, 6, 3)
    red, green, blue = np.clip(mixed, 0, 255).tolist()
    return (red, green, blue)


def shade(base: Colour, factor: float) -> Colour:
    """Return a colour made darker or lighter."""
    red, green, blue = (float(np.clip(part * factor, 0, 255)) for part in base)
    return (red, green, blue)


def noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    cell: float | tuple[float, float],
    octaves: int = 3,
) -> NDArray[np.float32]:
    """
    Return smooth random values (rows, columns), mean 0 and about unit variance.

    `cell` is the size in texels of the coarsest spots, as one number or (across, down); each
    further octave halves the size and the strength.
    """
    rows, columns = shape
    across, down = cell if isinstance(cell, tuple) else (cell, cell)
    total, power = np.zeros(shape, dtype=np.float32), 0.0
    for octave in range(octaves):
        size = (
            max(int(columns * 2**octave / across), 1) + 2,
            max(int(rows * 2**octave / down), 1) + 2,
        )
        grid = rng.standard_normal(size[::-1], dtype=np.float32)
        total += cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_LINEAR) / 2**octave
        power += 0.45 / 4**octave
        if min(across, down) / 2**octave < 1:
            break
    return total / math.sqrt(power)


def toned(texture: Texture, factor: NDArray[np.float32]) -> Texture:
    """Multiply a texture by a map (rows, columns) of brightness around one."""
    return np.clip(texture * factor[..., None], 0, 255).astype(np.uint8)


def plain(base: Colour, grain: float = 0.03) -> Paint:
    """Paint one colour with faint unevenness, as on lacquer, metal or plastic."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = canvas(base, width, height)
        shape = texture.shape[:2]
        return toned(texture, 1 + grain * (noise(rng, shape, 60) + 0.5 * noise(rng, shape, 3, 1)))

    return paint


def wood(base: Colour, grain: float = 0.10) -> Paint:
    """Paint wood whose fibres run along the longer side."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = canvas(base, width, height)
        shape = texture.shape[:2]
        along = width >= height
        streaks = noise(rng, shape, (160, 7) if along else (7, 160), 4)
        bands = noise(rng, shape, (400, 40) if along else (40, 400), 2)
        texture = toned(texture, 1 + grain * streaks + 0.8 * grain * bands)
        for _ in range(rng.poisson(1.2 * width * height)):
            at = (int(rng.integers(shape[1])), int(rng.integers(shape[0])))
            axes = (5, 2) if along else (2, 5)
            cv2.ellipse(texture, at, axes, 0, 0, 360, shade(base, 0.55), -1, cv2.LINE_AA)
        return texture

    return paint


def plaster(base: Colour, marks: float = 14.0) -> Paint:
    """Paint a rendered wall: cloudy, speckled, with `marks` flaws a square metre."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = canvas(base, width, height)
        shape = texture.shape[:2]
        clouds = 0.035 * noise(rng, shape, 150, 4) + 0.025 * noise(rng, shape, 2.5, 1)
        texture = toned(texture, 1 + clouds)
        for _ in range(rng.poisson(marks * width * height)):
            at = (int(rng.integers(shape[1])), int(rng.integers(shape[0])))
            size = rng.integers(1, 5, 2).tolist()
            tone = shade(base, rng.choice([0.72, 0.82, 0.9, 1.12]))
            cv2.ellipse(texture, at, size, rng.uniform(0, 180), 0, 360, tone, -1, cv2.LINE_AA)
        return texture

    return paint


def brick(base: Colour, mortar: Colour = (190, 185, 175)) -> Paint:
    """Paint courses of bricks, each of its own tone."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = canvas(mortar, width, height)
        rows, columns = texture.shape[:2]
        length, course = texels(0.24), texels(0.085)
        for row, y in enumerate(range(0, rows, course)):
            for x in range(-int(rng.integers(length)) - (row % 2) * length, columns, length):
                tone = np.array(shade(base, rng.uniform(0.65, 1.2))) + rng.normal(0, 8, 3)
                corners = (max(x, 0), y), (x + length - 4, y + course - 4)
                cv2.rectangle(texture, *corners, np.clip(tone, 0, 255).tolist(), -1)
        shape = (rows, columns)
        return toned(texture, 1 + 0.07 * noise(rng, shape, 5, 2) + 0.05 * noise(rng, shape, 120))

    return paint


def wallpaper(base: Colour, inks: Sequence[Colour], motifs: float = 45.0) -> Paint:
    """Paint leaves and dots strewn at random, `motifs` a square metre, over faint stripes."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = canvas(base, width, height)
        shape = texture.shape[:2]
        stripes = np.sin(np.arange(shape[1]) * (2 * math.pi / texels(0.16)))
        texture = toned(texture, 1 + 0.02 * stripes + 0.02 * noise(rng, shape, 3, 1))
        for _ in range(rng.poisson(motifs * width * height)):
            at = (int(rng.integers(shape[1])), int(rng.integers(shape[0])))
            ink, angle = inks[rng.integers(len(inks))], rng.uniform(0, 360)
            size = int(rng.integers(4, 13))
            for leaf in range(int(rng.integers(1, 5))):
                turn = angle + 55 * leaf
                tip = np.array(at) + size * np.array(
                    [math.cos(turn / 57.3), math.sin(turn / 57.3)]
                )
                axes = (size, max(size // 3, 1))
                cv2.ellipse(
                    texture, tip.astype(int).tolist(), axes, turn, 0, 360, ink, -1, cv2.LINE_AA
                )
        return texture

    return paint


def fabric(base: Colour, stripe: Colour | None = None) -> Paint:
    """Paint woven cloth, with stripes of uneven width where a second colour is given."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = canvas(base, width, height)
        shape = texture.shape[:2]
        x = 0
        while stripe is not None and x < shape[1]:
            thick = int(rng.integers(3, 16))
            texture[:, x : x + thick] = stripe
            x += thick + int(rng.integers(8, 40))
        weave = 0.06 * noise(rng, shape, (2, 5), 1) + 0.06 * noise(rng, shape, (5, 2), 1)
        return toned(texture, 1 + weave + 0.025 * noise(rng, shape, 80, 2))

    return paint


def tiles(base: Colour, side: float = 0.2) -> Paint:
    """Paint glazed square tiles, a few of them patterned."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = canvas(shade(base, 0.6), width, height)
        rows, columns = texture.shape[:2]
        step = texels(side)
        for y in range(0, rows, step):
            for x in range(0, columns, step):
                tone = shade(base, rng.uniform(0.88, 1.08))
                end = (x + step - 3, y + step - 3)
                cv2.rectangle(texture, (x, y), end, tone, -1)
                if rng.random() < 0.25:
                    ink = colour(rng, (0.4, 0.8), (0.3, 0.8))
                    middle = (x + step // 2, y + step // 2)
                    points = cv2.ellipse2Poly(middle, (step // 3, step // 3), 0, 0, 360, 90)
                    cv2.fillPoly(texture, [points], ink, cv2.LINE_AA)
                    cv2.circle(texture, middle, step // 8, tone, -1, cv2.LINE_AA)
        return toned(texture, 1 + 0.03 * noise(rng, (rows, columns), 20))

    return paint


def planks(base: Colour, board: float = 0.14) -> Paint:
    """Paint a floor of boards, each with its own tone, length and piece of grain."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = canvas(base, width, height)
        rows, columns = texture.shape[:2]
        tone = np.ones((rows, columns), dtype=np.float32)
        grain = 0.09 * noise(rng, (rows, columns), (140, 5), 3)
        deep = texels(board)
        for y in range(0, rows, deep):
            x = -int(rng.integers(300))
            while x < columns:
                end = x + int(rng.integers(160, 360))
                tone[y : y + deep, max(x, 0) : end] = rng.normal(1, 0.09)
                tone[y : y + deep, max(end - 2, 0) : end] = 0.45
                x = end
            tone[y : y + 1] *= 0.5
        return toned(texture, tone * (1 + grain + 0.04 * noise(rng, (rows, columns), 300)))

    return paint
