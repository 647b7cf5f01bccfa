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
Two halls that are the same to the texel, furniture, light and all, joined by passages that differ.

Here are the long sides of a corridor's ring. A hall reaches around both its corners to a portal,
so that what lies behind is out of sight for most of its length.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from posenet_ros.simulation.arrangement import Furnished, hang_pictures
from posenet_ros.simulation.corridor import furnish, furnished_finishes, ring_lane, SHALLOW
from posenet_ros.simulation.furniture import PieceMaker
from posenet_ros.simulation.lighting import lit
from posenet_ros.simulation.ring import (
    ACROSS_M,
    block,
    Finish,
    HEIGHT_M,
    LENGTH_M,
    Side,
    sides,
    Span,
    WIDTH_M,
    Zone,
)
from posenet_ros.simulation.surfaces import Box
from posenet_ros.simulation.textures import Paint, plaster, tint
from posenet_ros.simulation.twins import opposite, opposite_boxes, opposite_lamps
from posenet_ros.simulation.world import World

# So far from the long outer wall a hall ends: further than its corners, or a robot that comes
# along the hall would look through the portal long before it turns.
DEEP_M = 4.0
# A robot that drives aside of the lane's middle still passes.
PORTAL_WIDTH_M = 1.8
PORTAL_HEIGHT_M = 2.1
PORTAL_DEPTH_M = 0.2


def make_twins(seed: int) -> World:
    """
    Return the twin halls of this seed, lit, with a lane that leads through both.

    Half a turn about the middle of the ring takes one hall to the other. The same seed gives the
    same world.
    """
    rng = np.random.default_rng(seed)
    _, second, _, last = sides()
    finish, *others = furnished_finishes(rng)
    makers = [SHALLOW[index] for index in rng.permutation(len(SHALLOW))]
    hall = twin_hall(rng, finish, makers)
    done = Furnished([], [], [])
    between: Span = (DEEP_M, WIDTH_M - DEEP_M)
    for side, other in zip((second, last), others):
        furnish(rng, Zone(side, between, between, between), other, makers, done)
    for box in done.boxes:
        done.quads += box.quads(rng)
    boxes = [*done.boxes, *hall.boxes, *opposite_boxes(hall.boxes), block()]
    lamps = [*done.lamps, *hall.lamps, *opposite_lamps(hall.lamps)]
    # Lit once and copied. Lamps hang alike in both passages, so no copy belies the light there.
    quads = lit(hall.quads + done.quads, lamps, boxes)
    quads += tuple(opposite(quads[: len(hall.quads)]))
    lane = ring_lane()
    if rng.random() < 0.5:
        # The other way round, from the same place.
        lane = replace(lane, middle=np.roll(lane.middle[::-1], 1, axis=0))
    aside, middle = ACROSS_M / 2, (LENGTH_M / 2, WIDTH_M / 2)
    places = {
        'twin hall A': (middle[0], aside),
        'twin hall B': (middle[0], round(WIDTH_M - aside, 3)),
        'east passage': (round(LENGTH_M - aside, 3), middle[1]),
        'west passage': (aside, middle[1]),
    }
    return World((LENGTH_M, WIDTH_M, HEIGHT_M), quads, tuple(boxes), lane, places)


def twin_hall(rng: np.random.Generator, finish: Finish, makers: list[PieceMaker]) -> Furnished:
    """Furnish the hall along the first side, with its corners and portals; paint its boxes."""
    first, second, _, last = sides()
    hall = Furnished([], [], [])
    whole, inner = (0.0, LENGTH_M), (ACROSS_M, LENGTH_M - ACROSS_M)
    furnish(rng, Zone(first, whole, inner, whole), finish, makers, hall)
    skin = plaster(tint(rng, 0.4))
    # From the hall's end inwards on the one side, which begins there, and on the other.
    for side, corner, way in ((second, 0.0, 1), (last, WIDTH_M, -1)):
        edge, mouth, end = (corner + way * deep for deep in (0.0, ACROSS_M, DEEP_M))
        outer, rest = _span(edge, end), _span(mouth, end)
        hall.quads += Zone(side, outer, rest, rest).shell(rng, finish)
        free = _span(edge, end - way * PORTAL_DEPTH_M)
        hang_pictures(rng, side.outer(free), HEIGHT_M, hall, [])
        hall.boxes += portal(side, end - way * PORTAL_DEPTH_M / 2, skin)
    for box in hall.boxes:
        hall.quads += box.quads(rng)
    return hall


def portal(side: Side, along: float, skin: Paint) -> list[Box]:
    """Return what stands across a side and leaves an opening in its middle."""
    jamb = (ACROSS_M - PORTAL_WIDTH_M) / 2
    yaw = float(np.arctan2(side.left[1], side.left[0]))
    parts = (
        (jamb, jamb / 2, 0.0),
        (PORTAL_WIDTH_M, ACROSS_M / 2, PORTAL_HEIGHT_M),
        (jamb, ACROSS_M - jamb / 2, 0.0),
    )
    boxes = []
    for width, out, bottom in parts:
        spot = side.at(along, out)
        part = Box((width, PORTAL_DEPTH_M, HEIGHT_M - bottom), skin)
        boxes.append(part.placed(spot[0], spot[1], yaw, bottom))
    return boxes


def _span(one: float, other: float) -> Span:
    return (min(one, other), max(one, other))
