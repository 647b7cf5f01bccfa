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
One room painted with the textures of another, so that it looks like a foreign part of its house.

Nothing moves: each surface is given a texture that something of its kind and of about its size
has in the other room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from posenet_ros.simulation.surfaces import Box, Quad
from scipy.optimize import linear_sum_assignment

Thing = TypeVar('Thing')

# More than any difference in size: kinds only mix where the other room has none of one.
OTHER_KIND = 100.0
# Of a texture that is too large a part is lost; one that is too small gets coarser texels.
TOO_SMALL = 2.0


@dataclass(frozen=True, eq=False)
class Surfaces:
    """
    All that is to be seen in a room before it is lit, by kind.

    `shell` is the four walls in turn, floor and ceiling; `hung` what is on the walls, `panels`
    what shows the lamps, `faces` those of each of the `boxes`, in the order of `Box.quads`.
    """

    shell: Sequence[Quad]
    hung: Sequence[Quad]
    panels: Sequence[Quad]
    rugs: Sequence[Quad]
    boxes: Sequence[Box]
    faces: Sequence[Sequence[Quad]]

    @property
    def quads(self) -> list[Quad]:
        """Every surface."""
        faces = [face for each in self.faces for face in each]
        return [*self.shell, *self.hung, *self.panels, *self.rugs, *faces]


def repainted(room: Surfaces, other: Surfaces) -> Surfaces:
    """
    Return a room with the textures of another one of the same length, width and height.

    Pictures, rugs and boxes are matched one to one as far as the other room has them; a box takes
    all its faces from one box.
    """
    return replace(
        room,
        shell=[wearing(*pair) for pair in zip(room.shell, _rearranged(other.shell))],
        hung=_dressed(room.hung, other.hung),
        rugs=_dressed(room.rugs, other.rugs),
        faces=[
            _face_by_face(room.faces[index], other.faces[chosen])
            for index, chosen in enumerate(_matches(room.boxes, other.boxes, _box_cost))
        ],
    )


def wearing(quad: Quad, other: Quad) -> Quad:
    """
    Return a quad with the middle of another's texture, as much as covers it.

    Texels keep their size; where the texture is too small they are enlarged, both ways alike.
    """
    mine, theirs = _size(quad), _size(other)
    share = mine * min(1.0, *(theirs / mine)) / theirs
    full = np.array(other.texture.shape[1::-1])
    columns, rows = np.clip(np.rint(share * full).astype(int), 1, full)
    left, top = (full - (columns, rows)) // 2
    return replace(quad, texture=other.texture[top : top + rows, left : left + columns])


def _rearranged(shell: Sequence[Quad]) -> list[Quad]:
    """
    Return a shell's surfaces in an order that is no turn of it.

    Two walls change places, so that none of the corners is that of the other room. The boards
    of the floor begin half way across, so that they meet no wall where they did.
    """
    first, second, third, fourth, *level = shell
    moved = [
        replace(quad, texture=np.roll(quad.texture, len(quad.texture) // 2, axis=0))
        for quad in level
    ]
    return [third, second, first, fourth, *moved]


def _face_by_face(faces: Sequence[Quad], others: Sequence[Quad]) -> list[Quad]:
    """Dress the faces of a box; one that stood on the floor has its last, the top, below too."""
    last = len(others) - 1
    return [wearing(face, others[min(index, last)]) for index, face in enumerate(faces)]


def _dressed(quads: Sequence[Quad], others: Sequence[Quad]) -> list[Quad]:
    chosen = _matches(quads, others, _quad_cost)
    return [wearing(quad, others[index]) for quad, index in zip(quads, chosen)]


def _matches(
    mine: Sequence[Thing], theirs: Sequence[Thing], cost: Callable[[Thing, Thing], float]
) -> list[int]:
    """
    Return for each of mine which of theirs it is given.

    Each of theirs that fits is given away once before any is given again.
    """
    costs = np.array([[cost(one, other) for other in theirs] for one in mine])
    chosen = np.full(len(mine), -1)
    while (bare := np.flatnonzero(chosen < 0)).size:
        rows, given = linear_sum_assignment(costs[bare])
        fits = costs[bare][rows, given] < OTHER_KIND
        # Those left when nothing is of their kind take what there is.
        taken = fits if fits.any() else np.ones_like(fits)
        chosen[bare[rows[taken]]] = given[taken]
    return chosen.tolist()


def _quad_cost(mine: Quad, theirs: Quad) -> float:
    return OTHER_KIND * (mine.luminous != theirs.luminous) + _misfit(_size(mine), _size(theirs))


def _box_cost(mine: Box, theirs: Box) -> float:
    kinds = [(box.front is None, box.back is None, box.top is None) for box in (mine, theirs)]
    other = sum(one != another for one, another in zip(*kinds))
    return OTHER_KIND * other + _misfit(np.array(mine.size), np.array(theirs.size))


def _misfit(mine: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    ratios = np.log(mine / theirs)
    return float(np.where(ratios > 0, TOO_SMALL * ratios, -ratios).sum())


def _size(quad: Quad) -> NDArray[np.float64]:
    """Return width and height (2,) in metres."""
    return np.linalg.norm([quad.edge_u, quad.edge_v], axis=1)
