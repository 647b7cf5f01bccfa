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
Light for a simulated world: lamps, soft shadows and dark corners, baked into the textures.

Every surface is lit once, at points a hand's breadth apart, by rays to points on the lamps and
by rays in all directions for the light that the room throws back. Rendering then only has to
look textures up, and the light cannot change with the view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.simulation.surfaces import Box, Quad
from posenet_ros.simulation.textures import Colour

SPACING_M = 0.14
# How far a wall or box must be to leave the ambient light alone.
AMBIENT_REACH_M = 0.9
AMBIENT_DIRECTIONS = 12
# Points of a lamp that are looked at, as shares of its half edges.
LAMP_SAMPLES = ((-0.7, -0.3), (0.3, -0.7), (0.7, 0.3), (-0.3, 0.7))
AMBIENT = np.array([0.60, 0.60, 0.61], dtype=np.float32)


@dataclass(frozen=True)
class Lamp:
    """
    A rectangle that gives light: `centre`, half edges (3,) each, colour of its light.

    `power` is the brightness it gives a surface that faces it at one metre.
    """

    centre: NDArray[np.float64]
    half_u: NDArray[np.float64]
    half_v: NDArray[np.float64]
    power: float
    colour: Colour = (1.0, 1.0, 1.0)

    @property
    def normal(self) -> NDArray[np.float64]:
        """The direction it shines in: half_v x half_u, as for a quad."""
        normal = np.cross(self.half_v, self.half_u)
        return normal / np.linalg.norm(normal)


def lit(
    quads: Sequence[Quad],
    lamps: Sequence[Lamp],
    boxes: Sequence[Box],
) -> tuple[Quad, ...]:
    """
    Return the quads with light and shadow painted into their textures.

    `boxes` throw shadows; the room's walls need not, as no lamp is behind them.
    """
    grids = [_grid(quad) for quad in quads]
    points = np.concatenate([grid.reshape(-1, 3) for grid in grids]).astype(np.float32)
    counts = [grid.shape[0] * grid.shape[1] for grid in grids]
    normals = np.repeat([quad.normal for quad in quads], counts, axis=0).astype(np.float32)
    # Off the surface a little, or every box would shade itself.
    points = points + 4e-3 * normals
    occluders = [_Occluder.of(box) for box in boxes if min(box.size[:2]) > 0.06]
    light = AMBIENT * _openness(points, normals, occluders)[:, None]
    for lamp in lamps:
        for across, along in LAMP_SAMPLES:
            light += _direct(points, normals, lamp, across, along, occluders) / len(LAMP_SAMPLES)
    shares = np.split(light, np.cumsum(counts)[:-1])
    return tuple(
        quad if quad.luminous else _painted(quad, share.reshape(*grid.shape))
        for quad, grid, share in zip(quads, grids, shares)
    )


def _grid(quad: Quad) -> NDArray[np.float64]:
    """Return points (rows, columns, 3) spread over a quad, at the centres of equal parts."""
    columns, rows = (
        max(math.ceil(float(np.linalg.norm(edge)) / SPACING_M), 2)
        for edge in (quad.edge_u, quad.edge_v)
    )
    u = (np.arange(columns) + 0.5) / columns
    v = (np.arange(rows) + 0.5) / rows
    return quad.corner + u[None, :, None] * quad.edge_u + v[:, None, None] * quad.edge_v


def _painted(quad: Quad, light: NDArray[np.float32]) -> Quad:
    rows, columns = quad.texture.shape[:2]
    smooth = cv2.resize(light.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    # A soft shoulder keeps what stands right under a lamp from burning out.
    smooth = np.where(smooth > 0.8, 0.8 + np.tanh((smooth - 0.8) / 0.5) * 0.4, smooth)
    return replace(quad, texture=np.clip(quad.texture * smooth, 0, 255).astype(np.uint8))


@dataclass(frozen=True)
class _Occluder:
    centre: NDArray[np.float32]
    axes: NDArray[np.float32]
    half: NDArray[np.float32]

    @classmethod
    def of(cls, box: Box) -> _Occluder:
        half = np.array(box.size) / 2
        return cls(
            box.centre.astype(np.float32), box.axes.astype(np.float32), half.astype(np.float32)
        )

    def blocks(self, origins: NDArray[np.float32], ways: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which segments from origins (N, 3) to origins + ways (N, 3) pass through."""
        start = (origins - self.centre) @ self.axes.T
        way = ways @ self.axes.T
        way = np.where(np.abs(way) < 1e-6, np.float32(1e-6), way)
        first = (-self.half - start) / way
        last = (self.half - start) / way
        enter = np.minimum(first, last).max(axis=1)
        leave = np.maximum(first, last).min(axis=1)
        return (enter < leave) & (leave > 0) & (enter < 1)


def _blocked(
    origins: NDArray[np.float32], ways: NDArray[np.float32], occluders: Sequence[_Occluder]
) -> NDArray[np.bool_]:
    blocked = np.zeros(len(origins), dtype=bool)
    ends = origins + ways
    # By coordinate, each in one piece of memory: this is where the time goes.
    low = np.ascontiguousarray(np.minimum(origins, ends).T)
    high = np.ascontiguousarray(np.maximum(origins, ends).T)
    for occluder in occluders:
        reach = np.abs(occluder.axes.T) @ occluder.half
        near = ~blocked
        for axis in range(3):
            near &= low[axis] < occluder.centre[axis] + reach[axis]
            near &= high[axis] > occluder.centre[axis] - reach[axis]
        index = np.flatnonzero(near)
        blocked[index] = occluder.blocks(origins[index], ways[index])
    return blocked


def _direct(
    points: NDArray[np.float32],
    normals: NDArray[np.float32],
    lamp: Lamp,
    across: float,
    along: float,
    occluders: Sequence[_Occluder],
) -> NDArray[np.float32]:
    """Return the light (N, 3) from one point of a lamp, in [-1, 1] of its half edges."""
    spot = lamp.centre + across * lamp.half_u + along * lamp.half_v
    ways = spot.astype(np.float32) - points
    distance = np.linalg.norm(ways, axis=1)
    towards = np.einsum('ij,ij->i', ways, normals) / distance
    leaving = -(ways @ lamp.normal.astype(np.float32)) / distance
    strength = np.maximum(towards, 0) * np.maximum(leaving, 0) / np.maximum(distance, 0.5) ** 2
    reached = np.flatnonzero(strength > 1e-4)
    dark = _blocked(points[reached], ways[reached], occluders)
    strength[reached[dark]] = 0
    return lamp.power * strength[:, None] * np.array(lamp.colour, dtype=np.float32)


def _openness(
    points: NDArray[np.float32],
    normals: NDArray[np.float32],
    occluders: Sequence[_Occluder],
) -> NDArray[np.float32]:
    """Return how much of the half space above each point is free nearby, in [0.35, 1]."""
    free = np.zeros(len(points), dtype=np.float32)
    for way in _sphere(AMBIENT_DIRECTIONS):
        # A sphere of directions resting on the surface weighs them by their cosine.
        ways = way + normals * np.float32(1.001)
        ways *= AMBIENT_REACH_M / np.linalg.norm(ways, axis=1, keepdims=True)
        free += ~_blocked(points, ways, occluders)
    return 0.35 + 0.65 * free / AMBIENT_DIRECTIONS


def _sphere(count: int) -> NDArray[np.float32]:
    """Return unit vectors (count, 3) spread evenly over the sphere, on a golden spiral."""
    height = 1 - 2 * (np.arange(count) + 0.5) / count
    angle = np.arange(count) * math.pi * (3 - math.sqrt(5))
    ring = np.sqrt(1 - height**2)
    spots = np.stack([ring * np.cos(angle), ring * np.sin(angle), height], axis=1)
    return spots.astype(np.float32)
