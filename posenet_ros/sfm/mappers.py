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

"""COLMAP's two mappers: frame after frame, and all frames at once (GLOMAP)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import shutil
from typing import TYPE_CHECKING

from posenet_ros.machine import cores
from posenet_ros.sfm.database import features_and_matches

if TYPE_CHECKING:
    import pycolmap

Progress = Callable[[int, int], None]

BUNDLE_ROUNDS = 40
BUNDLE_TOLERANCE = 1e-6
_SEED = 0
_GROWTH = 1.6
# The other mapper is asked too where the first leaves out more, and believed where it finds more.
_MOST_LEFT_OUT = 0.1
_CLEARLY_MORE = 1.05


def map_frames(
    progress: Progress,
    mapper: str,
    *,
    database: str,
    images: str,
    count: int,
    refine_distortion: bool,
    work: Path,
) -> tuple[str, list[pycolmap.Reconstruction]]:
    """
    Return the mapper and its models of `count` frames, the one with most frames first.

    The incremental mapper is the more exact and the more careful; 'auto' turns to the global one
    where that leaves out frames that match others: a blank wall is lost to both.
    """

    def run(name: str) -> list[pycolmap.Reconstruction]:
        folder = work / 'models'
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        found = _MAPPERS[name](progress, database, images, folder, count, refine_distortion)
        shutil.rmtree(folder)
        return sorted(found.values(), key=_size, reverse=True)

    if mapper != 'auto':
        return mapper, run(mapper)
    models = run('incremental')
    most = _size(models[0]) if models else 0
    if most >= (1 - _MOST_LEFT_OUT) * _matched(database):
        return 'incremental', models
    others = run('global')
    if others and _size(others[0]) > _CLEARLY_MORE * most:
        return 'global', others
    return 'incremental', models


def _matched(database: str) -> int:
    """Return how many frames match another well enough to be placed beside it."""
    import pycolmap

    _, matches = features_and_matches(database)
    enough = pycolmap.IncrementalMapperOptions().abs_pose_min_num_inliers
    return sum(max(others.values()) >= enough for others in matches.values())


def _size(model: pycolmap.Reconstruction) -> int:
    return model.num_reg_images()


def _incremental(
    progress: Progress,
    database: str,
    images: str,
    folder: Path,
    count: int,
    refine_distortion: bool,
) -> dict[int, pycolmap.Reconstruction]:
    import pycolmap

    seen = {'now': 0, 'most': 0}

    def began() -> None:
        seen['now'] = 1
        one_more()

    def one_more() -> None:
        # Further models begin from nothing; the bar stays with the largest.
        seen['now'] += 1
        seen['most'] = max(seen['now'], seen['most'])
        progress(min(seen['most'], count), count)

    progress(0, count)
    return pycolmap.incremental_mapping(
        database,
        images,
        folder,
        options=_incremental_options(refine_distortion),
        initial_image_pair_callback=began,
        next_image_callback=one_more,
    )


def _incremental_options(refine_distortion: bool) -> pycolmap.IncrementalPipelineOptions:
    import pycolmap

    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = cores()
    for seeded in (options, options.mapper, options.triangulation):
        seeded.random_seed = _SEED
    options.ba_refine_extra_params = refine_distortion
    options.mapper.abs_pose_refine_extra_params = refine_distortion
    options.ba_global_function_tolerance = BUNDLE_TOLERANCE
    options.ba_global_max_num_iterations = BUNDLE_ROUNDS
    # After growing by three fifths: as exact as after each tenth, in two thirds of the time.
    options.ba_global_frames_ratio = options.ba_global_points_ratio = _GROWTH
    # On the way, points that add nothing to the poses wait for the last adjustment.
    options.mapper.ba_global_ignore_redundant_points3D = True
    # Colours are for the eye: extracted once, for the model that is kept.
    options.extract_colors = False
    return options


def _global(
    progress: Progress,
    database: str,
    images: str,
    folder: Path,
    count: int,
    refine_distortion: bool,
) -> dict[int, pycolmap.Reconstruction]:
    import pycolmap

    options = pycolmap.GlobalPipelineOptions()
    options.num_threads = options.mapper.num_threads = cores()
    for seeded in (
        options,
        options.mapper,
        options.mapper.rotation_averaging,
        options.mapper.global_positioning,
        options.mapper.retriangulation,
    ):
        seeded.random_seed = _SEED
    options.mapper.bundle_adjustment.refine_extra_params = refine_distortion
    # It tells nothing on the way.
    progress(0, count)
    found = pycolmap.global_mapping(database, images, folder, options)
    progress(count, count)
    return found


_MAPPERS = {'incremental': _incremental, 'global': _global}
