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

"""A furnished room, another one for every seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError
from posenet_ros.simulation.arrangement import furnish_walls, island
from posenet_ros.simulation.fronts import rug
from posenet_ros.simulation.lighting import Lamp, lit
from posenet_ros.simulation.repaint import repainted, Surfaces
from posenet_ros.simulation.room import beams, ceiling_lamps, shell, walls
from posenet_ros.simulation.surfaces import Box, facing, Quad

# Between the walls' furniture and the island runs the lane that a robot drives in.
LANE_INSET_M = 1.42
LANE_HALF_WIDTH_M = 0.8
CORNER_RADIUS_M = 1.15
# Smaller rooms have no space for the lane's corners, or for beams above tall furniture.
LEAST_SIDE_M = 5.4
LEAST_HEIGHT_M = 2.8


@dataclass(frozen=True, eq=False)
class Lane:
    """A closed way through a room: its middle (N, 2), not repeating the first point."""

    middle: NDArray[np.float64]
    half_width: float


@dataclass(frozen=True, eq=False)
class World:
    """
    What there is to see, in the map frame: x and y over the floor from a corner, z up, metres.

    `size` is length, width and height; `quads` is all that is rendered, `boxes` what stands on
    the floor and hangs above it, `lane` where a robot can drive, `places` floor points (x, y) that
    are worth a name.
    """

    size: tuple[float, float, float]
    quads: tuple[Quad, ...]
    boxes: tuple[Box, ...]
    lane: Lane
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @cached_property
    def corners(self) -> NDArray[np.float64]:
        """The quads' upper left corners (N, 3)."""
        return np.array([quad.corner for quad in self.quads]).reshape(-1, 3)

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """The quads' edges (N, 2, 3): to the right, and down."""
        edges = [(quad.edge_u, quad.edge_v) for quad in self.quads]
        return np.array(edges).reshape(-1, 2, 3)


def make_world(
    seed: int, size: tuple[float, float, float] = (8.0, 6.0, 3.0), *, textures: int | None = None
) -> World:
    """
    Return the furnished room of this seed, lit, with a lane around an island.

    Each of the four walls has its own finish and furniture; the same seed gives the same room.
    `textures` is the seed of another room whose textures it is painted with, its own unless
    given. Raises ConfigError for a room too small to drive around in.
    """
    surfaces, lamps, lane = unlit_room(seed, size)
    if textures is not None and textures != seed:
        surfaces = repainted(surfaces, unlit_room(textures, size)[0])
    quads = lit(surfaces.quads, lamps, surfaces.boxes)
    return World(size, quads, tuple(surfaces.boxes), lane)


def unlit_room(seed: int, size: tuple[float, float, float]) -> tuple[Surfaces, list[Lamp], Lane]:
    """
    Return the room of a seed before it is lit, what gives light in it, and where to drive.

    Raises ConfigError as `make_world` does.
    """
    rng = np.random.default_rng(seed)
    length, width, height = size
    if min(length, width) < LEAST_SIDE_M or height < LEAST_HEIGHT_M:
        raise ConfigError(
            f'a room needs {LEAST_SIDE_M} x {LEAST_SIDE_M} x {LEAST_HEIGHT_M} m or more, '
            f'not {length} x {width} x {height}'
        )
    bare = shell(rng, size)
    furnished = furnish_walls(rng, walls(length, width), height)
    half = np.array([length, width]) / 2 - LANE_INSET_M - LANE_HALF_WIDTH_M
    boxes = furnished.boxes + island(rng, np.array([length, width]) / 2, half, height)
    boxes += beams(rng, size)
    lamps, panels = ceiling_lamps(rng, size)
    carpets = rugs(rng, size)
    faces = [box.quads(rng) for box in boxes]
    lane = rounded_lane(length, width)
    if rng.random() < 0.5:
        lane = replace(lane, middle=lane.middle[::-1])
    surfaces = Surfaces(bare, furnished.quads, panels, carpets, boxes, faces)
    return surfaces, lamps + furnished.lamps, lane


def rounded_lane(
    length: float,
    width: float,
    *,
    inset: float = LANE_INSET_M,
    radius: float = CORNER_RADIUS_M,
    half_width: float = LANE_HALF_WIDTH_M,
) -> Lane:
    """Return the lane whose middle is `inset` from the walls, its corners rounded."""
    inset += radius
    quarter = np.linspace(0, np.pi / 2, 16)
    pieces = []
    for turn, (x, y) in enumerate(
        [
            (length - inset, width - inset),
            (inset, width - inset),
            (inset, inset),
            (length - inset, inset),
        ]
    ):
        angle = quarter + turn * np.pi / 2
        pieces.append(np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1))
    return Lane(np.concatenate(pieces), half_width)


def rugs(rng: np.random.Generator, size: tuple[float, float, float]) -> list[Quad]:
    """Return carpets that lie in the lane, no two at one spot."""
    length, width, _ = size
    spots = [(0.3, 0.22), (0.72, 0.24), (0.7, 0.78), (0.28, 0.76), (0.16, 0.5), (0.86, 0.5)]
    quads = []
    for index in rng.permutation(len(spots))[:4]:
        x, y = np.array(spots[index]) * (length, width) + rng.normal(0, 0.1, 2)
        turn = rng.normal(0, 0.15) + (np.pi / 2 if index > 3 else 0)
        w, h = rng.uniform(1.1, 1.7), rng.uniform(0.7, 1.0)
        right = [np.cos(turn), np.sin(turn), 0]
        quads.append(facing([x, y, 0.006], [0, 0, 1], w, h, rug(rng, w, h), right=right))
    return quads
