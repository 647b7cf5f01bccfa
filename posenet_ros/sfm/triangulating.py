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
The stage that triangulates landmarks: local features of posed frames, matched and made points.

The features are those that a query image will have, and not those that structure from motion
matched; only its poses are taken over. COLMAP's triangulator makes the points, from several
views each, and refines them with the poses held as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import shutil
from typing import Any, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.images import read_image
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import Camera, rays_of
from posenet_ros.landmarks.features import Extractor, extractor_of, LocalFeatures, unit_rows
from posenet_ros.landmarks.matching import clearly_nearest
from posenet_ros.machine import cores
from posenet_ros.sfm.cameras import colmap_camera

if TYPE_CHECKING:
    import pycolmap

Progress = Callable[[int, int], None]
Pair = tuple[int, int]

# Of the matches that any relative pose explains; below, the poses are not those of the images to
# within a pixel or two.
LEAST_AGREEMENT = 0.8
_SAMPLE = 60
_FEWEST_TO_TELL = 30
# In pixels of an image 640 wide.
_AGREEING_PX, _EXPLAINED_PX = 1.0, 1.5
_USUAL_WIDTH = 640

# Each frame is matched with the nearest, and with some of those after them: points of neighbours
# alone lie on short baselines.
_NEAREST = 5
_FARTHER = 40
_FARTHER_STEP = 4
# How much a move as long as things are far away counts beside a turn.
_MOVE_WEIGHT = 4.0
_RATIO = 0.85
_EPIPOLAR_PX = 2.0
_FEWEST_MATCHES = 8
_FEWEST_VIEWS = 3


def triangulate(
    progress: Progress,
    *,
    images: Sequence[str],
    rotations: Sequence[Any],
    centres: Sequence[Any],
    camera: Mapping[str, Any],
    extractor: Mapping[str, Any],
    leave_out: Sequence[int],
    work: str,
) -> dict[str, Any]:
    """
    Triangulate twice: without the frames to leave out, and with all; write both to `work`.

    `rotations` (F, 3, 3) and `centres` (F, 3) are the frames' in the map, `camera` is a
    Camera's `to_dict`, `extractor` an extractor's. Each `part.npz` and `whole.npz` has `points`
    (P, 3), `observations` (O, 2), point and frame, and `descriptors` (O, D). Returns by name how
    many points there are, and `agreement`, the share of the matches that any relative poses
    explain which these explain. Where that is little nothing is triangulated.
    """
    posed = _Posed(
        Camera.from_dict(camera),
        np.array(rotations, dtype=np.float64),
        np.array(centres, dtype=np.float64),
    )
    found = _extracted(progress, images, extractor_of(extractor))
    result: dict[str, Any] = {'agreement': _agreement(found, posed), 'part': 0, 'whole': 0}
    if result['agreement'] < LEAST_AGREEMENT:
        return result
    matches = _matched(progress, found, posed)
    kept = [number for number in range(len(images)) if number not in set(leave_out)]
    for name, some in (('part', kept), ('whole', list(range(len(images))))):
        points, observations, descriptors = _triangulated(found, posed, matches, some, Path(work))
        np.savez(
            Path(work) / f'{name}.npz',
            points=points,
            observations=observations,
            descriptors=descriptors,
        )
        result[name] = len(points)
    return result


class _Posed:
    """Where each frame's image was taken, and by which camera."""

    def __init__(
        self, camera: Camera, rotations: NDArray[np.float64], centres: NDArray[np.float64]
    ) -> None:
        self.camera = camera
        self.rotations = rotations
        self.centres = centres
        self.focal = (camera.fx + camera.fy) / 2

    def pairs(self) -> list[Pair]:
        """Return the pairs of frames to match: those near each other, and some farther apart."""
        number = len(self.centres)
        # Half of the size of the drive stands for how far away things are.
        depth = max(float(np.linalg.norm(np.ptp(self.centres, axis=0))) / 2, 1e-9)
        apart = self.centres[:, None] - self.centres[None]
        distance = np.einsum('ijk,ijk->ij', apart, apart) / depth**2
        views = self.rotations[:, :, 2]
        cost = _MOVE_WEIGHT * distance - views @ views.T
        found: set[Pair] = set()
        for one in range(number):
            order = [int(other) for other in np.argsort(cost[one]) if other != one]
            chosen = order[:_NEAREST] + order[_NEAREST:_FARTHER:_FARTHER_STEP]
            found |= {(min(one, other), max(one, other)) for other in chosen}
        return sorted(found)

    def epipolar_px(
        self, pair: Pair, first: NDArray[np.float64], second: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return how far matches (N, 2) on the plane ahead are from their epipolar lines."""
        one, other = pair
        turn = self.rotations[other].T @ self.rotations[one]
        move = self.rotations[other].T @ (self.centres[one] - self.centres[other])
        x, y, z = move
        essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ turn
        ones = np.ones((len(first), 1))
        left, right = np.hstack([first, ones]), np.hstack([second, ones])
        lines, back = left @ essential.T, right @ essential
        lengths = np.sqrt((lines[:, :2] ** 2).sum(axis=1) + (back[:, :2] ** 2).sum(axis=1))
        errors = np.abs(np.einsum('ij,ij->i', right, lines)) / np.maximum(lengths, 1e-12)
        return errors * self.focal


def _extracted(
    progress: Progress, images: Sequence[str], extractor: Extractor
) -> list[LocalFeatures]:
    import cv2

    cv2.setNumThreads(1)
    found = []
    with ThreadPoolExecutor(cores()) as pool:
        for features in pool.map(lambda path: extractor.extract(read_image(Path(path))), images):
            found.append(features)
            progress(len(found), 2 * len(images))
    return found


def _agreement(found: Sequence[LocalFeatures], posed: _Posed) -> float:
    """
    Return how many of the matches that relative poses explain at all the given poses explain.

    The relative poses are found from the matches of each of some pairs alone.
    """
    import cv2

    pairs = posed.pairs()
    tolerance = posed.camera.width / _USUAL_WIDTH
    explained = agreed = 0
    for pair in pairs[:: max(1, len(pairs) // _SAMPLE)]:
        first, second = (found[number] for number in pair)
        both = _mutual(unit_rows(first.descriptors), unit_rows(second.descriptors))
        if len(both) < _FEWEST_TO_TELL:
            continue
        left = rays_of(posed.camera, first.pixels[both[:, 0]])
        right = rays_of(posed.camera, second.pixels[both[:, 1]])
        width = _EXPLAINED_PX * tolerance / posed.focal
        _, free = cv2.findEssentialMat(left, right, np.eye(3), cv2.RANSAC, 0.999, width)
        explained += int(np.count_nonzero(free))
        agreed += int((posed.epipolar_px(pair, left, right) < _AGREEING_PX * tolerance).sum())
    return agreed / max(explained, 1)


def _matched(
    progress: Progress, found: Sequence[LocalFeatures], posed: _Posed
) -> dict[Pair, NDArray[np.uint32]]:
    """Return the matches that the poses agree with."""
    looks = [unit_rows(features.descriptors) for features in found]
    rays = [rays_of(posed.camera, features.pixels) for features in found]
    pairs, count = posed.pairs(), len(found)
    tolerance = _EPIPOLAR_PX * posed.camera.width / _USUAL_WIDTH
    matches: dict[Pair, NDArray[np.uint32]] = {}
    for number, pair in enumerate(pairs):
        one, other = pair
        both = _mutual(looks[one], looks[other])
        errors = posed.epipolar_px(pair, rays[one][both[:, 0]], rays[other][both[:, 1]])
        good = both[errors < tolerance]
        if len(good) >= _FEWEST_MATCHES:
            matches[pair] = good.astype(np.uint32)
        if number % 20 == 0:
            progress(count + number * count // len(pairs), 2 * count)
    return matches


def _mutual(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the pairs (N, 2) that are each other's nearest, clearly nearer than the next."""
    if len(first) < 2 or len(second) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    cosines = first @ second.T
    best, back = cosines.argmax(axis=1), cosines.argmax(axis=0)
    both = np.flatnonzero(back[best] == np.arange(len(first)))
    nearest = cosines[both, best[both]].copy()
    cosines[both, best[both]] = -1.0
    second_best = cosines[both].max(axis=1) if len(both) else nearest
    clear = both[clearly_nearest(nearest, second_best, _RATIO)]
    return np.stack([clear, best[clear]], axis=1)


def _triangulated(
    found: Sequence[LocalFeatures],
    posed: _Posed,
    matches: Mapping[Pair, NDArray[np.uint32]],
    frames: Sequence[int],
    work: Path,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.uint8]]:
    import pycolmap

    folder = work / 'triangulating'
    shutil.rmtree(folder, ignore_errors=True)
    (folder / 'model').mkdir(parents=True)
    reconstruction = _posed_images(found, posed, frames)
    _write_database(folder / 'database.db', reconstruction, found, matches, frames)
    options = pycolmap.IncrementalPipelineOptions()
    options.extract_colors = False
    options.num_threads = cores()
    try:
        done = pycolmap.triangulate_points(
            reconstruction, folder / 'database.db', folder, folder / 'model', options=options
        )
    except (RuntimeError, ValueError) as error:
        raise LabellingError(f'landmarks cannot be triangulated: {error}') from error
    points, observations, descriptors = [], [], []
    for point in done.points3D.values():
        views = {each.image_id: each.point2D_idx for each in point.track.elements}
        if len(views) < _FEWEST_VIEWS:
            continue
        for image, feature in views.items():
            observations.append((len(points), image - 1))
            descriptors.append(found[image - 1].descriptors[feature])
        points.append(point.xyz)
    shutil.rmtree(folder)
    width = found[0].descriptors.shape[1]
    return (
        np.array(points).reshape(-1, 3),
        np.array(observations, dtype=np.int64).reshape(-1, 2),
        np.array(descriptors, dtype=np.uint8).reshape(-1, width),
    )


def _posed_images(
    found: Sequence[LocalFeatures], posed: _Posed, frames: Sequence[int]
) -> pycolmap.Reconstruction:
    """Return a reconstruction of posed images without points; ids are frame numbers plus one."""
    import pycolmap

    camera = posed.camera
    described = colmap_camera(camera, camera.width, camera.height)
    made = pycolmap.Camera.create_from_model_name(
        1, described['model'], 1.0, camera.width, camera.height
    )
    made.params = described['params']
    reconstruction = pycolmap.Reconstruction()
    reconstruction.add_camera_with_trivial_rig(made)
    for number in frames:
        image_from_map = posed.rotations[number].T
        image = pycolmap.Image(
            name=str(number),
            # COLMAP puts the centre of the first pixel at 0.5.
            keypoints=found[number].pixels.astype(np.float64) + 0.5,
            camera_id=1,
            image_id=number + 1,
        )
        pose = pycolmap.Rigid3d(
            pycolmap.Rotation3d(image_from_map), -image_from_map @ posed.centres[number]
        )
        reconstruction.add_image_with_trivial_frame(image, pose)
    return reconstruction


def _write_database(
    path: Path,
    reconstruction: pycolmap.Reconstruction,
    found: Sequence[LocalFeatures],
    matches: Mapping[Pair, NDArray[np.uint32]],
    frames: Sequence[int],
) -> None:
    import pycolmap

    some = set(frames)
    with pycolmap.Database.open(path) as database, pycolmap.DatabaseTransaction(database):
        for camera in reconstruction.cameras.values():
            database.write_camera(camera, use_camera_id=True)
        for rig in reconstruction.rigs.values():
            database.write_rig(rig, use_rig_id=True)
        for frame in reconstruction.frames.values():
            database.write_frame(frame, use_frame_id=True)
        for number in frames:
            database.write_image(reconstruction.images[number + 1], use_image_id=True)
            database.write_keypoints(number + 1, found[number].pixels + np.float32(0.5))
        for (one, other), pairs in matches.items():
            if one in some and other in some:
                geometry = pycolmap.TwoViewGeometry()
                # Without a kind the triangulator takes none of them.
                geometry.config = pycolmap.TwoViewGeometryConfiguration.CALIBRATED
                geometry.inlier_matches = pairs
                database.write_matches(one + 1, other + 1, pairs)
                database.write_two_view_geometry(one + 1, other + 1, geometry)
