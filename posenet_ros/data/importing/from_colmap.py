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

"""The images of a COLMAP model and their poses."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from posenet_ros.data.capture import Rejected
from posenet_ros.data.colmap import camera_from_colmap
from posenet_ros.data.importing.colmap_model import ColmapModel, model_files, read_model
from posenet_ros.data.importing.source import PosedImage, Source
from posenet_ros.data.importing.times import image_names, times_of
from posenet_ros.errors import DatasetError, GeometryError
from posenet_ros.geometry import Camera, Pose

if TYPE_CHECKING:
    import pycolmap


def source_from_colmap(folder: Path, images: Path | None = None) -> Source:
    """
    Read a model (see `model_files`) and find its images, in `images` where that is given.

    The map is the world of the model, with its scale. What lies in the folder of the images and
    is not registered is rejected, as is what is registered and does not lie there. Raises
    DatasetError for a model that is damaged, empty or of several cameras, for a camera that ROS
    has no name for, and where there are no images.
    """
    files = model_files(folder)
    path = files[0].parent
    reconstruction = read_model(path)
    registered = {image.name: image for image in reconstruction.images.values() if image.has_pose}
    if not registered:
        raise DatasetError(f'the COLMAP model {path} has no registered images')
    camera = _camera(path, reconstruction, {image.camera_id for image in registered.values()})
    images = _images_folder(path, images, registered)
    times = times_of(images, {*registered, *image_names(images)})
    posed, rejected = [], []
    for name, stamp_ns in times.stamps_ns.items():
        if name not in registered:
            rejected.append(Rejected(stamp_ns, f'not in the model: {name}'))
        elif not (images / name).is_file():
            rejected.append(Rejected(stamp_ns, f'the image is missing: {name}'))
        else:
            pose = _pose(path, registered[name])
            posed.append(PosedImage(images / name, stamp_ns, pose))
    stamps_ns = {image.image_id: times.stamps_ns[name] for name, image in registered.items()}
    model = ColmapModel(reconstruction, stamps_ns)
    return Source(path, files, images, times, camera, tuple(posed), tuple(rejected), model)


def _camera(path: Path, reconstruction: pycolmap.Reconstruction, used: Collection[int]) -> Camera:
    """Return the one camera; several that are equal are one."""
    cameras = []
    for camera_id in sorted(used):
        own = reconstruction.camera(camera_id)
        camera = camera_from_colmap(own)
        if camera is None:
            raise DatasetError(
                f'the camera of {path} is a {own.model_name}, which ROS has no name for: '
                'undistort the images (colmap image_undistorter) and import what that writes'
            )
        cameras.append(camera)
    if len(set(cameras)) > 1:
        raise DatasetError(
            f'the images of {path} are of {len(set(cameras))} cameras, and a capture has one: '
            'reconstruct with --ImageReader.single_camera 1, or import the images of one'
        )
    return cameras[0]


def _images_folder(model: Path, given: Path | None, names: Collection[str]) -> Path:
    bases = [model, *model.resolve().parents[:3]]
    folders = [given] if given else [base / 'images' for base in bases]
    for folder in folders:
        if any((folder / name).is_file() for name in names):
            return folder.resolve()
    place = f'in {given}' if given else 'in a folder "images" beside or above it: give --images'
    raise DatasetError(
        f'none of the {len(names)} images of the COLMAP model {model} is {place}; one is '
        f'{min(names)}'
    )


def _pose(model: Path, image: pycolmap.Image) -> Pose:
    try:
        camera_from_map = Pose.from_matrix(
            image.cam_from_world().matrix(), target='camera', source='map'
        )
    except GeometryError as error:
        raise DatasetError(
            f'the pose of {image.name} in {model} is where no camera can be: {error}'
        ) from error
    return camera_from_map.inverse()
