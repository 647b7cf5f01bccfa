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

"""Poses and the camera of a COLMAP model that was written for the purpose."""

from __future__ import annotations

import numpy as np
from posenet_ros.geometry import Camera, Pose
from posenet_ros.sfm.poses import read_poses
import pycolmap
import pytest
from scipy.spatial.transform import Rotation

POSES = {
    'a.jpg': Pose(
        Rotation.from_euler('xyz', [0.1, 0.2, 0.3]), np.array([1.0, 2, 3]), 'sfm', 'image'
    ),
    'left/b.jpg': Pose.identity('sfm', 'image'),
}


def nothing(done, total):
    pass


def test_poses_are_map_from_camera_by_name(write_model):
    told = []
    read = read_poses(lambda *done: told.append(done), model=str(write_model(POSES)))
    assert set(read['images']) == set(POSES)
    for name, pose in POSES.items():
        np.testing.assert_allclose(
            read['images'][name]['rotation'], pose.rotation.as_matrix(), atol=1e-9
        )
        np.testing.assert_allclose(read['images'][name]['position'], pose.translation, atol=1e-9)
    assert told == [(2, 2)]


@pytest.mark.parametrize(
    ('kind', 'params', 'camera'),
    [
        ('PINHOLE', (260, 261, 160, 120), Camera(320, 240, 260, 261, 159.5, 119.5)),
        (
            'OPENCV_FISHEYE',
            (200, 201, 160, 120, 0.1, 0.2, 0.3, 0.4),
            Camera(320, 240, 200, 201, 159.5, 119.5, 'equidistant', (0.1, 0.2, 0.3, 0.4)),
        ),
        (
            'OPENCV',
            (200, 201, 160, 120, 0.1, 0.2, 0.3, 0.4),
            Camera(320, 240, 200, 201, 159.5, 119.5, 'plumb_bob', (0.1, 0.2, 0.3, 0.4, 0)),
        ),
    ],
)
def test_the_camera_is_in_the_pixels_of_ros(write_model, kind, params, camera):
    model = write_model(POSES, kind=kind, params=[float(value) for value in params])
    assert Camera.from_dict(read_poses(nothing, model=str(model))['camera']) == camera


def test_several_cameras_are_none(write_model):
    assert read_poses(nothing, model=str(write_model(POSES, cameras=2)))['camera'] is None


def test_a_camera_that_ros_has_no_name_for_is_none(write_model):
    model = write_model(POSES, kind='FOV', params=(260.0, 260.0, 160.0, 120.0, 0.9))
    assert read_poses(nothing, model=str(model))['camera'] is None


def test_images_that_were_not_mapped_are_left_out(write_model):
    folder = write_model(POSES)
    model = pycolmap.Reconstruction(str(folder))
    number = next(n for n, image in model.images.items() if image.name == 'a.jpg')
    model.deregister_frame(model.images[number].frame_id)
    model.write(str(folder))
    assert set(read_poses(nothing, model=str(folder))['images']) == {'left/b.jpg'}
