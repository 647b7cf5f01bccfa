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

"""Make a capture of images whose poses others have found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
import logging
from pathlib import Path
import shutil
from typing import Any

import numpy as np
from posenet_ros.data.capture import Capture, image_path, LABELS, Rejected
from posenet_ros.data.images import encode_jpeg, read_image
from posenet_ros.data.importing.checks import (
    check_first_size,
    check_no_model,
    check_place,
    check_poses,
    check_size,
    reason_kind,
)
from posenet_ros.data.importing.colmap_model import written_files
from posenet_ros.data.importing.source import PosedImage, Source
from posenet_ros.data.importing.summary import ImportSummary
from posenet_ros.data.origin import SUMMARY
from posenet_ros.data.run import at_work, claim
from posenet_ros.errors import CaptureError, ImageError
from posenet_ros.files import written_whole
from posenet_ros.geometry import Camera, Trajectory
from tqdm import tqdm

_JPEG_START = b'\xff\xd8\xff'

_LOG = logging.getLogger(__name__)


def import_poses(
    source: Source, output: Path, *, metric: bool, options: Mapping[str, Any]
) -> ImportSummary:
    """
    Make `capture` in `output`, and `sfm` where the source has a model.

    A folder where this was begun is continued, one where it is finished is left as it is;
    `options` are what else the labels depend on. Raises CaptureError for an output folder of
    another run, DatasetError for too few images with a pose, for images of another size than
    the camera's, and for poses that are all the same.
    """
    check_poses(source.path, source.posed, source.rejected)
    check_first_size(source)
    check_place(output, source)
    claim(output, **source.describe())
    options = {**options, 'metric': metric}
    with at_work(output):
        capture = output / 'capture'
        finished = _finished(output, options, source)
        if finished is not None:
            return finished
        check_no_model(output)
        posed, damaged = _copied(source, capture)
        rejected = sorted([*source.rejected, *damaged])
        check_poses(source.path, posed, rejected)
        return _written(source, output, posed, rejected, metric, options)


def _finished(output: Path, options: Mapping[str, Any], source: Source) -> ImportSummary | None:
    """Return the summary of a capture that is whole and was made with the same options."""
    capture = output / 'capture'
    has_model = source.model is None or all(map(Path.is_file, written_files(output / 'sfm')))
    if not (capture / LABELS).is_file() or not has_model:
        return None
    try:
        summary = ImportSummary.read(capture)
        camera = Capture.open(capture).camera
    except CaptureError as error:
        _LOG.warning('%s: what is missing is made again', error)
        return None
    same = summary.options == options and camera == source.camera
    return summary if same else None


def _copied(source: Source, capture: Path) -> tuple[list[PosedImage], list[Rejected]]:
    """Copy the images that are not there yet; return those that are, and the damaged ones."""
    image_path(capture, 0).parent.mkdir(parents=True, exist_ok=True)
    posed, damaged = [], []
    for image in tqdm(source.posed, desc='copying images', unit='image'):
        target = image_path(capture, image.stamp_ns)
        try:
            if not target.is_file():
                _copy(image.path, target, source.camera)
            posed.append(image)
        except ImageError as error:
            damaged.append(Rejected(image.stamp_ns, f'the image is damaged: {error}'))
    return posed, damaged


def _copy(path: Path, target: Path, camera: Camera) -> None:
    """Copy a JPEG as it is, and compress anything else."""
    rgb = read_image(path)
    check_size(path, rgb.shape, camera)
    with path.open('rb') as file:
        is_jpeg = file.read(len(_JPEG_START)) == _JPEG_START
    if not is_jpeg:
        encode_jpeg(target, rgb)
        return
    with written_whole(target) as partial:
        shutil.copyfile(path, partial)


def _written(
    source: Source,
    output: Path,
    posed: Sequence[PosedImage],
    rejected: Sequence[Rejected],
    metric: bool,
    options: Mapping[str, Any],
) -> ImportSummary:
    """Write the model, the summary, and last the labels; return the summary."""
    capture = output / 'capture'
    labels = Trajectory.from_poses(
        [image.stamp_ns for image in posed], [image.map_from_camera for image in posed]
    )
    (capture / LABELS).unlink(missing_ok=True)
    (capture / SUMMARY).unlink(missing_ok=True)
    points = None
    if source.model is not None:
        points = source.model.write(output / 'sfm', capture, labels.stamps_ns.tolist())
    camera = source.camera
    summary = ImportSummary(
        poses=str(source.path),
        images=str(source.images),
        options=dict(options),
        times=source.times.told_by,
        labelled=len(labels),
        rejected=dict(Counter(map(reason_kind, rejected)).most_common()),
        extent=np.ptp(labels.translations, axis=0).tolist(),
        camera=f'{camera.width}x{camera.height}, focal length {camera.fx:.1f} px, distortion '
        f'{camera.distortion}',
        points=points,
        metric=metric,
    )
    summary.write(capture)
    Capture.create(capture, camera=camera, labels=labels, rejected=rejected)
    return summary
