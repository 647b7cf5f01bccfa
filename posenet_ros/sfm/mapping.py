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
The stage that reconstructs: camera poses and points from the verified matches.

COLMAP may end with several models, and the first is not always the main one; the largest is
kept. Its last bundle adjustment counts large errors for less (Cauchy), so
that the few wrong matches every video has do not pull at the poses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
import shutil
from typing import Any, TYPE_CHECKING

import numpy as np
from posenet_ros.data.colmap import camera_from_colmap
from posenet_ros.errors import LabellingError
from posenet_ros.sfm.dropped import reasons_for_dropping
from posenet_ros.sfm.mappers import BUNDLE_ROUNDS, map_frames

if TYPE_CHECKING:
    import pycolmap

Progress = Callable[[int, int], None]

# Matches are good to about a pixel.
_ROBUST_PX = 1.0
# It begins from what has converged with squares.
_LAST_TOLERANCE = 1e-5


def reconstruct(
    progress: Progress,
    *,
    database: str,
    images: str,
    names: Sequence[str],
    camera: Mapping[str, Any],
    model: str,
    mapper: str = 'auto',
) -> dict[str, Any]:
    """
    Reconstruct, write the largest model to the folder `model`, and return what it holds.

    The result has, as plain values: `camera` (see Camera.to_dict), `images` (by name: rotation
    and position of `sfm_from_camera`, points seen, points shared with the frame before, mean
    error in pixels), `dropped` (name and
    reason), `models` (names in each, the largest first), `mapper` (which made them), and the
    model's own figures. Raises LabellingError where nothing can be reconstructed.
    """
    used, models = map_frames(
        progress,
        mapper,
        database=database,
        images=images,
        count=len(names),
        refine_distortion=camera['refine_distortion'],
        work=Path(model).parent,
    )
    if not models:
        raise LabellingError(_why_none(database, len(names)))
    largest, others = models[0], models[1:]
    _adjust(largest, refine_distortion=camera['refine_distortion'])
    largest.extract_colors_for_all_images(images)
    _write_whole(largest, Path(model))
    registered = _images(largest)
    # Models may share frames; what counts is what the largest lacks.
    elsewhere = [left for other in others if (left := sorted(_names(other) - set(registered)))]
    return {
        'camera': _camera(largest),
        'images': registered,
        'dropped': reasons_for_dropping(database, names, registered, elsewhere),
        'models': [sorted(registered), *elsewhere],
        'points': largest.num_points3D(),
        'mean_error_px': largest.compute_mean_reprojection_error(),
        'mean_track_length': largest.compute_mean_track_length(),
        'mapper': used,
    }


def _adjust(model: pycolmap.Reconstruction, *, refine_distortion: bool) -> None:
    import pycolmap

    options = pycolmap.BundleAdjustmentOptions()
    options.refine_extra_params = refine_distortion
    options.print_summary = False
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = _ROBUST_PX
    options.ceres.solver_options.max_num_iterations = BUNDLE_ROUNDS
    options.ceres.solver_options.function_tolerance = _LAST_TOLERANCE
    pycolmap.bundle_adjustment(model, options)
    model.update_point_3d_errors()


def _write_whole(model: pycolmap.Reconstruction, folder: Path) -> None:
    partial = folder.with_name(folder.name + '.partial')
    for each in (partial, folder):
        shutil.rmtree(each, ignore_errors=True)
    partial.mkdir(parents=True)
    model.write(partial)
    partial.rename(folder)


def _names(model: pycolmap.Reconstruction) -> set[str]:
    return {image.name for image in _registered(model)}


def _registered(model: pycolmap.Reconstruction) -> Iterable[pycolmap.Image]:
    return (image for image in model.images.values() if image.has_pose)


def _images(model: pycolmap.Reconstruction) -> dict[str, dict[str, Any]]:
    errors = {index: point.error for index, point in model.points3D.items()}
    described = {}
    before: set[int] = set()
    for image in sorted(_registered(model), key=lambda each: each.name):
        sfm_from_camera = image.cam_from_world().inverse()
        points = [point.point3D_id for point in image.get_observation_points2D()]
        seen = [errors[point] for point in points]
        described[image.name] = {
            'rotation': sfm_from_camera.rotation.matrix().tolist(),
            'position': sfm_from_camera.translation.tolist(),
            'points': len(seen),
            'shared': len(before.intersection(points)),
            'error_px': float(np.mean(seen)) if seen else None,
        }
        before = set(points)
    return described


def _camera(model: pycolmap.Reconstruction) -> dict[str, Any]:
    (found,) = model.cameras.values()
    camera = camera_from_colmap(found)
    assert camera is not None, f'{found.model_name} is not a model that we ask for'
    return camera.to_dict()


def _why_none(database: str, count: int) -> str:
    import pycolmap

    with pycolmap.Database.open(database) as opened:
        verified = opened.num_verified_image_pairs()
    if verified < count:
        return (
            f'nothing could be reconstructed: only {verified} pairs of {count} frames show the '
            'same things; record slower, in better light, or with a higher --rate'
        )
    return (
        f'nothing could be reconstructed: {count} frames match, but from places too close '
        'together; the camera must move through the scene, not only stand or turn'
    )
