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

"""What must be true before images and poses become a capture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from posenet_ros.data.capture import Rejected
from posenet_ros.data.images import read_image
from posenet_ros.data.importing.source import PosedImage, Source
from posenet_ros.data.run import RUN
from posenet_ros.errors import CaptureError, DatasetError, ImageError
from posenet_ros.files import read_yaml
from posenet_ros.geometry import Camera

FEWEST_FRAMES = 10


def reason_kind(rejected: Rejected) -> str:
    """Return a reason without what is of the one image, to count by."""
    return rejected.reason.partition(':')[0]


def check_poses(path: Path, posed: Sequence[PosedImage], rejected: Sequence[Rejected]) -> None:
    """Refuse too few images with a pose, and poses that nothing can be learned from."""
    if len(posed) < FEWEST_FRAMES:
        raise DatasetError(
            f'only {len(posed)} images have a pose of {path}, at least {FEWEST_FRAMES} are '
            f'needed{_most_are(rejected)}'
        )
    first = posed[0].map_from_camera
    if all(max(first.distance(image.map_from_camera)) < 1e-9 for image in posed):
        raise DatasetError(f'all {len(posed)} poses of {path} are the same: no camera moved')


def _most_are(rejected: Sequence[Rejected]) -> str:
    for kind, count in Counter(map(reason_kind, rejected)).most_common(1):
        first = next(each.reason for each in rejected if reason_kind(each) == kind)
        return f'; {count} have none, as in "{first}"'
    return ''


def check_first_size(source: Source) -> None:
    """Look at one image, before a folder is made; raise DatasetError for another size."""
    for image in source.posed:
        try:
            check_size(image.path, read_image(image.path).shape, source.camera)
        except ImageError:
            continue
        return


def check_size(path: Path, shape: Sequence[int], camera: Camera) -> None:
    """Refuse an image whose size is not that of the camera."""
    height, width = shape[:2]
    if (width, height) != (camera.width, camera.height):
        raise DatasetError(
            f'{path} has {width}x{height} pixels and the camera {camera.width}x{camera.height}: '
            'give the images that the intrinsics are for'
        )


def check_place(output: Path, source: Source) -> None:
    """Refuse an output among the images, and one that another command began."""
    if output.resolve().is_relative_to(source.images):
        raise CaptureError(
            f'{output} lies in {source.images}, among the images; choose another --output'
        )
    path = output / RUN
    if path.is_file() and 'images' not in read_yaml(path, CaptureError):
        raise CaptureError(
            f'{output} belongs to another run, which imported nothing; choose another --output, '
            'or remove that folder'
        )


def check_no_model(output: Path) -> None:
    """Refuse to change labels that a model beside them was trained on."""
    if (output / 'model').is_dir():
        raise CaptureError(
            f'{output} has a model that was trained on its labels, and these would change; '
            f'choose another --output, or remove {output / "model"} first'
        )
