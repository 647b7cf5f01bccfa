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

"""One picture of a simulation: the room from above with the drives in it, and some frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera, Pose, Trajectory
from posenet_ros.simulation.mipmaps import Texture
from posenet_ros.simulation.render import render
from posenet_ros.simulation.surfaces import Quad
from posenet_ros.simulation.world import World
from scipy.spatial.transform import Rotation

PAPER = (250, 250, 250)
INK = (40, 40, 44)
FONT, FONT_SCALE = cv2.FONT_HERSHEY_DUPLEX, 0.5
TRAINING = (20, 110, 235)
UNSEEN = (240, 110, 20)
# So high that walls show little of their inner sides, in lengths of the world.
HEIGHT = 3.25
MARGIN_M = 0.35
# Large things that hang higher are left out of the plan, or beams would hide the floor.
CUT_M = 2.4
CUT_AREA_M2 = 0.5


def floor_plan(
    world: World, width: int, paths: Mapping[str, tuple[Trajectory, tuple[int, int, int]]]
) -> Texture:
    """
    Return the world from above, `width` pixels wide, with named `map_from_camera` paths in it.

    Each path comes with its colour; the names stand in a legend below.
    """
    camera, map_from_above = _above(world, width)
    plan = bare_plan(world, width)
    above_from_map = map_from_above.inverse()
    for trajectory, colour in paths.values():
        pixels = camera.project(above_from_map @ (trajectory.translations * [1, 1, 0]))
        for thick, ink in ((5, PAPER), (3, colour)):
            _draw(plan, pixels, ink, thick)
        _arrow(plan, pixels, colour)
    for name, place in world.places.items():
        _mark(plan, camera.project(above_from_map @ np.array([[*place, 0.0]]))[0], name)
    legend = np.full((34, width, 3), PAPER, dtype=np.uint8)
    left = 14
    for name, (_, colour) in paths.items():
        cv2.line(legend, (left, 15), (left + 28, 15), colour, 4, cv2.LINE_AA)
        left = _write(legend, name, (left + 36, 21)) + 28
    return np.vstack([plan, legend])


def bare_plan(world: World, width: int) -> Texture:
    """Return the world from above, `width` pixels wide; it shows what `plan_extent` says."""
    opened = replace(world, quads=tuple(quad for quad in world.quads if not _overhead(quad)))
    return render(opened, *_above(world, width), supersample=2, background=PAPER)


def plan_extent(world: World) -> tuple[float, float, float, float]:
    """Return which x (least, most) and y of the floor a plan shows, in metres of the map."""
    length, breadth, _ = world.size
    return -MARGIN_M, length + MARGIN_M, -MARGIN_M, breadth + MARGIN_M


def _overhead(quad: Quad) -> bool:
    lowest = quad.corner[2] + min(quad.edge_u[2], 0) + min(quad.edge_v[2], 0)
    area = np.linalg.norm(np.cross(quad.edge_u, quad.edge_v))
    return bool(lowest > CUT_M and area > CUT_AREA_M2)


def _above(world: World, width: int) -> tuple[Camera, Pose]:
    """Return a camera that looks straight down on the whole world, the map's x to the right."""
    length, breadth, _ = world.size
    pixels_per_metre = width / (length + 2 * MARGIN_M)
    height = round((breadth + 2 * MARGIN_M) * pixels_per_metre)
    above = HEIGHT * length
    focal = pixels_per_metre * above
    camera = Camera(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    down = Rotation.from_matrix([[1, 0, 0], [0, -1, 0], [0, 0, -1]])
    return camera, Pose(down, np.array([length / 2, breadth / 2, above]), 'map', 'camera')


def _draw(
    image: Texture, pixels: NDArray[np.float64], ink: tuple[int, int, int], thick: int
) -> None:
    points = np.rint(pixels * 16).astype(np.int32)
    cv2.polylines(image, [points], False, ink, thick, cv2.LINE_AA, 4)


def _arrow(image: Texture, pixels: NDArray[np.float64], ink: tuple[int, int, int]) -> None:
    """Show where a path begins and which way it goes."""
    start, way = pixels[0], pixels[min(20, len(pixels) - 1)] - pixels[0]
    length = np.linalg.norm(way)
    if length < 1e-6:
        return
    ahead = way / length * 14
    aside = np.array([-ahead[1], ahead[0]]) / 2
    tip = np.stack([start + ahead, start + aside, start - aside])
    points = [np.rint(tip * 16).astype(np.int32)]
    cv2.fillPoly(image, points, ink, cv2.LINE_AA, 4)
    cv2.polylines(image, points, True, PAPER, 1, cv2.LINE_AA, 4)


def _mark(image: Texture, pixel: NDArray[np.float64], name: str) -> None:
    """Mark a place with a dot and its name, which is written towards the middle of the image."""
    x, y = np.rint(pixel).astype(int).tolist()
    length = cv2.getTextSize(name, FONT, FONT_SCALE, 1)[0][0]
    left = x + 12 if 2 * x < image.shape[1] else x - 12 - length
    middle = int(np.clip(y, 16, image.shape[0] - 16))
    low, high = (left - 5, middle - 11), (left + length + 5, middle + 11)
    cv2.rectangle(image, low, high, PAPER, -1)
    _write(image, name, (left, middle + 5))
    cv2.circle(image, (x, y), 6, INK, -1, cv2.LINE_AA)


def _write(image: Texture, text: str, at: tuple[int, int]) -> int:
    """Write text with its lower left corner at a pixel; return where it ends."""
    cv2.putText(image, text, at, FONT, FONT_SCALE, INK, 1, cv2.LINE_AA)
    return at[0] + cv2.getTextSize(text, FONT, FONT_SCALE, 1)[0][0]


def contact_sheet(frames: Sequence[Texture], columns: int, width: int, gap: int = 6) -> Texture:
    """Return frames of one size in a grid on paper, each `width` pixels wide."""
    height = round(frames[0].shape[0] * width / frames[0].shape[1])
    rows = -(-len(frames) // columns)
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, 3)
    sheet = np.full(shape, PAPER, dtype=np.uint8)
    for index, frame in enumerate(frames):
        top = gap + index // columns * (height + gap)
        left = gap + index % columns * (width + gap)
        small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        sheet[top : top + height, left : left + width] = small
    return sheet


def preview(
    world: World,
    camera: Camera,
    training: Trajectory,
    unseen: Sequence[Trajectory],
    *,
    laps: int,
) -> Texture:
    """
    Return one picture (RGB) of a simulation: the floor plan, and frames of the first lap.

    The trajectories are `map_from_camera`; `laps` is how many the training drive has.
    """
    paths = {'training': (training, TRAINING)}
    if unseen:
        paths['unseen'] = (unseen[0], UNSEEN)
    plan = floor_plan(world, 760, paths)
    lap = max(len(training) // laps, 1)
    chosen = np.linspace(0, lap - 1, 7)[:6].astype(int)
    frames = [render(world, camera, training[index], supersample=2) for index in chosen]
    sheet = contact_sheet(frames, 2, 258)
    height = max(len(plan), len(sheet))
    return np.hstack([_padded(part, height) for part in (plan, sheet)])


def _padded(image: Texture, height: int) -> Texture:
    missing = height - len(image)
    border = (missing // 2, missing - missing // 2, 0, 0)
    return cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT, value=PAPER)
