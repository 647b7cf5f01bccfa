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

"""Poses of a COLMAP model for its images."""

import struct

from posenet_ros.data.importing.from_colmap import source_from_colmap
from posenet_ros.errors import DatasetError
import pytest

pycolmap = pytest.importorskip('pycolmap')


def reasons(source):
    return {each.stamp_ns: each.reason for each in source.rejected}


@pytest.mark.parametrize('text', [False, True])
def test_poses_and_camera_are_those_of_the_model(tmp_path, drive, text):
    drive.write_images(tmp_path / 'images', drive.names())
    model = drive.write_model(tmp_path / 'sparse', drive.names(), text=text)
    for folder in (tmp_path, model):
        source = source_from_colmap(folder)
        assert [image.stamp_ns for image in source.posed] == list(drive.stamps_ns)
        for image, expected in zip(source.posed, drive.poses(), strict=True):
            assert image.path == tmp_path / 'images' / f'{image.stamp_ns}.jpg'
            assert image.map_from_camera.distance(expected) == pytest.approx((0, 0), abs=1e-9)
        # COLMAP's centre of the first pixel is (0.5, 0.5).
        assert source.camera == drive.camera
        assert source.rejected == ()


def test_text_written_before_colmap_had_rigs(tmp_path, drive):
    drive.write_images(tmp_path / 'images', drive.names())
    model = drive.write_model(tmp_path / 'sparse', drive.names(), text=True)
    for name in ('rigs.txt', 'frames.txt'):
        (model / name).unlink()
    source = source_from_colmap(tmp_path)
    last = source.posed[-1].map_from_camera
    assert last.distance(drive.pose(11)) == pytest.approx((0, 0), abs=1e-9)


def test_names_that_tell_no_time_are_numbered(tmp_path, drive):
    names = [f'b/IMG_{index}.jpg' for index in range(8, 14)] + ['a/x.jpg']
    drive.write_images(tmp_path / 'images', names)
    drive.write_model(tmp_path, names)
    source = source_from_colmap(tmp_path)
    told = {image.path.name: image.stamp_ns // 10**9 for image in source.posed}
    assert told == {'x.jpg': 0, **{f'IMG_{index}.jpg': index - 7 for index in range(8, 14)}}
    moved = {image.path.name: image.map_from_camera for image in source.posed}
    assert moved['x.jpg'].distance(drive.pose(6)) == pytest.approx((0, 0), abs=1e-9)


def test_images_that_did_not_register_or_are_gone_are_told(project, drive):
    drive.write_images(project / 'images', ['1305031102100000000.jpg'])
    (project / 'images' / drive.names()[4]).unlink()
    source = source_from_colmap(project)
    assert len(source.posed) == 11
    assert reasons(source) == {
        1305031102100000000: 'not in the model: 1305031102100000000.jpg',
        drive.stamps_ns[4]: f'the image is missing: {drive.names()[4]}',
    }


def test_images_elsewhere_are_given(project, tmp_path, drive):
    (project / 'images').rename(tmp_path / 'photos')
    with pytest.raises(DatasetError, match='beside or above it: give --images') as raised:
        source_from_colmap(project)
    assert drive.names()[0] in str(raised.value)
    assert len(source_from_colmap(project, tmp_path / 'photos').posed) == 12
    with pytest.raises(DatasetError, match=f'is in {tmp_path}; one is'):
        source_from_colmap(project, tmp_path)


def test_equal_cameras_are_one(tmp_path, drive):
    drive.write_images(tmp_path / 'images', drive.names())
    drive.write_model(tmp_path, drive.names(), cameras=('OPENCV',) * 3)
    assert source_from_colmap(tmp_path).camera == drive.camera


def test_several_cameras_are_refused(tmp_path, drive):
    drive.write_images(tmp_path / 'images', drive.names())
    drive.write_model(tmp_path, drive.names(), cameras=('PINHOLE', 'OPENCV'))
    with pytest.raises(DatasetError, match='are of 2 cameras, and a capture has one'):
        source_from_colmap(tmp_path)


def test_a_camera_that_ros_has_no_name_for(tmp_path, drive):
    drive.write_images(tmp_path / 'images', drive.names())
    drive.write_model(tmp_path, drive.names(), cameras=('FOV',))
    with pytest.raises(DatasetError, match='is a FOV, which ROS has no name for: undistort'):
        source_from_colmap(tmp_path)


def test_a_pose_that_is_not_finite(project, drive):
    x = drive.pose(3).inverse().translation[0]
    for name in ('images.bin', 'frames.bin'):
        path = project / 'sparse' / '0' / name
        content = path.read_bytes()
        assert struct.pack('<d', x) in content
        path.write_bytes(content.replace(struct.pack('<d', x), struct.pack('<d', float('nan'))))
    with pytest.raises(DatasetError, match=f'pose of {drive.names()[3]} .* where no camera can'):
        source_from_colmap(project)


def test_folders_that_hold_no_model(project, drive):
    with pytest.raises(DatasetError, match='expected cameras, images and points3D'):
        source_from_colmap(project / 'images')
    path = project / 'sparse' / '0' / 'images.bin'
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DatasetError, match=r'images\.bin is truncated'):
        source_from_colmap(project)


def test_damaged_text_is_one_line(tmp_path, drive):
    drive.write_images(tmp_path / 'images', drive.names())
    model = drive.write_model(tmp_path / 'sparse', drive.names(), text=True)
    (model / 'cameras.txt').write_text('1 OPENCV 8\n')
    with pytest.raises(DatasetError, match='or damaged') as raised:
        source_from_colmap(tmp_path)
    assert '\n' not in str(raised.value)


def test_a_model_without_registered_images(tmp_path):
    pycolmap.Reconstruction().write_binary(str(tmp_path))
    with pytest.raises(DatasetError, match='no registered images'):
        source_from_colmap(tmp_path)
