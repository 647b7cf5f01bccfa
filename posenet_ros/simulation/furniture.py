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
Pieces of furniture, made of boxes.

A piece stands with its back along its own x axis and reaches out to +y; it is drawn from a
random generator, so that no two are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from posenet_ros.simulation import fronts
from posenet_ros.simulation.pictures import poster, whiteboard
from posenet_ros.simulation.surfaces import Box
from posenet_ros.simulation.textures import (
    brick,
    Colour,
    fabric,
    plain,
    plaster,
    shade,
    tiles,
    tint,
    wood,
)

TIMBER: tuple[Colour, ...] = (
    (176, 128, 80),
    (206, 170, 120),
    (120, 82, 54),
    (226, 208, 178),
    (150, 110, 84),
    (92, 66, 52),
)


@dataclass(frozen=True)
class Piece:
    """Boxes around an origin at the middle of the back, and the room they take in metres."""

    boxes: tuple[Box, ...]
    width: float
    depth: float
    height: float

    def placed(self, x: float, y: float, yaw: float) -> tuple[Box, ...]:
        """Return the boxes where the piece stands in the map."""
        return tuple(box.placed(x, y, yaw) for box in self.boxes)


PieceMaker = Callable[[np.random.Generator], Piece]


def timber(rng: np.random.Generator) -> Colour:
    """Draw the colour of a wood, a little different each time."""
    return shade(TIMBER[rng.integers(len(TIMBER))], rng.uniform(0.85, 1.12))


def clutter(rng: np.random.Generator, width: float, depth: float, height: float) -> list[Box]:
    """Set things of many sizes on a surface at `height`, within width and depth, in a row."""
    boxes, x = [], -width / 2 + 0.05
    while x < width / 2 - 0.2:
        size = (
            rng.uniform(0.08, 0.3),
            min(rng.uniform(0.1, 0.25), depth),
            rng.uniform(0.08, 0.36),
        )
        # Turned by up to 0.4 rad, it reaches this far to the back and the front.
        reach = (size[1] + 0.4 * size[0]) / 2
        y = rng.uniform(reach, max(depth - reach, reach + 0.001))
        sides = (
            fronts.cardboard
            if rng.random() < 0.3
            else fabric(tint(rng), tint(rng, 0.4))
            if rng.random() < 0.5
            else tiles(tint(rng, 0.2), 0.06)
        )
        base = (x + size[0] / 2, y, height)
        boxes.append(Box(size, sides, base, rng.uniform(-0.4, 0.4)))
        x += size[0] + rng.uniform(0.03, 0.25)
    return boxes


def legs(width: float, depth: float, height: float, back: float, ink: Colour) -> list[Box]:
    """Return four legs under a top whose back edge is at y = `back`."""
    xs, ys = (-width / 2 + 0.05, width / 2 - 0.05), (back + 0.05, back + depth - 0.05)
    return [Box((0.05, 0.05, height), plain(ink), (x, y, 0.0)) for x in xs for y in ys]


def bookshelf(rng: np.random.Generator) -> Piece:
    """Make a tall shelf full of books."""
    width, depth, height = rng.uniform(0.8, 1.5), 0.34, rng.uniform(1.5, 2.2)
    board = timber(rng)
    front = fronts.books(board)
    body = Box((width, depth, height), wood(board), (0, depth / 2, 0), front=front)
    return Piece((body, *clutter(rng, width, depth, height)), width, depth, height + 0.3)


def cabinet(rng: np.random.Generator) -> Piece:
    """Make a chest of drawers with things on it."""
    width, depth, height = rng.uniform(0.8, 1.6), rng.uniform(0.4, 0.5), rng.uniform(0.7, 1.1)
    tone = timber(rng) if rng.random() < 0.6 else tint(rng, 0.2)
    front = fronts.panels(tone, rng.uniform(0.35, 0.8), rng.uniform(0.2, 0.5))
    body = Box((width, depth, height), wood(tone), (0, depth / 2, 0), front=front)
    return Piece((body, *clutter(rng, width, depth, height)), width, depth, height + 0.35)


def desk(rng: np.random.Generator) -> Piece:
    """Make a desk with a monitor and a pedestal of drawers."""
    width, depth, tone = rng.uniform(1.1, 1.6), 0.55, timber(rng)
    top = Box((width, depth, 0.04), wood(tone), (0, depth / 2, 0.72))
    side = 0.2 * width
    monitor = Box((0.55, 0.04, 0.36), plain((30, 30, 34)), (side, 0.2, 0.86), front=fronts.screen)
    foot = Box((0.18, 0.14, 0.1), plain((40, 40, 44)), (side, 0.2, 0.76))
    drawers = fronts.panels(tone, 0.5, 0.2)
    pedestal = Box((0.4, 0.5, 0.6), wood(tone), (-width / 2 + 0.25, 0.28, 0), front=drawers)
    things = [box.placed(-0.26 * width, 0, 0) for box in clutter(rng, 0.4 * width, 0.4, 0.76)]
    parts = (top, monitor, foot, pedestal, *things, *legs(width, depth, 0.72, 0, (60, 60, 66)))
    return Piece(parts, width, depth, 1.25)


def sofa(rng: np.random.Generator) -> Piece:
    """Make a sofa with cushions."""
    width, depth = rng.uniform(1.4, 2.0), 0.58
    cloth = fabric(tint(rng))
    parts = [
        Box((width, depth, 0.38), cloth, (0, depth / 2, 0)),
        Box((width, 0.18, 0.42), cloth, (0, 0.09, 0.38)),
        Box((0.16, depth, 0.2), cloth, (-width / 2 + 0.08, depth / 2, 0.38)),
        Box((0.16, depth, 0.2), cloth, (width / 2 - 0.08, depth / 2, 0.38)),
    ]
    for x in np.arange(-width / 2 + 0.4, width / 2 - 0.3, 0.45):
        pattern = fabric(tint(rng), tint(rng, 0.4))
        parts.append(Box((0.36, 0.12, 0.34), pattern, (x, 0.26, 0.38), rng.uniform(-0.3, 0.3)))
    return Piece(tuple(parts), width, depth, 0.85)


def kitchen(rng: np.random.Generator) -> Piece:
    """Make a counter, cupboards above it, and tiles between."""
    width, depth = rng.uniform(1.4, 2.0), 0.55
    tone = timber(rng) if rng.random() < 0.5 else tint(rng, 0.45)
    front = fronts.panels(tone, 0.45, rng.uniform(0.3, 0.9))
    parts = [
        Box((width, depth, 0.86), wood(tone), (0, depth / 2, 0), front=front),
        Box((width, depth + 0.03, 0.04), plain((96, 94, 92), 0.12), (0, depth / 2, 0.86)),
        Box((width, 0.02, 0.56), tiles(tint(rng, 0.6), 0.12), (0, 0.01, 0.9)),
        Box((width, 0.34, 0.62), wood(tone), (0, 0.17, 1.46), front=front),
        *clutter(rng, width, 0.35, 0.9),
    ]
    return Piece(tuple(parts), width, depth, 2.1)


def locker_row(rng: np.random.Generator) -> Piece:
    """Make a row of metal lockers."""
    width, depth, height = 0.3 * rng.integers(3, 6), 0.42, 1.75
    base = tint(rng, 0.1)
    body = Box((width, depth, height), plain(base), (0, depth / 2, 0), front=fronts.lockers(base))
    return Piece((body, *clutter(rng, width, depth, height)), width, depth, 2.1)


def refrigerator(rng: np.random.Generator) -> Piece:
    """Make a refrigerator."""
    base = tint(rng, 0.6)
    body = Box((0.62, 0.55, 1.7), plain(base, 0.02), (0, 0.275, 0), front=fronts.fridge(base))
    return Piece((body, *clutter(rng, 0.5, 0.4, 1.7)), 0.62, 0.55, 2.05)


def cartons(rng: np.random.Generator) -> Piece:
    """Make a stack of cardboard boxes."""
    parts, width, x = [], 0.0, 0.0
    for column in range(int(rng.integers(1, 3))):
        z = 0.0
        for _ in range(int(rng.integers(2, 4))):
            size = tuple(rng.uniform((0.34, 0.3, 0.24), (0.5, 0.42, 0.42)))
            turn = rng.uniform(-0.2, 0.2)
            parts.append(Box(size, fronts.cardboard, (x, 0.28, z), turn))
            z += size[2]
        x += 0.58
        width = 0.58 * (column + 1)
    return Piece(tuple(box.placed(0.29 - width / 2, 0, 0) for box in parts), width, 0.55, 1.3)


def table_set(rng: np.random.Generator) -> Piece:
    """Make a table with things on it and stools around it."""
    width, depth, tone = rng.uniform(1.0, 1.5), 0.75, timber(rng)
    parts = [Box((width, depth, 0.04), wood(tone), (0, depth / 2, 0.7))]
    parts += legs(width, depth, 0.7, 0, shade(tone, 0.6))
    parts += clutter(rng, 0.8 * width, 0.6, 0.74)
    seat = fabric(tint(rng))
    for x, y in ((-0.3 * width, 0.05), (0.25 * width, depth - 0.05), (0.3 * width, 0.1)):
        parts.append(Box((0.34, 0.34, 0.45), wood(tone), (x, y, 0), rng.uniform(0, 1.5), top=seat))
    return Piece(tuple(parts), width, depth, 1.1)


def partition(rng: np.random.Generator) -> Piece:
    """Make a free-standing piece of wall with pictures on both sides."""
    width, depth, height = rng.uniform(1.3, 1.9), 0.12, rng.uniform(1.7, 2.3)
    wall = plaster(tint(rng, 0.4))
    parts = [Box((width, depth, height), wall, (0, depth / 2, 0))]
    for y in (-0.01, depth + 0.01):
        x = -width / 2 + 0.08
        while x < width / 2 - 0.4:
            w, h = rng.uniform(0.35, 0.6), rng.uniform(0.5, 0.95)
            w = min(w, width / 2 - 0.05 - x)
            image = whiteboard if rng.random() < 0.15 else poster
            base = (x + w / 2, y, height - h - rng.uniform(0.1, 0.5))
            edge = plain((60, 58, 56))
            parts.append(Box((w, 0.02, h), edge, base, front=image, back=image))
            x += w + rng.uniform(0.08, 0.3)
    return Piece(tuple(parts), width, depth, height)


def pillar(rng: np.random.Generator, height: float = 3.0) -> Piece:
    """Make a column from floor to ceiling, of brick or plaster, with a poster or two."""
    side = rng.uniform(0.32, 0.45)
    base = tint(rng, 0.3)
    skin = brick(base) if rng.random() < 0.5 else plaster(base)
    parts = [Box((side, side, height), skin, (0, side / 2, 0))]
    for turn in rng.permutation(4)[: int(rng.integers(2, 5))]:
        h = rng.uniform(0.4, 0.7)
        sheet = Box(
            (0.8 * side, 0.01, h),
            plain((230, 230, 225)),
            (0, side / 2 + 0.005, rng.uniform(0.7, 1.5)),
            front=poster,
        )
        parts.append(sheet.placed(0, 0, turn * np.pi / 2).placed(0, side / 2, 0))
    return Piece(tuple(parts), side, side, height)


def shelf_island(rng: np.random.Generator) -> Piece:
    """Make two bookshelves back to back."""
    width, depth, height = rng.uniform(1.1, 1.7), 0.6, rng.uniform(1.2, 1.9)
    board = timber(rng)
    side = fronts.books(board)
    body = Box((width, depth, height), wood(board), (0, depth / 2, 0), front=side, back=side)
    return Piece((body, *clutter(rng, width, depth, height)), width, depth, height)


ALONG_WALLS: tuple[PieceMaker, ...] = (
    bookshelf,
    cabinet,
    desk,
    sofa,
    kitchen,
    locker_row,
    refrigerator,
    cartons,
)
FREE_STANDING: tuple[PieceMaker, ...] = (table_set, partition, shelf_island)
