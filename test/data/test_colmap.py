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

"""COLMAP models written by pycolmap, text and binary."""

import numpy as np
from posenet_ros.data.colmap import camera_from_colmap
from posenet_ros.data.scenes import read_scene
from posenet_ros.errors import DatasetError
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation

pycolmap = pytest.importorskip('pycolmap')

SFM_FROM_CAMERA = Pose(
    Rotation.from_euler('xyz', [10, 20, 30], degrees=True), [5.0, 6, 7], 'map', 'camera'
)


def model(names, cameras=1):
    """Return a reconstruction of images that all stand at the same pose."""
    made = pycolmap.Reconstruction()
    for number in range(1, cameras + 1):
        camera = pycolmap.Camera(
            model='OPENCV',
            width=640,
            height=480,
            params=[500, 510, 320.5, 240.5, 0.1, 0.2, 0.01, 0.02],
            camera_id=number,
        )
        made.add_camera_with_trivial_rig(camera)
    matrix = SFM_FROM_CAMERA.inverse().matrix()
    for number, name in enumerate(names, start=1):
        image = pycolmap.Image(
            name=name, camera_id=min(number, cameras), image_id=number, points2D=[]
        )
        cam_from_world = pycolmap.Rigid3d(matrix[:3])
        made.add_image_with_trivial_frame(image, cam_from_world)
    return made


@pytest.fixture(params=['binary', 'text'])
def scene(tmp_path, request):
    """A project folder with sparse/0 and images, as COLMAP and hloc lay it out."""
    root = tmp_path / 'office'
    names = ['b/0002.jpg', 'b/0001.jpg', 'a/0009.jpg']
    for name in names:
        (root / 'images' / name).parent.mkdir(parents=True, exist_ok=True)
        (root / 'images' / name).write_bytes(b'')
    sparse = root / 'sparse' / '0'
    sparse.mkdir(parents=True)
    made = model(names)
    (made.write_text if request.param == 'text' else made.write_binary)(str(sparse))
    return root


def read(root):
    return read_scene(f'colmap:{root}')


def test_poses_are_the_inverse_of_cam_from_world(scene):
    for frame in read(scene).train:
        assert frame.map_from_camera.distance(SFM_FROM_CAMERA) == pytest.approx((0, 0), abs=1e-6)


def test_frames_in_order_of_their_names_a_second_apart(scene):
    frames = read(scene).train
    assert [frame.image for frame in frames] == [
        scene / 'images' / name for name in ('a/0009.jpg', 'b/0001.jpg', 'b/0002.jpg')
    ]
    assert [frame.sequence for frame in frames] == ['a', 'b', 'b']
    assert [frame.stamp_ns for frame in frames] == [0, 10**9, 2 * 10**9]


def test_the_model_is_found_from_its_own_folder_too(scene):
    for folder in (scene / 'sparse', scene / 'sparse' / '0'):
        assert len(read(folder).train) == 3


def test_the_one_camera_comes_in_the_convention_of_ros(scene):
    camera = read(scene).camera
    assert (camera.width, camera.height) == (640, 480)
    # COLMAP's centre of the first pixel is (0.5, 0.5).
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500, 510, 320, 240)
    assert camera.distortion == 'plumb_bob'
    assert camera.coefficients == (0.1, 0.2, 0.01, 0.02, 0)


def test_of_several_cameras_none_is_chosen(scene):
    model(['a/0009.jpg', 'b/0001.jpg'], cameras=2).write_binary(str(scene / 'sparse' / '0'))
    assert read(scene).camera is None


def test_missing_images(scene):
    (scene / 'images' / 'b' / '0002.jpg').unlink()
    with pytest.raises(DatasetError, match=r'1 of 3 images .* missing, the first is .*0002\.jpg'):
        read(scene)
    (scene / 'images' / 'a' / '0009.jpg').unlink()
    with pytest.raises(DatasetError, match=r'a/0009\.jpg .* is in no folder "images"'):
        read(scene)


def test_a_damaged_or_missing_model(scene):
    for path in (scene / 'sparse' / '0').iterdir():
        path.write_bytes(path.read_bytes()[:9])
    # Nine bytes of a text file are a comment, and the model without content.
    with pytest.raises(DatasetError, match=r'or damaged|no registered images') as raised:
        read(scene)
    assert '\n' not in str(raised.value)
    with pytest.raises(DatasetError, match=r'expected cameras\.bin and images\.bin'):
        read(scene / 'images')


def test_a_model_without_registered_images(scene):
    model([]).write_binary(str(scene / 'sparse' / '0'))
    with pytest.raises(DatasetError, match='no registered images'):
        read(scene)


@pytest.mark.parametrize(
    ('name', 'extra', 'distortion', 'coefficients'),
    [
        ('SIMPLE_PINHOLE', [], 'none', ()),
        ('SIMPLE_RADIAL', [0.1], 'plumb_bob', (0.1, 0, 0, 0, 0)),
        ('RADIAL', [0.1, 0.2], 'plumb_bob', (0.1, 0.2, 0, 0, 0)),
        ('SIMPLE_RADIAL_FISHEYE', [0.1], 'equidistant', (0.1, 0, 0, 0)),
        ('RADIAL_FISHEYE', [0.1, 0.2], 'equidistant', (0.1, 0.2, 0, 0)),
    ],
)
def test_cameras_with_one_focal_length(name, extra, distortion, coefficients):
    camera = camera_from_colmap(
        pycolmap.Camera(model=name, width=640, height=480, params=[500, 320.5, 240.5, *extra])
    )
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500, 500, 320, 240)
    assert (camera.distortion, camera.coefficients) == (distortion, coefficients)


@pytest.mark.parametrize(
    ('name', 'extra', 'distortion', 'coefficients'),
    [
        ('PINHOLE', [], 'none', ()),
        ('OPENCV_FISHEYE', [1, 2, 3, 4], 'equidistant', (1, 2, 3, 4)),
        # COLMAP's order is k1 k2 p1 p2 k3 k4 k5 k6, as OpenCV's and ROS's.
        ('FULL_OPENCV', [1, 2, 3, 4, 5, 6, 7, 8], 'rational_polynomial', (1, 2, 3, 4, 5, 6, 7, 8)),
    ],
)
def test_cameras_with_two_focal_lengths(name, extra, distortion, coefficients):
    params = [500, 510, 320.5, 240.5, *extra]
    camera = camera_from_colmap(pycolmap.Camera(model=name, width=640, height=480, params=params))
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500, 510, 320, 240)
    assert (camera.distortion, camera.coefficients) == (distortion, coefficients)


def test_a_model_that_ros_has_no_name_for_gives_no_camera():
    params = np.array([500, 500, 320, 240, 0.9])
    assert (
        camera_from_colmap(pycolmap.Camera(model='FOV', width=640, height=480, params=params))
        is None
    )
