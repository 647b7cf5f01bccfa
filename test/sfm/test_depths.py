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

"""Depths of labelled images from a COLMAP model of known truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from posenet_ros.data.colmap import map_from_camera
from posenet_ros.data.frames import Frame
from posenet_ros.errors import LabellingError
from posenet_ros.geometry import Camera, Pose
from posenet_ros.sfm.depths import depths_of
import pycolmap
import pytest
from scipy.spatial.transform import Rotation

CAMERA = Camera(1024, 768, 900.0, 900.0, 511.5, 383.5)
# Of the poses over the model.
SCALE = 2.5


@pytest.fixture(scope='module')
def reconstruction():
    """Return a model of 12 cameras that all see the same points."""
    options = pycolmap.SyntheticDatasetOptions(
        num_rigs=1, num_cameras_per_rig=1, num_frames_per_rig=12, num_points3D=300
    )
    options.camera_model_id = pycolmap.CameraModelId.PINHOLE
    options.camera_params = [900.0, 900.0, 512.0, 384.0]
    pycolmap.set_random_seed(3)
    return pycolmap.synthesize_dataset(options)


@pytest.fixture
def model(reconstruction, tmp_path):
    folder = tmp_path / 'model'
    folder.mkdir()
    reconstruction.write(str(folder))
    return folder


@pytest.fixture
def frames(reconstruction):
    """Return a frame of each image, in a map of another scale, attitude and origin."""
    turn = Rotation.from_euler('xyz', (10, 20, 30), degrees=True)
    poses = {image.name: map_from_camera(image) for image in reconstruction.images.values()}
    return [
        Frame(
            Path('somewhere', name),
            Pose(
                turn * pose.rotation,
                SCALE * turn.apply(pose.translation) + [1.0, 2.0, 3.0],
                'map',
                'camera',
            ),
            number,
        )
        for number, (name, pose) in enumerate(sorted(poses.items()))
    ]


def median_depth(reconstruction, name):
    """Return the median depth of what an image sees, in the unit of the frames' poses."""
    (image,) = (each for each in reconstruction.images.values() if each.name == name)
    seen = [reconstruction.points3D[p.point3D_id].xyz for p in image.points2D if p.has_point3D()]
    camera_from_map = image.cam_from_world().matrix()
    return SCALE * np.median(
        (np.array(seen) @ camera_from_map[:, :3].T + camera_from_map[:, 3])[:, 2]
    )


def test_depths_are_in_the_unit_of_the_poses(reconstruction, model, frames, tmp_path):
    depths = depths_of(frames, CAMERA, model=model, work=tmp_path / 'work')
    assert set(depths) == {frame.image for frame in frames}
    for frame in frames:
        expected = median_depth(reconstruction, frame.image.name)
        assert 1 / np.median(depths[frame.image]) == pytest.approx(expected, rel=0.1)


def test_an_image_that_is_not_in_the_map_asks_its_neighbours(
    reconstruction, model, frames, tmp_path
):
    near = frames[4]
    step = Pose(Rotation.identity(), np.array([0.0, 0.0, -0.5]), 'camera', 'camera')
    unknown = Frame(Path('somewhere', 'unknown.jpg'), near.map_from_camera @ step, 99)
    depths = depths_of([*frames, unknown], CAMERA, model=model, work=tmp_path / 'work')
    expected = median_depth(reconstruction, near.image.name) + 0.5
    assert 1 / np.median(depths[unknown.image]) == pytest.approx(expected, rel=0.15)


def test_an_image_that_looks_away_has_no_depth(model, frames, tmp_path):
    away = Pose(Rotation.from_euler('y', 180, degrees=True), np.zeros(3), 'camera', 'camera')
    unknown = Frame(Path('somewhere', 'away.jpg'), frames[4].map_from_camera @ away, 99)
    depths = depths_of([*frames, unknown], CAMERA, model=model, work=tmp_path / 'work')
    assert unknown.image not in depths


def test_a_map_of_another_place_is_refused(model, frames, tmp_path):
    rng = np.random.default_rng(0)
    moved = [
        Frame(
            frame.image,
            Pose(frame.map_from_camera.rotation, rng.uniform(-9, 9, 3), 'map', 'camera'),
            frame.stamp_ns,
        )
        for frame in frames
    ]
    with pytest.raises(LabellingError, match='not of one place'):
        depths_of(moved, CAMERA, model=model, work=tmp_path / 'work')


def test_a_map_of_other_images_is_refused(model, frames, tmp_path):
    others = [
        Frame(Path('somewhere', f'{n}.jpg'), frame.map_from_camera, n)
        for n, frame in enumerate(frames)
    ]
    with pytest.raises(LabellingError, match='only 0 images of the map'):
        depths_of(others, CAMERA, model=model, work=tmp_path / 'work')
