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

"""COLMAP models, text or binary, as scenes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from posenet_ros.data.colmap_files import check_whole
from posenet_ros.data.frames import Frame, Scene
from posenet_ros.errors import DatasetError
from posenet_ros.geometry import Camera, NS_PER_S, Pose

if TYPE_CHECKING:
    import pycolmap


def read_colmap(folder: Path) -> Scene:
    """
    Read the registered images of a model in `folder` or in `0`, `sparse`, `sparse/0` below it.

    Images are looked for in a folder `images` beside the model or above it. They have no
    stamps: they count as one second apart in order of their names. `map` is the model's own
    world, in its own scale. Raises DatasetError where there is no model, a damaged one, or
    images are missing.
    """
    model, reconstruction = open_model(folder)
    registered = sorted(
        (image for image in reconstruction.images.values() if image.has_pose),
        key=lambda image: image.name,
    )
    if not registered:
        raise DatasetError(f'the COLMAP model {model} has no registered images')
    images = _images_folder(model, registered[0].name)
    frames = tuple(
        _frame(images / image.name, image, index) for index, image in enumerate(registered)
    )
    missing = [frame.image for frame in frames if not frame.image.is_file()]
    if missing:
        raise DatasetError(
            f'{len(missing)} of {len(frames)} images of the COLMAP model {model} are missing, '
            f'the first is {missing[0]}'
        )
    cameras = list(reconstruction.cameras.values())
    camera = camera_from_colmap(cameras[0]) if len(cameras) == 1 else None
    return Scene(folder.resolve().name, frames, camera=camera)


def open_model(folder: Path) -> tuple[Path, pycolmap.Reconstruction]:
    """
    Return a model in `folder` or in `0`, `sparse`, `sparse/0` below it, and where it was.

    Raises DatasetError where there is no model, or a damaged one.
    """
    model = find_model(folder)
    check_whole(model)
    import pycolmap

    try:
        return model, pycolmap.Reconstruction(str(model))
    except (RuntimeError, ValueError, IndexError) as error:
        reason = ' '.join(str(error).split())
        raise DatasetError(f'{model} is no COLMAP model, or damaged ({reason})') from error


def find_model(folder: Path) -> Path:
    """Return the folder of a model: this one, or `0`, `sparse` or `sparse/0` below it."""
    for model in (folder, folder / '0', folder / 'sparse', folder / 'sparse' / '0'):
        for suffix in ('.bin', '.txt'):
            if all((model / f'{part}{suffix}').is_file() for part in ('cameras', 'images')):
                return model
    raise DatasetError(
        f'{folder} holds no COLMAP model: expected cameras.bin and images.bin (or .txt) in it, '
        'in sparse or in sparse/0'
    )


def _images_folder(model: Path, name: str) -> Path:
    above = [model, *model.resolve().parents[:3]]
    for folder in [base / 'images' for base in above] + above:
        if (folder / name).is_file():
            return folder
    raise DatasetError(
        f'the image {name} of the COLMAP model {model} is in no folder "images" beside or above it'
    )


def _frame(path: Path, image: pycolmap.Image, index: int) -> Frame:
    sequence = str(Path(image.name).parent)
    return Frame(path, map_from_camera(image), index * NS_PER_S, sequence)


def map_from_camera(image: pycolmap.Image) -> Pose:
    """Return the pose of a registered image, where the map is the model's own world."""
    matrix = image.cam_from_world().matrix()
    return Pose.from_matrix(matrix, target='camera', source='map').inverse()


def camera_from_colmap(camera: pycolmap.Camera) -> Camera | None:
    """
    Return a COLMAP camera in ROS's convention, None for a model that ROS has no name for.

    COLMAP puts the centre of the first pixel at 0.5, ROS at 0.
    """
    values = dict(zip(camera.params_info.split(', '), camera.params, strict=True))
    model = _distortion(camera.model_name, values)
    if model is None:
        return None
    distortion, coefficients = model
    fx, fy = (values['f'],) * 2 if 'f' in values else (values['fx'], values['fy'])
    return Camera(
        camera.width,
        camera.height,
        fx,
        fy,
        values['cx'] - 0.5,
        values['cy'] - 0.5,
        distortion,
        coefficients,
    )


def _distortion(model: str, values: dict[str, float]) -> tuple[str, tuple[float, ...]] | None:
    """
    Return ROS's name of the distortion with its coefficients.

    Models with fewer coefficients are the larger ones with zeros.
    """
    if model in ('SIMPLE_PINHOLE', 'PINHOLE'):
        return 'none', ()
    k = [values.get(f'k{index}', 0.0) for index in range(1, 7)]
    if 'k' in values:
        k[0] = values['k']
    p1, p2 = values.get('p1', 0.0), values.get('p2', 0.0)
    if model in ('SIMPLE_RADIAL', 'RADIAL', 'OPENCV'):
        return 'plumb_bob', (k[0], k[1], p1, p2, 0.0)
    if model == 'FULL_OPENCV':
        return 'rational_polynomial', (k[0], k[1], p1, p2, *k[2:])
    if model in ('SIMPLE_RADIAL_FISHEYE', 'RADIAL_FISHEYE', 'OPENCV_FISHEYE'):
        return 'equidistant', (k[0], k[1], k[2], k[3])
    return None
