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

"""What is imported: images with poses, and those that have none."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

from posenet_ros.data.capture import Rejected
from posenet_ros.data.importing.colmap_model import ColmapModel
from posenet_ros.data.importing.times import Times
from posenet_ros.geometry import Camera, Pose

_BLOCK = 1 << 20


class PosedImage(NamedTuple):
    """An image file, its stamp in nanoseconds, and where it was taken."""

    path: Path
    stamp_ns: int
    map_from_camera: Pose


@dataclass(frozen=True, eq=False)
class Source:
    """
    Poses that others have found, and the images that they belong to.

    `path` is where the poses come from and `files` what they were read from; `images` is the
    folder of the images and `times` tells when each was taken. `model` is None for a
    trajectory.
    """

    path: Path
    files: tuple[Path, ...]
    images: Path
    times: Times
    camera: Camera
    posed: tuple[PosedImage, ...]
    rejected: tuple[Rejected, ...]
    model: ColmapModel | None = None

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return sections for run.yaml by which the same source is known (see `run.claim`)."""
        digest, size = hashlib.sha256(), 0
        for path in self.files:
            with path.open('rb') as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    size += len(block)
        poses = {'name': self.path.name, 'bytes': size, 'sha256': digest.hexdigest()[:32]}
        return {'recording': poses, 'images': self._describe_images()}

    def _describe_images(self) -> dict[str, Any]:
        """Return what images are known by: to read all would take as long as to import them."""
        files = {name: self.images / name for name in sorted(self.times.stamps_ns)}
        sizes = {name: path.stat().st_size for name, path in files.items() if path.is_file()}
        rows = '\n'.join(f'{name} {size}' for name, size in sizes.items())
        return {
            'number': len(sizes),
            'bytes': sum(sizes.values()),
            'names_and_sizes_sha256': hashlib.sha256(rows.encode()).hexdigest()[:32],
        }
