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

"""What hangs on walls: posters in several styles, and whiteboards."""

from __future__ import annotations

import math

import cv2
import numpy as np
from posenet_ros.simulation.mipmaps import Texture
from posenet_ros.simulation.textures import canvas, Colour, colour, noise, shade, toned

# Posters are finer than walls: they are what an eye, and SIFT, goes to.
DENSITY = 320

# fmt: off
WORDS = (
    'NORTH', 'HARBOUR', 'OPEN', 'AIR', 'LIGHT', 'FIELD', 'MODERN', 'STUDIO', 'GALLERY', 'AUTUMN',
    'FESTIVAL', 'RIVER', 'STATION', 'GARDEN', 'NIGHT', 'SOUND', 'ORBIT', 'VALLEY', 'MARKET',
    'CINEMA', 'TRAVEL', 'COFFEE', 'ROBOT', 'ISLAND', 'THEATRE', 'MUSEUM',
)
# fmt: on


def write(
    texture: Texture, text: str, left: float, top: float, size: float, ink: Colour, bold: int = 1
) -> None:
    """Write a line of text, `size` texels high, with its upper left corner at (left, top)."""
    font, scale = cv2.FONT_HERSHEY_DUPLEX, size / 22
    at = (int(left), int(top + size))
    cv2.putText(texture, text, at, font, scale, ink, bold, cv2.LINE_AA)


def paragraph(
    rng: np.random.Generator,
    texture: Texture,
    area: tuple[int, int, int, int],
    ink: Colour,
    line: int = 9,
) -> None:
    """Fill an area (left, top, right, bottom) in texels with lines like those of small print."""
    left, top, right, bottom = area
    for y in range(top, bottom - line // 2, line):
        x, end = left, right - int(rng.integers(0, max((right - left) // 3, 1)))
        while x < end:
            length = int(rng.integers(4, 26))
            cv2.rectangle(texture, (x, y), (min(x + length, end), y + line // 3), ink, -1)
            x += length + 5


def abstract(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint overlapping circles, polygons and bars."""
    texture = canvas(colour(rng, (0.05, 0.5), (0.6, 1.0)), width, height, DENSITY)
    rows, columns = texture.shape[:2]
    for _ in range(int(rng.integers(12, 26))):
        ink = colour(rng, (0.4, 1.0), (0.15, 1.0))
        at = rng.uniform((0, 0), (columns, rows)).astype(int)
        size = int(min(rows, columns) * rng.uniform(0.05, 0.28))
        kind = rng.integers(3)
        if kind == 0:
            line = -1 if rng.random() < 0.6 else int(rng.integers(3, 12))
            cv2.circle(texture, at.tolist(), size, ink, line, cv2.LINE_AA)
        elif kind == 1:
            angles = np.sort(rng.uniform(0, 2 * math.pi, int(rng.integers(3, 7))))
            points = at + size * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            cv2.fillPoly(texture, [points.astype(np.int32)], ink, cv2.LINE_AA)
        else:
            end = (at + rng.normal(0, size, 2)).astype(int)
            cv2.line(
                texture, at.tolist(), end.tolist(), ink, int(rng.integers(3, 16)), cv2.LINE_AA
            )
    return texture


def landscape(
    rng: np.random.Generator, width: float, height: float, *, natural: bool = False
) -> Texture:
    """Paint ranges of hills under a sky, with a sun, in any colours or in nature's own."""
    texture = canvas((0, 0, 0), width, height, DENSITY)
    rows, columns = texture.shape[:2]
    high, low = colour(rng, (0.3, 0.7), (0.5, 0.9)), colour(rng, (0.2, 0.6), (0.8, 1.0))
    ground = colour(rng, (0.3, 0.8), (0.5, 0.8))
    if natural:
        high, low = (96, 152, 214), (214, 228, 238)
        ground = shade((98, 128, 74), rng.uniform(0.8, 1.25))
    fade = np.linspace(0, 1, rows)[:, None, None]
    texture[:] = ((1 - fade) * np.array(high) + fade * np.array(low)).astype(np.uint8)
    sun = (int(columns * rng.uniform(0.2, 0.8)), int(rows * rng.uniform(0.15, 0.4)))
    cv2.circle(
        texture, sun, int(columns * rng.uniform(0.05, 0.12)), (255, 240, 200), -1, cv2.LINE_AA
    )
    levels = np.linspace(0.35, 0.95, int(rng.integers(4, 8)))
    for index, level in enumerate(levels):
        ridge = rows * (level + 0.06 * noise(rng, (1, columns), columns / 3, 6)[0])
        below = np.arange(rows)[:, None] > ridge
        texture[below] = shade(ground, 1.15 - 0.8 * index / len(levels))
    return toned(texture, 1 + 0.04 * noise(rng, (rows, columns), 4, 1))


def announcement(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint a printed bill: a few large words, a shape, small print."""
    paper = colour(rng, (0.0, 0.7), (0.75, 1.0))
    texture = canvas(paper, width, height, DENSITY)
    rows, columns = texture.shape[:2]
    ink = shade(colour(rng, (0.3, 0.9), (0.2, 0.7)), 0.8)
    top = rows * 0.05
    for word in rng.choice(WORDS, int(rng.integers(2, 4)), replace=False):
        size = min(columns * 0.9 / (0.92 * len(word)), rows * 0.14)
        write(texture, str(word), columns * 0.05, top, size, ink, max(int(size / 14), 1))
        top += size * 1.5
    accent = colour(rng, (0.6, 1.0), (0.5, 1.0))
    middle = (int(columns * rng.uniform(0.3, 0.7)), int((top + 0.8 * rows) / 2))
    radius = max(int((0.8 * rows - top) / 2.4), 6)
    cv2.circle(texture, middle, radius, accent, -1, cv2.LINE_AA)
    for ring in range(1, int(rng.integers(2, 6))):
        offset = (middle[0] + int(rng.integers(-9, 10)), middle[1])
        cv2.circle(texture, offset, radius * ring // 6, ink, 3, cv2.LINE_AA)
    area = (int(columns * 0.06), int(rows * 0.82), int(columns * 0.94), int(rows * 0.97))
    paragraph(rng, texture, area, ink)
    return texture


def street_map(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint a town plan: blocks, parks, a river, streets."""
    texture = canvas((238, 234, 222), width, height, DENSITY)
    rows, columns = texture.shape[:2]
    for _ in range(int(160 * width * height)):
        at = rng.uniform((0, 0), (columns, rows)).astype(int)
        end = at + rng.integers(8, 34, 2)
        tones = [(214, 206, 190), (196, 214, 180), (226, 200, 180), (205, 205, 214)]
        cv2.rectangle(texture, at.tolist(), end.tolist(), tones[rng.integers(4)], -1)
    for thick, ink, count in (
        (26, (150, 190, 220), 1),
        (7, (250, 210, 120), 4),
        (4, (255, 255, 255), 12),
    ):
        for _ in range(count):
            across = rng.random() < 0.5
            side = np.linspace(0, columns if across else rows, 7)
            other = rng.uniform(0, rows if across else columns)
            bend = other + rng.normal(0, 14, 7).cumsum()
            points = np.stack([side, bend] if across else [bend, side], axis=1).astype(np.int32)
            cv2.polylines(texture, [points], False, ink, thick, cv2.LINE_AA)
    for _ in range(10):
        at = rng.uniform((0, 0), (columns * 0.8, rows))
        write(texture, str(rng.choice(WORDS)).title(), *at, 11, (60, 60, 70))
    return texture


def collage(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint photographs pinned to a cork board."""
    texture = canvas((176, 132, 88), width, height, DENSITY)
    shape = texture.shape[:2]
    texture = toned(texture, 1 + 0.12 * noise(rng, shape, 5, 2))
    for _ in range(int(26 * width * height)):
        w, h = rng.uniform(0.1, 0.24, 2)
        photo = landscape(rng, w, h) if rng.random() < 0.4 else abstract(rng, w, h)
        cv2.rectangle(photo, (0, 0), (photo.shape[1] - 1, photo.shape[0] - 1), (245, 245, 240), 5)
        top = int(rng.integers(0, max(shape[0] - photo.shape[0], 1)))
        left = int(rng.integers(0, max(shape[1] - photo.shape[1], 1)))
        spot = texture[top : top + photo.shape[0], left : left + photo.shape[1]]
        spot[:] = photo[: spot.shape[0], : spot.shape[1]]
        pin = (left + photo.shape[1] // 2, top + 7)
        cv2.circle(texture, pin, 5, colour(rng, (0.8, 1), (0.6, 1)), -1, cv2.LINE_AA)
    return texture


def whiteboard(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint a white board with handwriting, boxes and curves."""
    texture = canvas((240, 243, 244), width, height, DENSITY)
    rows, columns = texture.shape[:2]
    texture = toned(texture, 1 + 0.015 * noise(rng, (rows, columns), 120))
    inks = [(30, 40, 120), (170, 30, 30), (20, 110, 60), (30, 30, 35)]
    for _ in range(int(14 * width * height)):
        ink, at = inks[rng.integers(4)], rng.uniform((0, 0), (columns * 0.8, rows * 0.85))
        kind = rng.integers(3)
        if kind == 0:
            steps = np.stack([np.linspace(0, 150, 40), rng.normal(0, 7, 40)], axis=1)
            cv2.polylines(texture, [(at + steps).astype(np.int32)], False, ink, 2, cv2.LINE_AA)
        elif kind == 1:
            end = at + rng.uniform(30, 120, 2)
            cv2.rectangle(texture, at.astype(int).tolist(), end.astype(int).tolist(), ink, 2)
        else:
            text = f'{rng.choice(WORDS).lower()} = {rng.integers(100)}'
            write(texture, text, *at, int(rng.integers(14, 26)), ink)
    cv2.rectangle(texture, (0, 0), (columns - 1, rows - 1), (150, 152, 156), 10)
    return texture


def poster(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint one of the styles, chosen at random, in a frame."""
    styles = (abstract, landscape, announcement, street_map, collage)
    texture = styles[rng.integers(len(styles))](rng, width, height)
    frame = shade(colour(rng, (0.0, 0.5), (0.1, 0.9)), 1.0)
    corner = (texture.shape[1] - 1, texture.shape[0] - 1)
    cv2.rectangle(texture, (0, 0), corner, frame, int(rng.integers(8, 18)))
    return texture
