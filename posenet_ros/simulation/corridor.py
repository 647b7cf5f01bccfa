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

"""A corridor that runs in a ring: furnished sides, a white one, and two doors that are twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from posenet_ros.simulation import textures
from posenet_ros.simulation.arrangement import Furnished, hang_door, hang_pictures, line_up, Place
from posenet_ros.simulation.furniture import (
    bookshelf,
    cabinet,
    cartons,
    locker_row,
    PieceMaker,
    refrigerator,
    timber,
)
from posenet_ros.simulation.lighting import lit
from posenet_ros.simulation.ring import (
    ACROSS_M,
    block,
    ceiling_lamp,
    Finish,
    HEIGHT_M,
    LENGTH_M,
    Side,
    sides,
    Span,
    WIDTH_M,
    Zone,
)
from posenet_ros.simulation.room import wall_paints
from posenet_ros.simulation.textures import plain, plaster, shade, tint
from posenet_ros.simulation.twins import bay, opposite, opposite_boxes, opposite_lamps, REACH_M
from posenet_ros.simulation.world import Lane, rounded_lane, World

LANE_HALF_WIDTH_M = 0.7
CORNER_RADIUS_M = 0.85
# Nothing deeper than this leaves a robot room on either side of the lane's middle.
SHALLOW: tuple[PieceMaker, ...] = (bookshelf, cabinet, locker_row, refrigerator, cartons)
GAP_M = (0.5, 1.6)
LAMPS_APART_M = 2.55
# The twins' stretch lies at the same place of the first side and of the third.
INNER_END_M = LENGTH_M - ACROSS_M
BAY: Span = (INNER_END_M - 2 * REACH_M, INNER_END_M)
# Unevenness of white paint as a share of its brightness: less than the noise of an image.
FAINT = 0.003


def make_corridor(seed: int) -> World:
    """
    Return the corridor of this seed, lit, with a lane around the block in its middle.

    Around it come a furnished stretch, the first twin door, the white side, another furnished
    stretch, the second twin and a furnished side. The same seed gives the same corridor.
    """
    rng = np.random.default_rng(seed)
    first, second, third, last = sides()
    twin = bay(rng, Zone(first, BAY, BAY, BAY))
    done = white_side(rng, first, second, third)
    around, before, after = (ACROSS_M, WIDTH_M - ACROSS_M), (0.0, BAY[0]), (ACROSS_M, BAY[0])
    finishes = furnished_finishes(rng)
    makers = [SHALLOW[index] for index in rng.permutation(len(SHALLOW))]
    for zone, finish in zip(
        (
            Zone(first, before, after, before),
            Zone(third, after, after, after),
            Zone(last, (0.0, WIDTH_M), around, (0.0, around[1])),
        ),
        finishes,
    ):
        furnish(rng, zone, finish, makers, done)
    # The corner behind the second twin continues the last side.
    corner: Span = (INNER_END_M, LENGTH_M)
    done.quads += Zone(third, corner).shell(rng, finishes[2])
    hang_pictures(rng, third.outer(corner), HEIGHT_M, done, [])
    for box in done.boxes:
        done.quads += box.quads(rng)
    boxes = [*done.boxes, *twin.boxes, *opposite_boxes(twin.boxes), block()]
    lamps = [*done.lamps, *twin.lamps, *opposite_lamps(twin.lamps)]
    quads = lit(twin.quads + done.quads, lamps, boxes)
    # Lit once and copied, so that no shadow tells the twins apart.
    quads += tuple(opposite(quads[: len(twin.quads)]))
    lane = ring_lane()
    if rng.random() < 0.5:
        # The other way round, from the same place.
        lane = replace(lane, middle=np.roll(lane.middle[::-1], 1, axis=0))
    door = sum(BAY) / 2
    places = {
        'twin door A': (door, 0.0),
        'white side': (INNER_END_M, WIDTH_M / 2),
        'twin door B': (round(LENGTH_M - door, 3), WIDTH_M),
    }
    return World((LENGTH_M, WIDTH_M, HEIGHT_M), quads, tuple(boxes), lane, places)


def white_side(rng: np.random.Generator, before: Side, side: Side, after: Side) -> Furnished:
    """Paint a side and both its corners white, under one long strip of light."""
    done = Furnished([], [], [])
    white, grey = plain((236, 236, 234), FAINT), plain((198, 199, 200), FAINT)
    finish = Finish(white, white, grey, white)
    whole = (0.0, side.length)
    for zone in (
        Zone(before, (INNER_END_M, before.length)),
        Zone(side, whole, (ACROSS_M, side.length - ACROSS_M), whole),
        Zone(after, (0.0, ACROSS_M)),
    ):
        done.quads += zone.shell(rng, finish)
    middle, length = side.length / 2, side.length - ACROSS_M
    done.quads.append(ceiling_lamp(side, middle, length, 0.14)[1])
    places = _spread(length, middle)
    done.lamps += [ceiling_lamp(side, at, length / len(places), 0.14)[0] for at in places]
    return done


def furnished_finishes(rng: np.random.Generator) -> tuple[Finish, Finish, Finish]:
    """Draw finishes of three stretches, no two alike."""
    paints = wall_paints(rng) + wall_paints(rng)
    floors = (
        textures.planks(timber(rng)),
        textures.fabric(tint(rng, 0.2)),
        plaster(shade(tint(rng, 0.3), 0.8), 60.0),
    )
    ceiling = plaster((236, 234, 228), 4.0)
    first, second, third = (
        Finish(paints[index], paints[index + 4], floor, ceiling)
        for index, floor in enumerate(floors)
    )
    return first, second, third


def furnish(
    rng: np.random.Generator,
    zone: Zone,
    finish: Finish,
    makers: list[PieceMaker],
    done: Furnished,
) -> None:
    """Paint a zone; line its outer wall with furniture, put a door opposite, hang pictures."""
    done.quads += zone.shell(rng, finish)
    outer, inner = zone.side.outer(zone.outer), zone.side.inner(zone.inner or zone.outer)
    taken: list[Place] = []
    line_up(rng, outer, 0.75, 0.75, makers, done, taken, gap=GAP_M)
    hang_pictures(rng, outer, HEIGHT_M, done, taken)
    taken = []
    hang_door(rng, inner, rng.uniform(1.0, inner.length - 2.5), done, taken)
    hang_pictures(rng, inner, HEIGHT_M, done, taken)
    start, end = zone.floor or zone.outer
    for along in _spread(end - start, (start + end) / 2):
        lamp, panel = ceiling_lamp(zone.side, along)
        done.lamps.append(lamp)
        done.quads.append(panel)


def _spread(length: float, middle: float) -> Sequence[float]:
    """Return places at even distances, the outer ones half of that from the ends."""
    count = round(length / LAMPS_APART_M)
    return (middle + ((np.arange(count) + 0.5) / count - 0.5) * length).tolist()


def ring_lane() -> Lane:
    """Return the lane around the block, beginning in the middle of the last side."""
    lane = rounded_lane(
        LENGTH_M,
        WIDTH_M,
        inset=ACROSS_M / 2,
        radius=CORNER_RADIUS_M,
        half_width=LANE_HALF_WIDTH_M,
    )
    # Its corners come in the order of the sides, the one that the last side begins at second.
    half = len(lane.middle) // 2
    start = np.array([[ACROSS_M / 2, WIDTH_M / 2]])
    return replace(lane, middle=np.vstack([start, lane.middle[half:], lane.middle[:half]]))
