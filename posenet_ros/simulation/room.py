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

"""The shell of a room: floor, ceiling, walls, beams and lamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.simulation import textures
from posenet_ros.simulation.furniture import timber
from posenet_ros.simulation.lighting import Lamp
from posenet_ros.simulation.surfaces import Box, facing, Quad
from posenet_ros.simulation.textures import canvas, Paint, shade, tint

LAMPLIGHT = (1.05, 1.0, 0.92)


@dataclass(frozen=True)
class Wall:
    """A wall from `start` over `length` metres along `along`, seen from the side of `inward`."""

    start: NDArray[np.float64]
    along: NDArray[np.float64]
    inward: NDArray[np.float64]
    length: float

    @property
    def yaw(self) -> float:
        """The turn that makes a piece of furniture stand with its back to the wall."""
        return float(np.arctan2(-self.inward[0], self.inward[1]))

    def at(self, along: float, out: float = 0.0, height: float = 0.0) -> NDArray[np.float64]:
        """Return a point (3,) so far along the wall, out from it and up."""
        spot = self.start + along * self.along + out * self.inward
        return np.array([spot[0], spot[1], height])


def walls(length: float, width: float) -> tuple[Wall, ...]:
    """Return the four walls of a room whose corner is the origin, each from its left end."""
    corners = np.array([[length, 0], [0, 0], [0, width], [length, width]], dtype=np.float64)
    sides = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0)):
        span = float(np.linalg.norm(end - start))
        along = (end - start) / span
        sides.append(Wall(start, along, np.array([along[1], -along[0]]), span))
    return tuple(sides)


def wall_paints(rng: np.random.Generator) -> list[Paint]:
    """Draw the finish of four walls, each of another kind and hue."""
    clay = shade((168, 98, 72), rng.uniform(0.85, 1.2))
    paints = [
        textures.plaster(tint(rng, 0.35)),
        textures.brick(clay),
        textures.wallpaper(tint(rng, 0.65), [tint(rng) for _ in range(4)]),
        textures.plaster(tint(rng, 0.55), 24.0),
    ]
    return [paints[index] for index in rng.permutation(4)]


def shell(rng: np.random.Generator, size: tuple[float, float, float]) -> list[Quad]:
    """Paint floor, ceiling and walls of a room of this length, width and height."""
    length, width, height = size
    quads = []
    for wall, paint in zip(walls(length, width), wall_paints(rng)):
        middle = wall.at(wall.length / 2, 0, height / 2)
        texture = paint(rng, wall.length, height)
        quads.append(facing(middle, [*wall.inward, 0], wall.length, height, texture))
    centre = np.array([length / 2, width / 2, 0.0])
    floor = textures.planks(timber(rng))(rng, length, width)
    quads.append(facing(centre, [0, 0, 1], length, width, floor, right=[1, 0, 0]))
    above = textures.plaster((236, 234, 228), 4.0)(rng, length, width)
    overhead = centre + [0, 0, height]
    quads.append(facing(overhead, [0, 0, -1], length, width, above, right=[1, 0, 0]))
    return quads


def beams(rng: np.random.Generator, size: tuple[float, float, float]) -> list[Box]:
    """Return wooden beams that carry the ceiling, at uneven distances."""
    length, width, height = size
    paint = textures.wood(timber(rng), 0.14)
    places = np.linspace(0.2, 0.8, 3) * length + rng.uniform(-0.4, 0.4, 3)
    return [Box((0.2, width, 0.22), paint, (x, width / 2, height - 0.22)) for x in places]


def ceiling_lamps(
    rng: np.random.Generator, size: tuple[float, float, float]
) -> tuple[list[Lamp], list[Quad]]:
    """Return lamps below the ceiling, and the glowing panels that show them."""
    length, width, height = size
    lamps, panels = [], []
    for x in (0.17, 0.5, 0.83):
        for y in (0.27, 0.73):
            spot = np.array([x * length, y * width, height - 0.24]) + [*rng.normal(0, 0.15, 2), 0]
            u, v = np.array([0.45, 0, 0]), np.array([0, 0.15, 0])
            power = rng.uniform(0.8, 1.15)
            lamps.append(Lamp(spot, u, v, power, LAMPLIGHT))
            glow = canvas((255, 253, 244), 0.9, 0.3, 60)
            panels.append(facing(spot, [0, 0, -1], 0.9, 0.3, glow, right=[1, 0, 0], luminous=True))
    return lamps, panels
