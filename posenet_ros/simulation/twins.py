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

"""A door with all that is around it, which exists twice in a corridor, the same to the texel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
from posenet_ros.simulation import fronts, textures
from posenet_ros.simulation.arrangement import Furnished, on_wall, Place
from posenet_ros.simulation.furniture import timber
from posenet_ros.simulation.lighting import Lamp
from posenet_ros.simulation.mipmaps import Texture
from posenet_ros.simulation.pictures import announcement, collage, paragraph, street_map, write
from posenet_ros.simulation.ring import ceiling_lamp, Finish, LENGTH_M, WIDTH_M, Zone
from posenet_ros.simulation.surfaces import Box, Quad
from posenet_ros.simulation.textures import canvas, plain, shade, tint

RED = (196, 32, 28)
# Half of a door's width, and of the stretch of corridor that is the same around it.
DOOR_HALF_WIDTH_M = 0.475
REACH_M = 2.5
# Half a turn about the middle of the ring, exact to the bit.
TURN = np.array([-1.0, -1.0, 1.0])
SHIFT = np.array([LENGTH_M, WIDTH_M, 0.0])


def bay(rng: np.random.Generator, zone: Zone) -> Furnished:
    """
    Paint and fit out a zone: a door, a poster, an extinguisher; across, a notice board and a map.

    The door is in the middle of the outer wall. The boxes are painted already.
    """
    finish = Finish(
        textures.plaster(tint(rng, 0.6), 24.0),
        textures.plaster(tint(rng, 0.6), 24.0),
        textures.plaster(shade((150, 152, 148), rng.uniform(0.8, 1.1)), 60.0),
        textures.plaster((236, 234, 228), 4.0),
    )
    done = Furnished([], zone.shell(rng, finish), [])
    wall, across = zone.side.outer(zone.outer), zone.side.inner(zone.outer)
    half = wall.length / 2
    door = Place(half - DOOR_HALF_WIDTH_M, half + DOOR_HALF_WIDTH_M, 0.0, 2.1)
    sheet = Place(half - 1.6, half - 0.9, 0.95, 1.95)
    sign = Place(half + 0.86, half + 1.06, 1.35, 1.55)
    board = Place(half - 1.2, half + 0.2, 0.9, 1.9)
    plan = Place(half + 0.5, half + 1.3, 0.9, 1.9)
    painted = (
        (wall, door, fronts.door(timber(rng), int(rng.integers(100, 999)))),
        (wall, sheet, announcement),
        (wall, sign, fire_sign),
        (across, board, collage),
        (across, plan, street_map),
    )
    for where, place, paint in painted:
        size = place.right - place.left, place.top - place.bottom
        done.quads.append(on_wall(where, place, paint(rng, *size)))
    for share in (0.25, 0.75):
        lamp, panel = ceiling_lamp(zone.side, zone.outer[0] + share * wall.length)
        done.lamps.append(lamp)
        done.quads.append(panel)
    for part in extinguisher():
        spot = wall.at(half + 0.96)
        done.boxes.append(part.placed(spot[0], spot[1], wall.yaw))
    for box in done.boxes:
        done.quads += box.quads(rng)
    return done


def extinguisher() -> list[Box]:
    """Return a fire extinguisher that hangs on the wall behind it."""
    bottle = Box((0.17, 0.15, 0.46), plain(RED), (0.0, 0.1, 0.55), front=_label)
    head = Box((0.07, 0.07, 0.09), plain((40, 40, 42)), (0.0, 0.1, 1.01))
    return [bottle, head]


def fire_sign(rng: np.random.Generator, width: float, height: float) -> Texture:
    """Paint the sign that tells where an extinguisher is."""
    texture = canvas(RED, width, height, 400)
    rows, columns = texture.shape[:2]
    middle = columns // 2
    body = (middle - columns // 8, rows // 3), (middle + columns // 8, rows - rows // 8)
    cv2.rectangle(texture, *body, (248, 246, 240), -1)
    hose = [(middle, rows // 4), (columns // 4, rows // 3), (columns // 4, rows - rows // 5)]
    cv2.polylines(texture, [np.array(hose)], False, (248, 246, 240), 3, cv2.LINE_AA)
    cv2.rectangle(texture, (0, 0), (columns - 1, rows - 1), (248, 246, 240), 2)
    return texture


def _label(rng: np.random.Generator, width: float, height: float) -> Texture:
    texture = canvas(RED, width, height, 400)
    rows, columns = texture.shape[:2]
    cv2.rectangle(texture, (4, rows // 4), (columns - 5, rows - rows // 4), (240, 238, 228), -1)
    write(texture, 'FIRE', 8, rows // 4 + 4, 16, RED)
    paragraph(rng, texture, (8, rows // 2, columns - 8, rows - rows // 4 - 4), (50, 50, 60))
    return texture


def opposite(quads: Iterable[Quad]) -> list[Quad]:
    """Return copies at the other side of the ring: turned half around its middle."""
    return [
        replace(
            quad,
            corner=TURN * quad.corner + SHIFT,
            edge_u=TURN * quad.edge_u,
            edge_v=TURN * quad.edge_v,
        )
        for quad in quads
    ]


def opposite_lamps(lamps: Iterable[Lamp]) -> list[Lamp]:
    """Return such copies of lamps."""
    return [
        replace(
            lamp,
            centre=TURN * lamp.centre + SHIFT,
            half_u=TURN * lamp.half_u,
            half_v=TURN * lamp.half_v,
        )
        for lamp in lamps
    ]


def opposite_boxes(boxes: Iterable[Box]) -> list[Box]:
    """Return such copies of boxes."""
    return [box.placed(LENGTH_M, WIDTH_M, np.pi) for box in boxes]
