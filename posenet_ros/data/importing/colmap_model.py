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

"""A COLMAP model that is read with all it holds, and written for a capture."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
import shutil
from typing import TYPE_CHECKING

from posenet_ros.data.capture import image_path, IMAGES
from posenet_ros.data.colmap_files import check_whole
from posenet_ros.errors import DatasetError

if TYPE_CHECKING:
    import pycolmap

_PARTS = ('cameras', 'rigs', 'frames', 'images', 'points3D')
# What COLMAP itself needs to read a model; before rigs there were no others.
_NEEDED = ('cameras', 'images', 'points3D')


def model_files(folder: Path) -> tuple[Path, ...]:
    """
    Return the files of the model in `folder` or in `0`, `sparse`, `sparse/0` below it.

    Raises DatasetError where there is none.
    """
    for model in (folder, folder / '0', folder / 'sparse', folder / 'sparse' / '0'):
        for suffix in ('.bin', '.txt'):
            if all((model / f'{part}{suffix}').is_file() for part in _NEEDED):
                files = (model / f'{part}{suffix}' for part in _PARTS)
                return tuple(path for path in files if path.is_file())
    raise DatasetError(
        f'{folder} holds no COLMAP model: expected cameras, images and points3D, .bin or .txt, '
        'in it, in sparse or in sparse/0'
    )


def written_files(folder: Path) -> tuple[Path, ...]:
    """Return the files that `ColmapModel.write` leaves in a folder."""
    return tuple(folder / f'{part}.bin' for part in _PARTS)


def read_model(model: Path) -> pycolmap.Reconstruction:
    """Read the model in a folder; raise DatasetError for a damaged one."""
    check_whole(model)
    import pycolmap

    try:
        return pycolmap.Reconstruction(str(model))
    except (RuntimeError, ValueError, IndexError) as error:
        reason = ' '.join(str(error).split())
        raise DatasetError(f'{model} is no COLMAP model, or damaged ({reason})') from error


@dataclass(frozen=True, eq=False)
class ColmapModel:
    """A model and, by the identity of the image in it, the stamps of its images."""

    reconstruction: pycolmap.Reconstruction
    stamps_ns: Mapping[int, int]

    def write(self, folder: Path, capture: Path, labelled_ns: Collection[int]) -> int:
        """
        Write the model of the labelled images, with the names that they have in a capture.

        `folder` lies beside `capture`, and a link `images` leads there: COLMAP's tools look for
        images beside the model. Each file appears whole. Returns the number of points.
        """
        for image_id, stamp_ns in self.stamps_ns.items():
            image = self.reconstruction.image(image_id)
            image.name = image_path(capture, stamp_ns).name
        self._forget(set(labelled_ns))
        partial = folder / '.partial'
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        self.reconstruction.write_binary(str(partial))
        for file in partial.iterdir():
            file.replace(folder / file.name)
        partial.rmdir()
        link = folder / IMAGES
        if not link.is_symlink():
            link.symlink_to(Path('..') / capture.name / IMAGES)
        return self.reconstruction.num_points3D()

    def _forget(self, labelled_ns: set[int]) -> None:
        """Take poses and observations away where no image of a frame has a label."""
        kept = {
            self.reconstruction.image(image_id).frame_id
            for image_id, stamp_ns in self.stamps_ns.items()
            if stamp_ns in labelled_ns
        }
        for frame_id in set(self.reconstruction.reg_frame_ids()) - kept:
            self.reconstruction.deregister_frame(frame_id)
