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

"""Intrinsics: what is refused, what is kept, where pixels land."""

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Camera
import pytest
import yaml

K = [500.0, 0, 320, 0, 510, 240, 0, 0, 1]


def from_info(model='plumb_bob', d=(), k=K):
    return Camera.from_info(width=640, height=480, k=k, distortion_model=model, d=d)


def test_points_project_by_hand():
    camera = Camera(640, 480, 500, 510, 320, 240)
    pixels = camera.project([[0, 0, 2], [1, -1, 2], [0, 0, -1], [0, 0, 0]])
    np.testing.assert_allclose(pixels[:2], [[320, 240], [570, -15]])
    assert np.isnan(pixels[2:]).all()
    np.testing.assert_array_equal(camera.matrix, np.reshape(K, (3, 3)))


def test_resizing_keeps_the_corners_of_the_image():
    camera = Camera(640, 480, 500, 510, 319.5, 239.5)
    half = camera.resized(320, 240)
    # The middle of the image stays its middle: between pixels 159 and 160.
    assert (half.cx, half.cy, half.fx, half.fy) == (159.5, 119.5, 250, 255)
    point = np.array([[0.3, -0.2, 1.0]])
    large, small = camera.project(point), half.project(point)
    np.testing.assert_allclose((large + 0.5) / 2, small + 0.5)


@pytest.mark.parametrize(
    ('model', 'd', 'expected'),
    [
        ('plumb_bob', (0.1, 0.2, 0.3, 0.4, 0.5), ('plumb_bob', 5)),
        ('plumb_bob', (0.1, 0.2, 0.3, 0.4), ('plumb_bob', 5)),
        ('plumb_bob', (0.0,) * 5, ('none', 0)),
        ('rational_polynomial', (0.1,) * 8, ('rational_polynomial', 8)),
        ('rational_polynomial', (0.1,) * 8 + (0.0,) * 4, ('rational_polynomial', 8)),
        ('equidistant', (0.1,) * 4, ('equidistant', 4)),
        ('', (0.1,) * 5, ('none', 0)),
        ('anything', (), ('none', 0)),
    ],
)
def test_distortion_of_camera_info(model, d, expected):
    camera = from_info(model, d)
    assert (camera.distortion, len(camera.coefficients)) == expected
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500, 510, 320, 240)


@pytest.mark.parametrize(
    ('model', 'd', 'complaint'),
    [
        ('fisheye62', (0.1,) * 6, "unknown distortion 'fisheye62'; known are none, plumb_bob"),
        ('rational_polynomial', (0.1,) * 12, 'has 8 coefficients, not 12'),
        ('equidistant', (0.1,) * 3, 'has 4 coefficients, not 3'),
        ('plumb_bob', (0.1, 0.2, np.nan, 0, 0), 'finite'),
    ],
)
def test_distortion_that_cannot_be_represented_is_refused(model, d, complaint):
    with pytest.raises(GeometryError, match=complaint):
        from_info(model, d)


def test_an_uncalibrated_camera_is_refused():
    with pytest.raises(GeometryError, match='uncalibrated'):
        from_info(k=[0.0] * 9)


@pytest.mark.parametrize(
    'values',
    [
        {'width': 0},
        {'height': -1},
        {'fx': 0},
        {'fy': -5},
        {'cx': float('nan')},
        {'fx': float('inf')},
    ],
)
def test_what_no_camera_has_is_refused(values):
    sound = {'width': 640, 'height': 480, 'fx': 500, 'fy': 510, 'cx': 320, 'cy': 240}
    with pytest.raises(GeometryError):
        Camera(**{**sound, **values})


def test_a_camera_survives_yaml_even_when_made_of_numpy_numbers():
    numbers = np.array([500, 510, 320, 240.25, 0.1, 0.2, 0, 0, 0.3])
    camera = Camera(640, 480, *numbers[:4], 'plumb_bob', tuple(numbers[4:]))
    text = yaml.safe_dump(camera.to_dict())
    assert Camera.from_dict(yaml.safe_load(text)) == camera


@pytest.mark.parametrize(
    'change', [{'focus': 1}, {'fx': None}, {'fx': 'wide'}, {'coefficients': 5}, {'fy': ()}]
)
def test_a_dictionary_that_is_no_camera_is_refused(change):
    values = {**Camera(640, 480, 500, 510, 320, 240).to_dict(), **change}
    with pytest.raises(GeometryError):
        Camera.from_dict(values)
    del values['width']
    with pytest.raises(GeometryError, match='not a camera'):
        Camera.from_dict(values)
