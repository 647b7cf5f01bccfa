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

"""Cameras from files and numbers."""

from posenet_ros.data.importing.camera_file import camera_from_numbers, read_camera
from posenet_ros.errors import ConfigError
from posenet_ros.files import write_yaml
from posenet_ros.geometry import Camera
import pytest

SIZE = [640.0, 480.0, 500.0, 510.0, 320.0, 240.0]
ROS = {
    'image_width': 640,
    'image_height': 480,
    'camera_name': 'front',
    'camera_matrix': {'rows': 3, 'cols': 3, 'data': [500, 0, 320, 0, 510, 240, 0, 0, 1]},
    'distortion_model': 'equidistant',
    'distortion_coefficients': {'rows': 1, 'cols': 4, 'data': [0.1, 0.2, 0.3, 0.4]},
}


@pytest.mark.parametrize(
    ('more', 'distortion', 'coefficients'),
    [
        ([], 'none', ()),
        ([0.1, 0.2, 0.3, 0.4], 'plumb_bob', (0.1, 0.2, 0.3, 0.4, 0)),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 'plumb_bob', (0.1, 0.2, 0.3, 0.4, 0.5)),
        ([1.0, 2, 3, 4, 5, 6, 7, 8], 'rational_polynomial', (1, 2, 3, 4, 5, 6, 7, 8)),
    ],
)
def test_numbers_are_those_of_camera_info(more, distortion, coefficients):
    camera = camera_from_numbers([*SIZE, *more])
    assert camera == Camera(640, 480, 500, 510, 320, 240, distortion, coefficients)


@pytest.mark.parametrize(
    ('numbers', 'complaint'),
    [
        (SIZE[:5], 'got 5 numbers'),
        ([*SIZE, 0.1], 'got 7 numbers'),
        ([640.5, *SIZE[1:]], 'positive size'),
        ([*SIZE[:2], -500.0, *SIZE[3:]], 'positive size and focal length'),
        ([*SIZE[:5], float('nan')], 'finite'),
        ([float('nan'), *SIZE[1:]], 'positive size'),
    ],
)
def test_numbers_of_no_camera_are_refused(numbers, complaint):
    with pytest.raises(ConfigError, match=f'--intrinsics .*{complaint}'):
        camera_from_numbers(numbers)


def test_the_camera_of_a_capture(tmp_path):
    camera = Camera(8, 6, 10, 11, 4, 3, 'plumb_bob', (0.1, 0.2, 0, 0, 0.3))
    write_yaml(tmp_path / 'camera.yaml', camera.to_dict())
    assert read_camera(tmp_path / 'camera.yaml') == camera


def test_the_calibration_file_of_ros(tmp_path):
    write_yaml(tmp_path / 'ost.yaml', ROS)
    camera = read_camera(tmp_path / 'ost.yaml')
    assert camera == Camera(640, 480, 500, 510, 320, 240, 'equidistant', (0.1, 0.2, 0.3, 0.4))


@pytest.mark.parametrize(
    'values',
    [
        {'width': 640},
        {**ROS, 'camera_matrix': {'data': [1, 2]}},
        {**ROS, 'distortion_coefficients': None},
        {**ROS, 'distortion_model': 'fov'},
        {'image_width': 640, 'camera_matrix': {'data': [0] * 9}},
    ],
)
def test_a_file_of_no_camera_is_named(tmp_path, values):
    write_yaml(tmp_path / 'camera.yaml', values)
    with pytest.raises(ConfigError, match=r'camera\.yaml is the file of no camera') as raised:
        read_camera(tmp_path / 'camera.yaml')
    assert '\n' not in str(raised.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(ConfigError, match='cannot read'):
        read_camera(tmp_path / 'camera.yaml')
