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

"""The intrinsics of the delivered image, region of interest and binning included."""

from posenet_ros.data.camera_info import camera_from_info
from posenet_ros.errors import GeometryError
import pytest


def test_plain_calibration(messages):
    camera = camera_from_info(messages.info(focal=500, size=(640, 480), d=(0.1, 0, 0.01, 0, 0)))
    assert (camera.width, camera.height) == (640, 480)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500, 500, 4, 3)
    assert camera.distortion == 'plumb_bob'
    assert camera.coefficients == (0.1, 0, 0.01, 0, 0)


def test_a_region_of_interest_moves_the_centre(messages):
    camera = camera_from_info(messages.info(focal=500, size=(640, 480), roi=(2, 1, 300, 200)))
    assert (camera.width, camera.height) == (300, 200)
    assert (camera.fx, camera.cx, camera.cy) == (500, 2, 2)


def test_binning_divides_after_the_region_is_cut(messages):
    info = messages.info(focal=500, size=(640, 480), roi=(2, 1, 300, 200), binning=(2, 4))
    camera = camera_from_info(info)
    assert (camera.width, camera.height) == (150, 50)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (250, 125, 1, 0.5)


def test_a_rectified_image_is_cut_and_binned_too(messages):
    info = messages.info(focal=500, size=(640, 480), binning=(2, 2), d=(0.1, 0, 0, 0, 0))
    camera = camera_from_info(info, rectified=True)
    assert (camera.fx, camera.cx, camera.cy, camera.distortion) == (125, 1, 0.5, 'none')


@pytest.mark.parametrize(
    ('options', 'complaint'),
    [
        ({'focal': 0}, 'uncalibrated'),
        ({'model': 'swirl', 'd': (0.1, 0.2)}, "unknown distortion 'swirl'"),
    ],
)
def test_what_is_no_camera_is_refused(messages, options, complaint):
    with pytest.raises(GeometryError, match=complaint):
        camera_from_info(messages.info(**options))
