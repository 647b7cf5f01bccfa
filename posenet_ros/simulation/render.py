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
A software renderer for worlds of textured rectangles.

A rectangle's inverse depth is linear in the pixel coordinates, and so are its two texture
coordinates divided by depth. Both come from one 3x3 matrix a rectangle, so that visibility is
decided exactly at pixel centres (a z-buffer of inverse depths) and textures are looked up by
plane homographies, each in the resolution in which it appears.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.simulation.mipmaps import Texture
from posenet_ros.simulation.surfaces import Quad
from posenet_ros.simulation.textures import Colour
from posenet_ros.simulation.world import World

NEAR_M = 0.02
# A quad is drawn in bands over which depth changes by this factor at most, each with its own
# level of the texture.
BAND = 1.5
NOTHING = -1


@dataclass(frozen=True, eq=False)
class Visible:
    """
    What each pixel sees: the index of a quad, or NOTHING, and one over its depth in metres.

    Depth is along the optical axis. Both are (height, width). `planes` holds, for each quad that
    may be seen, the matrix that maps a pixel (x, y, 1) to its own coordinates (s, t, 1) / depth.
    """

    quads: NDArray[np.int32]
    inverse_depth: NDArray[np.float32]
    planes: dict[int, NDArray[np.float64]]


def render(
    world: World,
    camera: Camera,
    map_from_camera: Pose,
    *,
    supersample: int = 1,
    background: Colour = (0, 0, 0),
) -> Texture:
    """
    Return what an ideal pinhole camera sees: RGB uint8 (height, width, 3), contiguous.

    `supersample` draws that many times finer in each direction and averages. `background` is
    what is seen where there is nothing. Lens distortion is not simulated: a camera that has any
    raises GeometryError.
    """
    if camera.distortion != 'none':
        raise GeometryError(f'cannot render lens distortion ({camera.distortion})')
    if supersample > 1:
        size = (camera.width, camera.height)
        fine = camera.resized(*(supersample * pixels for pixels in size))
        image = render(world, fine, map_from_camera, background=background)
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    seen = visible(world, camera, map_from_camera)
    image = np.full((camera.height, camera.width, 3), background, dtype=np.uint8)
    for index, plane in seen.planes.items():
        _shade(image, seen, index, plane, world.quads[index])
    return image


def visible(world: World, camera: Camera, map_from_camera: Pose) -> Visible:
    """Return which quad each pixel centre sees, and how far away it is."""
    quads = np.full((camera.height, camera.width), NOTHING, dtype=np.int32)
    inverse_depth = np.zeros((camera.height, camera.width), dtype=np.float32)
    planes = {}
    for index, plane, outline in _in_view(world, camera, map_from_camera):
        left, top = np.maximum(np.ceil(outline.min(axis=0)), 0).astype(int)
        right = min(math.floor(outline[:, 0].max()), camera.width - 1)
        bottom = min(math.floor(outline[:, 1].max()), camera.height - 1)
        if left > right or top > bottom:
            continue
        xs, ys = np.arange(left, right + 1), np.arange(top, bottom + 1)
        nearness = _linear(plane[2], xs, ys)
        window = np.s_[top : bottom + 1, left : right + 1]
        seen = _inside(plane, xs, ys)
        seen &= nearness > inverse_depth[window]
        if seen.any():
            np.copyto(inverse_depth[window], nearness, where=seen)
            np.copyto(quads[window], index, where=seen)
            planes[index] = plane
    return Visible(quads, inverse_depth, planes)


def _in_view(
    world: World, camera: Camera, map_from_camera: Pose
) -> list[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """
    Return the quads that face the camera: index, plane matrix, outline in pixels (M, 2).

    The plane matrix (3, 3) maps a pixel (x, y, 1) to (s, t, 1) / depth, where s and t run from
    0 to 1 over the quad. With the quad's points `corner + s * u + t * v = depth * ray`, it is
    the inverse of the matrix of columns u, v, corner, times the inverse of K.
    """
    turn = map_from_camera.rotation.as_matrix()
    corners = (world.corners - map_from_camera.translation) @ turn
    edges = world.edges @ turn
    columns = np.stack([edges[:, 0], edges[:, 1], corners], axis=2)
    # Twice the area times the camera's height over the plane: negative from behind.
    facing = np.flatnonzero(np.linalg.det(columns) > 1e-9)
    planes = np.linalg.inv(columns[facing]) @ np.linalg.inv(camera.matrix)
    u, v, corner = edges[facing, 0], edges[facing, 1], corners[facing]
    outlines = np.stack([corner, corner + u, corner + u + v, corner + v], axis=1)
    # Beyond the image's edges by half a pixel; a quad wholly beyond one of them is not seen.
    x_low, x_high = (np.array([-0.5, camera.width - 0.5]) - camera.cx) / camera.fx
    y_low, y_high = (np.array([-0.5, camera.height - 0.5]) - camera.cy) / camera.fy
    x, y, z = np.moveaxis(outlines, 2, 0)
    sides = (z - NEAR_M, x - x_low * z, x_high * z - x, y - y_low * z, y_high * z - y)
    kept = np.all([(side > 0).any(axis=1) for side in sides], axis=0)
    return [
        (int(index), plane, camera.project(_in_front(outline)))
        for index, plane, outline in zip(facing[kept], planes[kept], outlines[kept])
    ]


def _in_front(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut a polygon (N, 3) in the camera frame off at the near plane."""
    if (outline[:, 2] >= NEAR_M).all():
        return outline
    kept = []
    for start, end in zip(outline, np.roll(outline, -1, axis=0)):
        if start[2] >= NEAR_M:
            kept.append(start)
        if (start[2] >= NEAR_M) != (end[2] >= NEAR_M):
            share = (NEAR_M - start[2]) / (end[2] - start[2])
            kept.append(start + share * (end - start))
    return np.array(kept)


def _linear(
    row: NDArray[np.float64], xs: NDArray[np.int64], ys: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Evaluate `row @ (x, y, 1)` on a grid of pixels (len(ys), len(xs))."""
    return np.add.outer(
        (row[1] * ys + row[2]).astype(np.float32), (row[0] * xs).astype(np.float32)
    )


def _inside(
    plane: NDArray[np.float64], xs: NDArray[np.int64], ys: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """
    Tell which pixel centres of a grid lie inside a quad.

    There s, t, 1 - s and 1 - t, each divided by depth, are not negative. All are linear in x
    along an image row, so each bounds x from one side, as does the near plane.
    """
    s, t, one = plane
    first = np.full(len(ys), xs[0], dtype=np.float64)
    last = np.full(len(ys), xs[-1], dtype=np.float64)
    nearest = np.array([0.0, 0.0, 1 / NEAR_M]) - one
    for slope, rise, level in (s, t, one - s, one - t, nearest):
        rest = rise * ys + level
        if slope > 0:
            np.maximum(first, -rest / slope, out=first)
        elif slope < 0:
            np.minimum(last, -rest / slope, out=last)
        else:
            last[rest < 0] = -1.0
    # Whole pixels, as short integers: comparing them over the grid is what takes time.
    first = np.minimum(np.ceil(first), 32767).astype(np.int16)[:, None]
    last = np.maximum(np.floor(last), -1).astype(np.int16)[:, None]
    columns = xs.astype(np.int16)
    return (columns >= first) & (columns <= last)


def _shade(
    image: Texture, seen: Visible, index: int, plane: NDArray[np.float64], quad: Quad
) -> None:
    """Draw the pixels that see one quad, farther bands with coarser levels of its texture."""
    mask = (seen.quads == index).view(np.uint8)
    left, top, width, height = cv2.boundingRect(mask)
    if width == 0:
        return
    window = np.s_[top : top + height, left : left + width]
    mask, nearness = mask[window], seen.inverse_depth[window]
    low, high = cv2.minMaxLoc(nearness, mask)[:2]
    bands = max(math.ceil(math.log(high / low) / math.log(BAND)), 1)
    limits = np.geomspace(low * 0.999, high * 1.001, bands + 1)
    for lower, upper in pairwise(limits):
        part = mask if bands == 1 else cv2.inRange(nearness, lower, upper) & mask
        x, y, columns, rows = cv2.boundingRect(part)
        if columns == 0:
            continue
        centre = np.array([left + x + (columns - 1) / 2, top + y + (rows - 1) / 2, 1.0])
        texture = _texture_at(quad, plane, centre, math.sqrt(lower * upper))
        painted = _warped(texture, plane, left + x, top + y, columns, rows)
        inner = np.s_[y : y + rows, x : x + columns]
        cv2.copyTo(painted, part[inner], image[window][inner])


def _texture_at(
    quad: Quad, plane: NDArray[np.float64], pixel: NDArray[np.float64], nearness: float
) -> Texture:
    """Return the level of a quad's texture that has about a texel a pixel there."""
    place = np.clip(plane[:2] @ pixel / nearness, 0, 1)
    # The derivatives of s and t by x and y, rows s and t.
    change = (plane[:2, :2] - place[:, None] * plane[2, :2]) / nearness
    rows, columns = quad.texture.shape[:2]
    rate = np.linalg.norm(change, axis=1) * (columns, rows)
    across, down = np.rint(np.log2(np.maximum(rate, 1.0))).astype(int)
    return quad.mipmaps.level(int(across), int(down))


def _warped(
    texture: Texture, plane: NDArray[np.float64], left: int, top: int, width: int, height: int
) -> Texture:
    """Draw a plane's texture over a window of the image."""
    rows, columns = texture.shape[:2]
    # Texel centres are at whole numbers, half a texel in from the quad's edge.
    texels_from_plane = np.array([[columns, 0, -0.5], [0, rows, -0.5], [0, 0, 1.0]])
    image_from_window = np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
    return cv2.warpPerspective(
        texture,
        texels_from_plane @ plane @ image_from_window,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
