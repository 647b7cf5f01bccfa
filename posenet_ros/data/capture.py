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
A capture: frames taken from a recording, with their camera and labels, in one folder.

    images/STAMP.jpg   the frames, named by their stamp in nanoseconds (19 digits)
    camera.yaml        the camera that took them
    rejected.csv       the frames that were not labelled, and why
    labels.tum         `map_from_camera` of every other frame; written last

A folder with labels is whole: the labels appear when everything that they speak of is there.
"""

from __future__ import annotations

from collections.abc import Iterable
import csv
from dataclasses import dataclass
import io
from pathlib import Path
from typing import NamedTuple

from posenet_ros.data.frames import Frame
from posenet_ros.errors import CaptureError, GeometryError
from posenet_ros.files import read_yaml, write_text, write_yaml
from posenet_ros.geometry import Camera, read_tum, Trajectory, write_tum

IMAGES = 'images'
CAMERA = 'camera.yaml'
REJECTED = 'rejected.csv'
LABELS = 'labels.tum'


class Rejected(NamedTuple):
    """A frame that has no label: its stamp in nanoseconds and the reason."""

    stamp_ns: int
    reason: str


def image_path(root: Path, stamp_ns: int) -> Path:
    """Return where the frame of a stamp is kept; names sort in order of time."""
    return root / IMAGES / f'{stamp_ns:019d}.jpg'


@dataclass(frozen=True, eq=False)
class Capture:
    """A whole capture folder `root`; `labels` are `map_from_camera`."""

    root: Path
    camera: Camera
    labels: Trajectory
    rejected: tuple[Rejected, ...] = ()

    @classmethod
    def create(
        cls, root: Path, *, camera: Camera, labels: Trajectory, rejected: Iterable[Rejected] = ()
    ) -> Capture:
        """
        Complete a folder whose images are already there (see `image_path`).

        Labels of an earlier run are taken away first and the new ones come last, so that a
        folder is never a mixture. Raises CaptureError where a labelled image is missing.
        """
        capture = cls(root, camera, labels, tuple(rejected))
        capture._check_images()
        (root / LABELS).unlink(missing_ok=True)
        write_yaml(root / CAMERA, camera.to_dict())
        _write_rejected(root / REJECTED, capture.rejected)
        write_tum(root / LABELS, labels)
        return capture

    @classmethod
    def open(cls, root: Path) -> Capture:
        """
        Read a capture folder.

        Raises CaptureError where there is none, where it is incomplete, or where a file is
        damaged.
        """
        if not root.is_dir():
            raise CaptureError(f'no such capture: {root}')
        if not (root / LABELS).is_file():
            raise CaptureError(
                f'the capture {root} is incomplete: it has no {LABELS}; label again'
            )
        try:
            camera = Camera.from_dict(read_yaml(root / CAMERA, CaptureError))
            labels = read_tum(root / LABELS, target='map', source='camera')
        except GeometryError as error:
            raise CaptureError(f'the capture {root} is damaged: {error}') from error
        capture = cls(root, camera, labels, _read_rejected(root / REJECTED))
        capture._check_images()
        return capture

    def image_path(self, stamp_ns: int) -> Path:
        """Return the file of the frame with a stamp."""
        return image_path(self.root, stamp_ns)

    def frames(self) -> tuple[Frame, ...]:
        """Return the labelled frames in order of time."""
        return tuple(
            Frame(self.image_path(int(stamp_ns)), pose, int(stamp_ns))
            for stamp_ns, pose in zip(self.labels.stamps_ns, self.labels, strict=True)
        )

    def _check_images(self) -> None:
        paths = [self.image_path(int(stamp_ns)) for stamp_ns in self.labels.stamps_ns]
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise CaptureError(
                f'the capture {self.root} lacks {len(missing)} of {len(paths)} labelled images, '
                f'the first is {missing[0].name}; label again'
            )


def _write_rejected(path: Path, rejected: Iterable[Rejected]) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator='\n')
    rows.writerow(Rejected._fields)
    rows.writerows(rejected)
    write_text(path, text.getvalue())


def _read_rejected(path: Path) -> tuple[Rejected, ...]:
    try:
        with path.open(encoding='utf-8', newline='') as file:
            rows = list(csv.DictReader(file, strict=True))
        return tuple(Rejected(int(row['stamp_ns']), row['reason'] or '') for row in rows)
    except OSError as error:
        raise CaptureError(f'cannot read {path}: {error.strerror}') from error
    except (csv.Error, KeyError, TypeError, ValueError) as error:
        raise CaptureError(f'{path} is damaged: expected rows stamp_ns,reason') from error
