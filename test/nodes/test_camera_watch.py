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

from __future__ import annotations

from dataclasses import replace

from posenet_ros.geometry import Camera
from posenet_ros.nodes.camera_watch import difference

TRAINED = Camera(640, 480, 525.0, 525.0, 319.5, 239.5)


def test_the_same_camera():
    assert difference(TRAINED, TRAINED, 0.02) == ''


def test_the_same_camera_at_another_size():
    assert difference(TRAINED, TRAINED.resized(320, 240), 0.001) == ''


def test_another_focal_length_is_told_with_both_numbers():
    text = difference(TRAINED, replace(TRAINED, fx=585.0), 0.02)
    assert 'fx 585.0 instead of 525.0' in text
    assert 'fy' not in text


def test_within_the_tolerance():
    assert difference(TRAINED, replace(TRAINED, fx=530.0), 0.02) == ''
    assert difference(TRAINED, replace(TRAINED, fx=530.0), 0.001) != ''


def test_another_shape():
    text = difference(TRAINED, Camera(640, 360, 525.0, 525.0, 319.5, 179.5), 0.02)
    assert '640x360' in text
    assert '640x480' in text


def test_a_lens_that_was_not_rectified():
    lens = replace(TRAINED, distortion='plumb_bob', coefficients=(0.1, 0, 0, 0, 0))
    assert 'distortion' in difference(TRAINED, lens, 0.02)
    assert difference(lens, lens, 0.02) == ''


def test_a_distortion_that_moves_nothing_is_no_difference():
    refined = replace(TRAINED, distortion='plumb_bob', coefficients=(-0.0004, 0, 0, 0, 0))
    assert difference(refined, TRAINED, 0.02) == ''


def test_how_far_a_fisheye_moves_the_corners_is_told():
    lens = replace(TRAINED, distortion='equidistant', coefficients=(1e-9, 0, 0, 0))
    # The corner is at atan(0.7605) = 0.6502 rad, so 0.1103 * 525 / 0.7605 * 0.6086 along x.
    assert 'corners 46 pixels' in difference(TRAINED, lens, 0.02)
