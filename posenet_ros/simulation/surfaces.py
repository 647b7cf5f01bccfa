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

"""The shapes of a simulated world: textured rectangles, and boxes made of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from posenet_ros.simulation.mipmaps import Mipmaps, Texture
from posenet_ros.simulation.textures import Paint

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Quad:
    """
    A rectangle in the map frame, seen from one side, with a texture.

    `corner` is the top left one as the viewer sees it, `edge_u` runs from there to the right
    and `edge_v` down, both in metres. `texture` is RGB uint8 (rows, columns, 3); a `luminous`
    surface keeps it as it is when the world is lit.
    """

    corner: NDArray[np.float64]
    edge_u: NDArray[np.float64]
    edge_v: NDArray[np.float64]
    texture: Texture
    luminous: bool = False

    @property
    def normal(self) -> NDArray[np.float64]:
        """The unit vector that points to the side it is seen from."""
        normal = np.cross(self.edge_v, self.edge_u)
        return normal / np.linalg.norm(normal)

    @cached_property
    def mipmaps(self) -> Mipmaps:
        """The texture in all its sizes, made when they are first asked for."""
        return Mipmaps(self.texture)


def facing(
    centre: ArrayLike,
    normal: ArrayLike,
    width: float,
    height: float,
    texture: Texture,
    *,
    right: ArrayLike | None = None,
    luminous: bool = False,
) -> Quad:
    """
    Return the rectangle around `centre` (3,) that looks along `normal`.

    `right` is the direction of the texture's rows; without it they are level and the texture
    stands upright, which only a normal that is not vertical determines.
    """
    normal = np.asarray(normal, dtype=np.float64)
    along = np.cross(UP, normal) if right is None else np.asarray(right, dtype=np.float64)
    along = along / np.linalg.norm(along)
    down = np.cross(along, normal)
    edge_u, edge_v = along * width, down / np.linalg.norm(down) * height
    corner = np.asarray(centre, dtype=np.float64) - edge_u / 2 - edge_v / 2
    return Quad(corner, edge_u, edge_v, texture, luminous)


@dataclass(frozen=True)
class Box:
    """
    A cuboid standing upright, turned by `yaw` about its vertical axis.

    `base` (3,) is the centre of its lower face; `size` is width, depth and height along its own
    x, y and z. Its front looks along its own +y.
    """

    size: tuple[float, float, float]
    sides: Paint
    base: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    front: Paint | None = field(default=None, kw_only=True)
    back: Paint | None = field(default=None, kw_only=True)
    top: Paint | None = field(default=None, kw_only=True)

    def placed(self, x: float, y: float, yaw: float, z: float = 0.0) -> Box:
        """Return the box turned about the origin by `yaw`, then moved."""
        cosine, sine = np.cos(yaw), np.sin(yaw)
        bx, by, bz = self.base
        moved = (x + cosine * bx - sine * by, y + sine * bx + cosine * by, z + bz)
        return replace(self, base=moved, yaw=self.yaw + yaw)

    @property
    def axes(self) -> NDArray[np.float64]:
        """Its own x, y and z directions in the map, as rows (3, 3)."""
        cosine, sine = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])

    @property
    def centre(self) -> NDArray[np.float64]:
        """Its middle in the map (3,)."""
        return np.array(self.base) + self.size[2] / 2 * UP

    def quads(self, rng: np.random.Generator) -> list[Quad]:
        """Paint its faces; the lower one is left out where the box stands on the floor."""
        width, depth, height = self.size
        x, y, z = self.axes
        front, back, top = self.front or self.sides, self.back or self.sides, self.top
        faces = [
            (y, depth, width, height, front, None),
            (-y, depth, width, height, back, None),
            (x, width, depth, height, self.sides, None),
            (-x, width, depth, height, self.sides, None),
            (z, height, width, depth, top or self.sides, x),
        ]
        if self.base[2] > 0.01:
            faces.append((-z, height, width, depth, self.sides, x))
        return [
            facing(
                self.centre + normal * across / 2,
                normal,
                u,
                v,
                material(rng, u, v),
                right=right,
            )
            for normal, across, u, v, material, right in faces
        ]
