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

"""Where things go in a room: furniture along the walls, pictures above, an island between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.simulation import fronts
from posenet_ros.simulation.furniture import (
    ALONG_WALLS,
    FREE_STANDING,
    Piece,
    PieceMaker,
    pillar,
    timber,
)
from posenet_ros.simulation.lighting import Lamp
from posenet_ros.simulation.pictures import poster, whiteboard
from posenet_ros.simulation.room import Wall
from posenet_ros.simulation.surfaces import Box, facing, Quad
from posenet_ros.simulation.textures import Paint

ISLAND_ATTEMPTS = 40
DAYLIGHT = (0.92, 0.97, 1.08)


@dataclass(frozen=True)
class Place:
    """A rectangle on a wall that something takes: left, right, bottom, top in metres."""

    left: float
    right: float
    bottom: float
    top: float

    def meets(self, other: Place, gap: float = 0.06) -> bool:
        """Tell whether two rectangles come nearer to each other than `gap`."""
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.bottom < other.top + gap
            and other.bottom < self.top + gap
        )


@dataclass
class Furnished:
    """What has been set up so far."""

    boxes: list[Box]
    quads: list[Quad]
    lamps: list[Lamp]


def furnish_walls(rng: np.random.Generator, walls: Sequence[Wall], height: float) -> Furnished:
    """
    Line the walls with furniture, a door and windows, and hang pictures where there is room.

    The first and every other wall is used up to its corners; the ones between leave the
    corners to them.
    """
    done = Furnished([], [], [])
    door_at, *window_at = rng.permutation(len(walls))[:3]
    makers = [ALONG_WALLS[index] for index in rng.permutation(len(ALONG_WALLS))]
    for index, wall in enumerate(walls):
        margin = 0.1 if index % 2 == 0 else 0.68
        taken = []
        start = margin
        if index == door_at:
            start = hang_door(rng, wall, margin, done, taken)
        if index in window_at:
            _hang_window(rng, wall, done, taken)
        line_up(rng, wall, start, margin, makers, done, taken)
        hang_pictures(rng, wall, height, done, taken)
    return done


def on_wall(wall: Wall, place: Place, texture: NDArray[np.uint8], luminous: bool = False) -> Quad:
    """Return a texture that covers a place on a wall."""
    middle = wall.at((place.left + place.right) / 2, 0.015, (place.bottom + place.top) / 2)
    width, height = place.right - place.left, place.top - place.bottom
    return facing(middle, [*wall.inward, 0], width, height, texture, luminous=luminous)


def hang_door(
    rng: np.random.Generator, wall: Wall, margin: float, done: Furnished, taken: list[Place]
) -> float:
    """Put a door at the left end of a wall; return where furniture may begin."""
    left = max(margin, 0.7)
    place = Place(left, left + 0.95, 0.0, 2.1)
    paint = fronts.door(timber(rng), int(rng.integers(100, 999)))
    done.quads.append(on_wall(wall, place, paint(rng, 0.95, 2.1)))
    taken.append(place)
    return place.right + 0.15


def _hang_window(
    rng: np.random.Generator, wall: Wall, done: Furnished, taken: list[Place]
) -> None:
    """Let a window in, high enough for low furniture below it, and daylight with it."""
    width, height = rng.uniform(1.3, 1.8), 1.15
    left = rng.uniform(0.35, 0.65) * wall.length - width / 2
    place = Place(left, left + width, 1.3, 1.3 + height)
    texture = fronts.window(rng, width, height)
    done.quads.append(on_wall(wall, place, texture, luminous=True))
    taken.append(place)
    u, v = np.append(wall.along, 0) * width / 2, np.array([0, 0, -height / 2])
    middle = wall.at(left + width / 2, 0.05, 1.3 + height / 2)
    done.lamps.append(Lamp(middle, u, v, rng.uniform(1.6, 2.2), DAYLIGHT))


def line_up(
    rng: np.random.Generator,
    wall: Wall,
    start: float,
    margin: float,
    makers: list[PieceMaker],
    done: Furnished,
    taken: list[Place],
    *,
    gap: tuple[float, float] = (0.05, 0.3),
) -> None:
    """
    Set furniture along a wall from `start` on, kinds taking turns between the walls.

    Between pieces is a `gap` drawn from these bounds, metres.
    """
    left, refused = start, 0
    while left < wall.length - margin - 0.5:
        makers.append(makers.pop(0))
        piece = makers[-1](rng)
        place = Place(left, left + piece.width, 0.0, piece.height)
        if place.right > wall.length - margin or any(place.meets(other) for other in taken):
            refused += 1
            if refused == len(makers):
                # Nothing fits here, below a window perhaps: move on.
                left, refused = left + 0.25, 0
            continue
        refused = 0
        middle = wall.at(left + piece.width / 2, 0.02)
        done.boxes += piece.placed(middle[0], middle[1], wall.yaw)
        taken.append(place)
        left = place.right + rng.uniform(*gap)


def hang_pictures(
    rng: np.random.Generator, wall: Wall, height: float, done: Furnished, taken: list[Place]
) -> None:
    """Hang pictures of many sizes wherever the wall is still free."""
    for attempt in range(90):
        largest = 1.0 if attempt < 30 else 0.6
        size = rng.uniform((0.3, 0.3), (largest, largest))
        left = rng.uniform(0.08, wall.length - size[0] - 0.08)
        bottom = rng.uniform(0.25, height - 0.3 - size[1])
        place = Place(left, left + size[0], bottom, bottom + size[1])
        if any(place.meets(other) for other in taken):
            continue
        paint: Paint = whiteboard if size[0] > 0.8 and rng.random() < 0.5 else poster
        done.quads.append(on_wall(wall, place, paint(rng, *size)))
        taken.append(place)


def island(
    rng: np.random.Generator, centre: NDArray[np.float64], half: NDArray[np.float64], height: float
) -> list[Box]:
    """Return pillars and free-standing furniture within `half` (2,) metres of `centre` (2,)."""
    boxes: list[Box] = []
    areas: list[_Area] = []
    makers = [FREE_STANDING[index] for index in rng.permutation(len(FREE_STANDING))[:2]]
    quarter = np.array([half[0] / 2, 0.0])
    room = half - quarter
    for side, maker in zip((-1, 1), makers):
        _stand(rng, maker(rng), centre + side * quarter, room, boxes, areas)
    for _ in range(2):
        _stand(rng, pillar(rng, height), centre, half, boxes, areas)
    return boxes


def _stand(
    rng: np.random.Generator,
    piece: Piece,
    centre: NDArray[np.float64],
    half: NDArray[np.float64],
    boxes: list[Box],
    areas: list[_Area],
) -> None:
    """Stand a piece somewhere around `centre` where it meets nothing, if that is found soon."""
    for _ in range(ISLAND_ATTEMPTS):
        # Mostly lengthwise, as the island is longer than it is wide.
        yaw = rng.choice([0, 0, 1, 2, 2, 3]) * np.pi / 2 + rng.normal(0, 0.08)
        spot = centre + rng.uniform(-half, half)
        placed = piece.placed(spot[0], spot[1], yaw)
        area = _area(placed)
        if area.within(centre - half, centre + half) and not any(map(area.meets, areas)):
            boxes += placed
            areas.append(area)
            return


@dataclass(frozen=True)
class _Area:
    """A part of the floor with sides parallel to the map's axes: two corners (2,)."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def within(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> bool:
        return bool((self.low >= low).all() and (self.high <= high).all())

    def meets(self, other: _Area) -> bool:
        return bool((self.low < other.high + 0.08).all() and (other.low < self.high + 0.08).all())


def _area(boxes: Sequence[Box]) -> _Area:
    reach = [np.abs(box.axes[:2, :2].T) @ np.array(box.size[:2]) / 2 for box in boxes]
    middles = np.array([box.base[:2] for box in boxes])
    return _Area((middles - reach).min(axis=0), (middles + reach).max(axis=0))
