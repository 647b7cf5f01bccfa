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

"""From recordings to a reconstruction: the stages that take long, each done once."""

from __future__ import annotations

from collections.abc import Callable
import math
import shutil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.images import encode_jpeg
from posenet_ros.errors import CaptureError
from posenet_ros.files import read_yaml
from posenet_ros.geometry import Camera
from posenet_ros.sfm.cameras import colmap_camera
from posenet_ros.sfm.database import remove_database
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.process import run_stage
from posenet_ros.sfm.reconstruction import keep, kept, Reconstruction
from posenet_ros.sfm.selection import select_frames, Selection
from posenet_ros.sfm.sources import Sources
from posenet_ros.sfm.standing import StandStill
from posenet_ros.sfm.workspace import Workspace
from tqdm import tqdm


def restore_parted(space: Workspace, options: LabelOptions) -> None:
    """Have matches verified again that were taken out because another reference said so."""
    if not space.parted.exists():
        return
    if read_yaml(space.parted, CaptureError).get('by') != options.told_by:
        # What was matched is still there; verifying what lacks its geometry restores it.
        space.forget('matching')
        space.parted.unlink()


def choose_frames(space: Workspace, sources: Sources, options: LabelOptions) -> Selection:
    """Choose the frames, or return those that were chosen by the same reference."""
    before, times = None, space.stage_times()
    if space.is_done('selection'):
        before = space.read_selection()
        if space.selected_by() == options.told_by:
            return before
    # What a killed run chose is chosen again: it may have ended in the middle of an interval.
    shutil.rmtree(space.images, ignore_errors=True)
    space.images.mkdir(parents=True)
    space.sfm.mkdir(exist_ok=True)

    def keep_image(stamp_ns: int, rgb: NDArray[np.uint8]) -> None:
        encode_jpeg(space.images / space.image_name(stamp_ns), rgb)

    with (
        space.stage('selection'),
        tqdm(
            sources.images(), desc='choosing frames', total=sources.count, unit='image'
        ) as images,
    ):
        selection = select_frames(
            images, rate_hz=options.rate_hz, keep=keep_image, stood=_standing(sources, options)
        )
        space.write_selection(selection, options.told_by)
    if selection == before:
        space.restore(times)
    else:
        remove_database(space.database)
        space.parted.unlink(missing_ok=True)
    return selection


def _standing(sources: Sources, options: LabelOptions) -> Callable[[int, int], bool]:
    """Return what tells whether the robot hardly moved between two frames."""
    reference = sources.reference
    if reference is None:
        return lambda before_ns, now_ns: False
    return StandStill(
        reference.odom_from_camera,
        metres=options.min_translation_m,
        radians=math.radians(options.min_rotation_deg),
    ).between


def reconstruct_frames(
    space: Workspace, selection: Selection, known: Camera | None, mapper: str
) -> Reconstruction:
    """Run the stages that are not done yet."""
    names = [space.image_name(stamp_ns) for stamp_ns in selection.stamps_ns]
    camera = colmap_camera(known, selection.width, selection.height)
    database, images = str(space.database), str(space.images)
    if not space.is_done('features'):
        found = {'database': database, 'images': images, 'names': names, 'camera': camera}
        _run(space, 'features', 'finding features', 'frame', **found)
    if not space.is_done('matching'):
        matched = {'database': database, 'names': names, 'work': str(space.sfm)}
        _run(space, 'matching', 'matching frames', 'pair', **matched)
    if not space.is_done('mapping') or not _mapped_by(space, mapper):
        with space.stage('mapping'):
            result = run_stage(
                'mapping',
                log=space.log,
                title='mapping frames',
                unit='frame',
                database=database,
                images=images,
                names=names,
                camera=camera,
                model=str(space.unaligned),
                mapper=mapper,
            )
            keep(space.found, {**result, 'asked': mapper})
    return space.read_reconstruction()


def _run(space: Workspace, name: str, title: str, unit: str, **values: Any) -> None:
    with space.stage(name):
        run_stage(name, log=space.log, title=title, unit=unit, **values)


def _mapped_by(space: Workspace, mapper: str) -> bool:
    """Tell whether the mapper that is asked for would make the map that is there."""
    values = kept(space.found)
    asked = values.get('asked')
    return asked == mapper or (asked == 'auto' and values.get('mapper') == mapper)
