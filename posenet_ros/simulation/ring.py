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

"""The shape of a corridor that runs around a block: four sides, and what covers their walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.simulation.lighting import Lamp
from posenet_ros.simulation.room import LAMPLIGHT, Wall
from posenet_ros.simulation.surfaces import Box, facing, Quad
from posenet_ros.simulation.textures import canvas, Paint, plain

LENGTH_M, WIDTH_M, HEIGHT_M = 18.0, 12.0, 2.6
# From the outer wall to the block inside.
ACROSS_M = 2.8
LAMP_POWER = 1.4

# From and to, metres along a side.
Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Side:
    """
    One side of the ring, from corner to corner of the outer wall with the block to the left.

    `origin` (2,) is the corner where it begins, `ahead` (2,) the direction, `length` that of the
    outer wall.
    """

    origin: NDArray[np.float64]
    ahead: NDArray[np.float64]
    length: float

    @property
    def left(self) -> NDArray[np.float64]:
        """The direction (2,) from the outer wall to the block."""
        return np.array([-self.ahead[1], self.ahead[0]])

    def at(self, along: float, out: float = 0.0, height: float = 0.0) -> NDArray[np.float64]:
        """Return a point (3,) so far along the side, out from the outer wall and up."""
        spot = self.origin + along * self.ahead + out * self.left
        return np.array([*spot, height])

    def outer(self, span: Span) -> Wall:
        """Return a part of the outer wall."""
        start = self.at(span[1])[:2]
        return Wall(start, -self.ahead, self.left, span[1] - span[0])

    def inner(self, span: Span) -> Wall:
        """Return a part of the wall across from it."""
        start = self.at(span[0], ACROSS_M)[:2]
        return Wall(start, self.ahead, -self.left, span[1] - span[0])


def sides() -> tuple[Side, Side, Side, Side]:
    """Return the four sides, each beginning where the one before it ends; the first along x."""
    corners = np.array([[0, 0], [LENGTH_M, 0], [LENGTH_M, WIDTH_M], [0, WIDTH_M]])
    ends = np.roll(corners, -1, axis=0)
    spans = np.linalg.norm(ends - corners, axis=1)
    first, second, third, last = (
        Side(start, (end - start) / span, float(span))
        for start, end, span in zip(corners, ends, spans)
    )
    return first, second, third, last


def block() -> Box:
    """Return the block that the corridor runs around, which nobody sees into."""
    size = (LENGTH_M - 2 * ACROSS_M, WIDTH_M - 2 * ACROSS_M, HEIGHT_M)
    return Box(size, plain((128, 128, 128)), (LENGTH_M / 2, WIDTH_M / 2, 0.0))


@dataclass(frozen=True)
class Finish:
    """What covers a zone of the corridor."""

    outer: Paint
    inner: Paint
    floor: Paint
    ceiling: Paint


@dataclass(frozen=True)
class Zone:
    """
    A part of a side with one finish.

    Its outer wall, its inner wall and its floor and ceiling may reach differently far, as at
    the corners; None leaves one to other zones.
    """

    side: Side
    outer: Span
    inner: Span | None = None
    floor: Span | None = None

    def shell(self, rng: np.random.Generator, finish: Finish) -> list[Quad]:
        """Paint its walls, floor and ceiling."""
        quads = [_covered(rng, self.side.outer(self.outer), finish.outer)]
        if self.inner is not None:
            quads.append(_covered(rng, self.side.inner(self.inner), finish.inner))
        if self.floor is not None:
            start, end = self.floor
            length = end - start
            right = [*self.side.ahead, 0]
            for height, way, paint in ((0.0, 1, finish.floor), (HEIGHT_M, -1, finish.ceiling)):
                middle = self.side.at((start + end) / 2, ACROSS_M / 2, height)
                texture = paint(rng, length, ACROSS_M)
                quads.append(facing(middle, [0, 0, way], length, ACROSS_M, texture, right=right))
        return quads


def _covered(rng: np.random.Generator, wall: Wall, paint: Paint) -> Quad:
    middle = wall.at(wall.length / 2, 0.0, HEIGHT_M / 2)
    texture = paint(rng, wall.length, HEIGHT_M)
    return facing(middle, [*wall.inward, 0], wall.length, HEIGHT_M, texture)


def ceiling_lamp(
    side: Side, along: float, length: float = 0.9, width: float = 0.3
) -> tuple[Lamp, Quad]:
    """Return a lamp below the ceiling, lengthwise, and the glowing panel that shows it."""
    spot = side.at(along, ACROSS_M / 2, HEIGHT_M - 0.02)
    u, v = np.append(side.ahead, 0.0), np.append(side.left, 0.0)
    glow = canvas((255, 253, 244), length, width, 60)
    lamp = Lamp(spot, length / 2 * u, width / 2 * v, LAMP_POWER, LAMPLIGHT)
    return lamp, facing(spot, [0, 0, -1], length, width, glow, right=u, luminous=True)
