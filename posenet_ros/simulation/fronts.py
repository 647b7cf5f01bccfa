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

"""The fronts of furniture and fittings: books, drawers, doors, windows, screens, labels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from posenet_ros.simulation.mipmaps import Texture
from posenet_ros.simulation.pictures import landscape, paragraph, WORDS, write
from posenet_ros.simulation.textures import (
    canvas,
    Colour,
    colour,
    noise,
    Paint,
    plain,
    shade,
    texels,
    tint,
    toned,
    wood,
)

DENSITY = 260


def books(board: Colour) -> Paint:
    """Paint shelves of books and boxes between boards of a colour."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = canvas(shade(board, 0.3), width, height, DENSITY)
        rows, columns = texture.shape[:2]
        shelves = max(round(height / 0.33), 1)
        edge, step = texels(0.025, DENSITY), rows / shelves
        for shelf in range(shelves):
            floor = int((shelf + 1) * step) - edge
            x = edge
            while x < columns - edge:
                x = _volume(rng, texture, x, floor, step - edge, columns - edge)
            cv2.rectangle(texture, (0, floor), (columns, floor + edge), board, -1)
        cv2.rectangle(texture, (0, 0), (columns - 1, rows - 1), board, 2 * edge)
        return toned(texture, 1 + 0.05 * noise(rng, (rows, columns), (60, 6), 2))

    return paint


def _volume(
    rng: np.random.Generator, texture: Texture, x: int, floor: int, room: float, end: int
) -> int:
    """Stand one book, or leave a gap, on a shelf; return where the next one begins."""
    kind = rng.random()
    thick = int(rng.integers(5, 16)) if kind < 0.9 else int(rng.integers(18, 48))
    right = min(x + thick, end)
    if kind < 0.06:
        return right + 1
    cover = tint(rng, float(rng.choice([0.0, 0.0, 0.5])))
    top = int(floor - room * rng.uniform(0.55, 0.92))
    cv2.rectangle(texture, (x, top), (right - 1, floor), cover, -1)
    ink = shade(cover, 0.4) if sum(cover) > 380 else shade(cover, 2.5)
    for _ in range(int(rng.integers(1, 4))):
        y = int(rng.integers(top + 2, max(floor - 8, top + 3)))
        cv2.rectangle(texture, (x + 1, y), (right - 2, y + int(rng.integers(1, 9))), ink, -1)
    return right + 1


def panels(base: Colour, across: float = 0.5, down: float = 0.35) -> Paint:
    """Paint cupboard doors or drawers of about this size in metres, of one wood."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = wood(base, 0.07)(rng, width, height)
        for left, right, top, bottom in _cells(texture, width / across, height / down):
            cv2.rectangle(texture, (left, top), (right, bottom), shade(base, 0.35), 2)
            inner = ((left + 7, top + 7), (right - 7, bottom - 7))
            cv2.rectangle(texture, *inner, shade(base, 0.8), 1)
            y, x = top + max((bottom - top) // 6, 6), (left + right) // 2
            cv2.line(texture, (x - 9, y), (x + 9, y), (205, 205, 210), 3, cv2.LINE_AA)
            cv2.line(texture, (x - 9, y + 3), (x + 9, y + 3), shade(base, 0.4), 1)
        return texture

    return paint


def _cells(texture: Texture, across: float, down: float) -> Iterator[tuple[int, int, int, int]]:
    """Divide a texture into about so many columns and rows: left, right, top, bottom of each."""
    rows, columns = texture.shape[:2]
    xs = np.linspace(0, columns - 1, max(round(across), 1) + 1).astype(int)
    ys = np.linspace(0, rows - 1, max(round(down), 1) + 1).astype(int)
    for left, right in pairwise(xs):
        for top, bottom in pairwise(ys):
            yield int(left), int(right), int(top), int(bottom)


def lockers(base: Colour) -> Paint:
    """Paint numbered metal lockers with vents; some carry a sticker."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = plain(base)(rng, width, height)
        for left, right, top, bottom in _cells(texture, width / 0.3, height / 0.85):
            cv2.rectangle(texture, (left, top), (right, bottom), shade(base, 0.45), 2)
            for y in range(top + 12, top + 36, 6):
                cv2.line(texture, (left + 14, y), (right - 14, y), shade(base, 0.5), 2)
            number = str(rng.integers(100, 999))
            write(texture, number, left + 14, top + 44, 11, (250, 250, 245))
            if rng.random() < 0.5:
                x = int(rng.integers(left + 12, right - 14))
                at = (x, int(rng.integers(top + 70, bottom)))
                cv2.circle(texture, at, int(rng.integers(5, 12)), colour(rng), -1, cv2.LINE_AA)
        return texture

    return paint


def door(base: Colour, number: int) -> Paint:
    """Paint a door in its frame, with a plate that bears its number."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = wood(base, 0.06)(rng, width, height)
        rows, columns = texture.shape[:2]
        for top, bottom in ((0.08, 0.45), (0.52, 0.93)):
            for left, right in ((0.14, 0.46), (0.54, 0.86)):
                first = (int(columns * left), int(rows * top))
                last = (int(columns * right), int(rows * bottom))
                cv2.rectangle(texture, first, last, shade(base, 0.6), 3)
                cv2.rectangle(texture, first, (last[0] - 3, last[1] - 3), shade(base, 1.25), 1)
        handle = (int(columns * 0.9), int(rows * 0.5))
        cv2.circle(texture, handle, 6, (215, 205, 170), -1, cv2.LINE_AA)
        plate = (int(columns * 0.36), int(rows * 0.2))
        corner = (int(columns * 0.64), int(rows * 0.2) + 24)
        cv2.rectangle(texture, plate, corner, (235, 235, 230), -1)
        write(texture, str(number), plate[0] + 6, plate[1] + 4, 15, (30, 30, 40))
        cv2.rectangle(texture, (0, 0), (columns - 1, rows - 1), shade(base, 1.3), 12)
        return texture

    return paint


def window(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint a window in bright light with hills and houses outside."""
    texture = landscape(rng, width, height, natural=True)
    rows, columns = texture.shape[:2]
    for _ in range(int(rng.integers(3, 8))):
        left, size = int(rng.integers(columns)), rng.integers(24, 70, 2)
        top = int(rows * rng.uniform(0.45, 0.8))
        wall = tint(rng, 0.4)
        cv2.rectangle(texture, (left, top), (left + int(size[0]), rows), wall, -1)
        for y in range(top + 8, rows - 10, 18):
            for x in range(left + 6, left + int(size[0]) - 8, 14):
                cv2.rectangle(texture, (x, y), (x + 6, y + 9), shade(wall, 0.5), -1)
    # Daylight overexposes the outdoors.
    texture = cv2.addWeighted(texture, 0.6, np.full_like(texture, 255), 0.4, 0)
    frame = (232, 230, 224)
    for share in (0.0, 0.5, 1.0):
        x, y = int(share * (columns - 1)), int(share * (rows - 1))
        cv2.line(texture, (x, 0), (x, rows), frame, 16 if share != 0.5 else 11)
        cv2.line(texture, (0, y), (columns, y), frame, 16 if share != 0.5 else 7)
    return texture


def screen(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint a monitor with lines of program text and a plot."""
    texture = canvas((24, 28, 36), width, height, 400)
    rows, columns = texture.shape[:2]
    inks = [(120, 200, 140), (200, 180, 110), (130, 160, 230), (220, 120, 120)]
    for y in range(14, rows - 14, 9):
        indent = 12 + 14 * int(rng.integers(0, 4))
        paragraph(rng, texture, (indent, y, int(columns * 0.55), y + 8), inks[rng.integers(4)])
    level = rows * (0.5 + 0.15 * noise(rng, (1, columns), 40)[0])
    curve = np.stack([np.arange(columns), level], axis=1)[int(columns * 0.6) : columns - 12]
    cv2.polylines(texture, [curve.astype(np.int32)], False, (250, 190, 60), 2, cv2.LINE_AA)
    cv2.rectangle(texture, (0, 0), (columns - 1, rows - 1), (12, 12, 14), 10)
    return texture


def cardboard(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint a side of a carton: brown, taped, with a label."""
    base = shade((190, 150, 105), rng.uniform(0.8, 1.1))
    texture = canvas(base, width, height, DENSITY)
    rows, columns = texture.shape[:2]
    texture = toned(texture, 1 + 0.04 * noise(rng, (rows, columns), (3, 40), 2))
    middle = columns // 2
    texture[:, middle - 5 : middle + 5] = shade(base, 1.2)
    left, top = int(columns * rng.uniform(0.05, 0.3)), int(rows * rng.uniform(0.2, 0.5))
    right, bottom = int(left + columns * 0.5), int(top + rows * 0.4)
    cv2.rectangle(texture, (left, top), (right, bottom), (242, 242, 238), -1)
    write(texture, str(rng.choice(WORDS)), left + 4, top + 3, max(rows * 0.08, 7), (20, 20, 25))
    paragraph(rng, texture, (left + 4, (top + bottom) // 2, right - 4, bottom), (50, 50, 55))
    cv2.rectangle(texture, (0, 0), (columns - 1, rows - 1), shade(base, 0.6), 2)
    return texture


def fridge(base: Colour) -> Paint:
    """Paint a refrigerator's doors with notes and magnets on them."""

    def paint(rng: np.random.Generator, width: float, height: float) -> Texture:
        texture = plain(base, 0.02)(rng, width, height)
        rows, columns = texture.shape[:2]
        split = int(rows * 0.35)
        cv2.line(texture, (0, split), (columns, split), shade(base, 0.4), 4)
        for top, bottom in ((split - 50, split - 14), (split + 16, split + 90)):
            cv2.line(texture, (10, top), (10, bottom), shade(base, 0.6), 4)
        for _ in range(int(rng.integers(4, 9))):
            left = int(rng.integers(20, max(columns - 50, 21)))
            top = int(rng.integers(10, max(int(rows * 0.7), 11)))
            paper = colour(rng, (0.1, 0.5), (0.8, 1.0))
            cv2.rectangle(texture, (left, top), (left + 34, top + 40), paper, -1)
            paragraph(rng, texture, (left + 4, top + 12, left + 30, top + 36), (60, 60, 70), 7)
            cv2.circle(texture, (left + 17, top + 4), 4, colour(rng), -1, cv2.LINE_AA)
        return texture

    return paint


def rug(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint a carpet: borders around a field of unlike diamonds."""
    ground = tint(rng)
    texture = canvas(ground, width, height)
    rows, columns = texture.shape[:2]
    for index, inset in enumerate((0, 10, 16, 26)):
        ink = shade(tint(rng, 0.3), 1.0 - 0.1 * index)
        corners = (inset, inset), (columns - 1 - inset, rows - 1 - inset)
        cv2.rectangle(texture, *corners, ink, -1)
    for y in range(52, rows - 40, 44):
        for x in range(52, columns - 40, 44):
            size = rng.integers(6, 21, 2)
            ink = tint(rng, 0.3)
            points = np.array(
                [(x - size[0], y), (x, y - size[1]), (x + size[0], y), (x, y + size[1])]
            )
            cv2.fillPoly(texture, [points.astype(np.int32)], ink, cv2.LINE_AA)
            cv2.circle(texture, (x, y), int(size.min()) // 3, ground, -1, cv2.LINE_AA)
    return toned(texture, 1 + 0.1 * noise(rng, (rows, columns), 2.5, 1))
