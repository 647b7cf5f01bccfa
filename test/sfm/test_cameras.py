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

"""ROS's camera in COLMAP's words."""

import numpy as np
from posenet_ros.data.colmap import camera_from_colmap
from posenet_ros.geometry import Camera
from posenet_ros.sfm.cameras import colmap_camera
import pycolmap
import pytest

POINTS = np.array([[0.3, -0.2, 1.0], [-0.5, 0.4, 1.5], [0.0, 0.0, 2.0]])


def as_colmap(described):
    camera = pycolmap.Camera.create_from_model_name(
        1, described['model'], 1.0, described['width'], described['height']
    )
    camera.params = described['params']
    return camera


def lens(distortion='none', *coefficients, fy=500.0):
    return Camera(640, 480, 500.0, fy, 310.0, 245.0, distortion, coefficients)


@pytest.mark.parametrize(
    ('camera', 'model', 'refine'),
    [
        (lens(), 'SIMPLE_RADIAL', True),
        (lens(fy=450.0), 'OPENCV', True),
        (lens('plumb_bob', 0.1, -0.05, 0.001, 0.002, 0.0), 'OPENCV', False),
        (lens('plumb_bob', 0.1, -0.05, 0.001, 0.002, 0.03), 'FULL_OPENCV', False),
        (
            lens('rational_polynomial', 0.1, -0.05, 0.001, 0.002, 0.03, 0.2, 0.1, 0.05),
            'FULL_OPENCV',
            False,
        ),
        (lens('equidistant', 0.1, -0.05, 0.01, 0.002), 'OPENCV_FISHEYE', False),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_calibrated_camera_keeps_its_lens_and_comes_back_the_same(camera, model, refine):
    described = colmap_camera(camera, 640, 480)
    assert (described['model'], described['refine_distortion']) == (model, refine)
    assert described['calibrated']
    found = camera_from_colmap(as_colmap(described))
    assert (found.fx, found.fy, found.cx, found.cy) == (camera.fx, camera.fy, 310.0, 245.0)
    given = [*camera.coefficients, *[0.0] * 8]
    assert list(found.coefficients) == given[: len(found.coefficients)]


def test_a_pixel_is_half_a_pixel_further_in_colmap():
    camera = lens()
    pixels = as_colmap(colmap_camera(camera, 640, 480)).img_from_cam(POINTS)
    np.testing.assert_allclose(pixels - camera.project(POINTS), 0.5)


def test_a_lens_of_opencv_projects_as_opencv_does():
    import cv2

    coefficients = (0.1, -0.05, 0.001, 0.002, 0.03)
    camera = lens('plumb_bob', *coefficients)
    pixels = as_colmap(colmap_camera(camera, 640, 480)).img_from_cam(POINTS)
    theirs, _ = cv2.projectPoints(
        POINTS, np.zeros(3), np.zeros(3), camera.matrix, np.array(coefficients)
    )
    np.testing.assert_allclose(pixels - 0.5, theirs[:, 0], atol=1e-9)


def test_an_unknown_camera_is_guessed_and_refined():
    described = colmap_camera(None, 640, 480)
    assert not described['calibrated']
    assert described['refine_distortion']
    # The centre of the image is between the pixels 319 and 320: 320 in COLMAP.
    assert described['params'][1:3] == [320.0, 240.0]
    assert described['params'][0] == pytest.approx(768.0)
