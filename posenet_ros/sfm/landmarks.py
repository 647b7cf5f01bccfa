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
The map of landmarks of labelled frames: which frames, from which poses, and how much is kept.

The poses that triangulate are those of a reconstruction, which are the images' own to a fraction
of a pixel. Where frames came with labels alone these may be as good (another reconstruction's, a
simulator's), which their matches tell; where they are not, their images are reconstructed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import by_end_of_path, Frame
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.landmarks.features import Extractor, Sift
from posenet_ros.landmarks.landmark_map import LandmarkMap
from posenet_ros.landmarks.thinning import thinned
from posenet_ros.sfm.label_fit import fit_labels_to_model
from posenet_ros.sfm.process import run_stage
from posenet_ros.sfm.scene_map import reconstruct_scene
from posenet_ros.sfm.triangulating import LEAST_AGREEMENT
from scipy.spatial.transform import Rotation

_LOG = logging.getLogger(__name__)

# What frames look like as a whole, (F, K), to whatever will look for the most similar.
Describe = Callable[[Sequence[Frame]], NDArray[np.float16]]

_MOST_FRAMES = 400
_FEWEST_FRAMES = 5
_FEWEST_POINTS = 100
# Labels that are the model's own differ from it by less: a share of the drive's size, radians.
_SAME_PLACE = 1e-3
_SAME_TURN = 1e-3


@dataclass(frozen=True, eq=False)
class LandmarkMaps:
    """`whole` is of all frames; `part` lacks those held out, so that these can be asked."""

    whole: LandmarkMap
    part: LandmarkMap


@dataclass(frozen=True, eq=False)
class _Posed:
    """Frames with where their images were taken, map from image."""

    frames: tuple[Frame, ...]
    rotations: Rotation
    centres: NDArray[np.float64]
    camera: Camera
    image_from_label: Pose


def build_landmarks(
    frames: Sequence[Frame],
    held_out: Sequence[Frame],
    camera: Camera,
    *,
    model: Path | None,
    work: Path,
    reconstruction: Path,
    describe: Describe,
    budget_bytes: int,
    extractor: Extractor | None = None,
) -> LandmarkMaps:
    """
    Return the maps of labelled frames: of all of them, and without those held out.

    `model` is a COLMAP model of the frames' images, by the ends of their paths; without one the
    labels are tried, and then a reconstruction in the folder of that name. `work` is for what is
    made on the way. Raises LabellingError, one line, where no map can be made.
    """
    extractor = extractor or Sift()
    posed = (
        _as_labelled(frames, camera) if model is None else _as_mapped(frames, model, None, work)
    )
    found = _triangulate(posed, held_out, extractor, work)
    if model is None and found['agreement'] < LEAST_AGREEMENT:
        share = f'{100 * found["agreement"]:.0f} %'
        _LOG.info('landmarks: labels agree with %s of the matches; reconstructing', share)
        model, names = reconstruct_scene(frames, camera, reconstruction)
        posed = _as_mapped(frames, model, names, work)
        found = _triangulate(posed, held_out, extractor, work)
    if found['agreement'] < LEAST_AGREEMENT:
        raise LabellingError(
            f'the poses agree with {100 * found["agreement"]:.0f} % of the matches between images'
        )
    fewest = min(found['part'], found['whole'])
    if fewest < _FEWEST_POINTS:
        raise LabellingError(f'only {fewest} points are seen in three images or more')
    places_FK = describe(posed.frames)
    maps = {
        name: thinned(_as_map(posed, _points_of(work, name), places_FK, extractor), budget_bytes)
        for name in ('whole', 'part')
    }
    for name in maps:
        _points_of(work, name).unlink()
    return LandmarkMaps(**maps)


def _points_of(work: Path, name: str) -> Path:
    return work / f'{name}.npz'


def _as_labelled(frames: Sequence[Frame], camera: Camera) -> _Posed:
    """Take the labels for the poses of the images."""
    some = tuple(frames[:: max(1, -(-len(frames) // _MOST_FRAMES))])
    poses = [frame.map_from_camera for frame in some]
    return _Posed(
        some,
        Rotation.concatenate([pose.rotation for pose in poses]),
        np.array([pose.translation for pose in poses]),
        camera,
        Pose.identity('image', 'camera'),
    )


def _as_mapped(
    frames: Sequence[Frame], model: Path, names: dict[str, int] | None, work: Path
) -> _Posed:
    """Take a model's poses; `names` says which frame each of its images is."""
    if names is None:
        ends, numbers = by_end_of_path(frames), {f.image: n for n, f in enumerate(frames)}
        names = {name: numbers[frame.image] for name, frame in ends.items()}
    read = run_stage(
        'poses', log=_log(work), title='reading poses', unit='image', model=str(model)
    )
    if read['camera'] is None:
        raise LabellingError('the images of the map are of several cameras, or of an unknown kind')
    by_frame = sorted(
        (names[name], pose) for name, pose in read['images'].items() if name in names
    )
    by_frame = by_frame[:: max(1, -(-len(by_frame) // _MOST_FRAMES))]
    if len(by_frame) < _FEWEST_FRAMES:
        raise LabellingError(f'only {len(by_frame)} images of the map are among the frames')
    some = tuple(frames[number] for number, _ in by_frame)
    rotations = Rotation.from_matrix([pose['rotation'] for _, pose in by_frame])
    centres = np.array([pose['position'] for _, pose in by_frame])
    camera = Camera.from_dict(read['camera'])
    if _are_labels(some, rotations, centres):
        return _Posed(some, rotations, centres, camera, Pose.identity('image', 'camera'))
    labels = [frame.map_from_camera for frame in some]
    fit = fit_labels_to_model(rotations.as_matrix(), centres, labels)
    _LOG.info('landmarks: labels are %.3f from the map (median)', fit.difference_m)
    return _Posed(
        some,
        fit.map_from_sfm.rotation * rotations,
        fit.map_from_sfm.apply(centres),
        camera,
        fit.image_from_label,
    )


def _are_labels(
    frames: Sequence[Frame], rotations: Rotation, centres: NDArray[np.float64]
) -> bool:
    """Tell whether a model's poses are the labels, which then need no fit."""
    told = np.array([frame.map_from_camera.translation for frame in frames])
    turned = Rotation.concatenate([frame.map_from_camera.rotation for frame in frames])
    size = float(np.linalg.norm(np.ptp(told, axis=0)))
    apart = float(np.median(np.linalg.norm(told - centres, axis=1)))
    return (
        apart <= _SAME_PLACE * size
        and float(np.median((rotations.inv() * turned).magnitude())) <= _SAME_TURN
    )


def _triangulate(
    posed: _Posed, held_out: Sequence[Frame], extractor: Extractor, work: Path
) -> dict[str, Any]:
    work.mkdir(parents=True, exist_ok=True)
    left_out = {frame.image for frame in held_out}
    return run_stage(
        'triangulating',
        log=_log(work),
        title='making landmarks',
        unit='image',
        images=[str(frame.image) for frame in posed.frames],
        rotations=posed.rotations.as_matrix().tolist(),
        centres=posed.centres.tolist(),
        camera=posed.camera.to_dict(),
        extractor=extractor.to_dict(),
        leave_out=[n for n, frame in enumerate(posed.frames) if frame.image in left_out],
        work=str(work),
    )


def _log(work: Path) -> Path:
    return work.parent / 'logs' / 'sfm.log'


def _as_map(
    posed: _Posed, path: Path, places_FK: NDArray[np.float16], extractor: Extractor
) -> LandmarkMap:
    """
    Return what was triangulated as a map that has every look of every point.

    Frames that saw none, such as those held out, are left out: they would be taken for those near
    an image, in the place of others that saw something.
    """
    with np.load(path) as found:
        points, observations = found['points'], found['observations']
        looks = found['descriptors']
    some, frames = np.unique(observations[:, 1], return_inverse=True)
    by_point = np.argsort(observations[:, 0], kind='stable')
    by_frame = np.lexsort((observations[:, 0], frames))
    counts = np.bincount(observations[:, 0], minlength=len(points))
    seen = np.bincount(frames, minlength=len(some))
    return LandmarkMap(
        points_P3=points.astype(np.float32),
        first_row=_starts(counts),
        descriptors=looks[by_point],
        first_seen=_starts(seen),
        seen=observations[by_frame, 0].astype(np.int32),
        centres_F3=posed.centres[some].astype(np.float32),
        rotations_F33=posed.rotations.as_matrix()[some].astype(np.float32),
        places_FK=np.asarray(places_FK, dtype=np.float16)[some],
        camera=posed.camera,
        extractor=extractor,
        image_from_label=posed.image_from_label,
    )


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
