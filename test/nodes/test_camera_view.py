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

"""What becomes of images of another camera: made those of training where that is exact."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from posenet_ros.data.camera_info import camera_from_info
from posenet_ros.geometry import Camera
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.nodes.camera_view import AS_IT_IS, difference, view_of
import pytest
from sensor_msgs.msg import CameraInfo

TRAINED = Camera(640, 480, 525.0, 525.0, 319.5, 239.5)
PAPER = Preprocessing()


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


def scene(camera, offset=0.0):
    """Return what a camera without distortion sees of stripes and rings on a wall, smooth."""
    x = (np.arange(camera.width) - camera.cx) / camera.fx + offset
    y = (np.arange(camera.height) - camera.cy) / camera.fy
    across, down = np.meshgrid(x, y)
    channels = (np.sin(25 * across), np.sin(20 * down + 3 * across), np.cos(30 * across * down))
    return np.round(127 + 120 * np.stack(channels, axis=-1)).astype(np.uint8)


def info(camera=TRAINED, **fields):
    message = CameraInfo(width=camera.width, height=camera.height, k=camera.matrix.ravel())
    for name, value in fields.items():
        owner, _, field = name.rpartition('__')
        setattr(getattr(message, owner) if owner else message, field, value)
    return message


def view(message, size=None, trained=TRAINED, looked_at=PAPER.centre_box):
    told = camera_from_info(message)
    return view_of(trained, told, size or (told.width, told.height), looked_at, 0.02)


def unlike(one, other):
    """Return how far two inputs are apart, as a share of how much an input varies."""
    return float((one - other).abs().mean() / one.std())


def test_the_camera_of_training_is_left_as_it_is():
    assert view(info()) == AS_IT_IS
    assert view(info(), size=(320, 240)) == AS_IT_IS
    rgb = scene(TRAINED)
    assert AS_IT_IS.of(rgb) is rgb


def test_binning_is_only_another_size():
    assert view(info(binning_x=2, binning_y=2)) == AS_IT_IS


def roi(left, top, width, height):
    return {
        'roi__x_offset': left,
        'roi__y_offset': top,
        'roi__width': width,
        'roi__height': height,
    }


# A network of 224 out of 256 sees 420 rows and as many columns in the middle of 640x480.
@pytest.mark.parametrize(
    ('message', 'window'),
    [
        # Cut on all sides, up to what the network looks at.
        (info(**roi(108, 28, 422, 424)), (-108, -28, 532, 452)),
        (info(**roi(0, 0, 540, 480)), (0, 0, 640, 480)),
        # The same, binned.
        (info(binning_x=2, binning_y=2, **roi(40, 0, 520, 480)), (-20, 0, 300, 240)),
        # Training saw a part of what comes now.
        (info(Camera(960, 800, 525.0, 525.0, 479.5, 439.5)), (160, 200, 800, 680)),
        # A longer lens, whose image is just large enough.
        (info(replace(TRAINED, fx=590.0, fy=590.0)), (-40, -30, 680, 510)),
        # A shorter one, with more pixels.
        (info(Camera(1280, 960, 700.0, 700.0, 639.5, 479.5)), (213, 160, 1067, 800)),
    ],
)
def test_the_network_sees_what_it_would_have_seen(message, window):
    seen = camera_from_info(message)
    found = view(message)
    assert found.window == window
    assert not found.refusal
    assert found.note.startswith('cut to that of training')
    expected = PAPER.prepare(scene(TRAINED))
    assert unlike(expected, PAPER.prepare(found.of(scene(seen)))) < 0.03
    # And without it, it would not have.
    assert unlike(expected, PAPER.prepare(scene(seen))) > 0.1


def test_pixels_that_are_not_square_any_more_are_made_so():
    seen = TRAINED.resized(640, 240)
    found = view(info(seen))
    assert found.window == (0, 0, 640, 240)
    rgb = found.of(scene(seen))
    assert rgb.shape == (240, 320, 3)
    assert unlike(PAPER.prepare(scene(TRAINED)), PAPER.prepare(rgb)) < 0.03


@pytest.mark.parametrize(
    ('message', 'words'),
    [
        # A longer lens, whose image does not reach far enough, and a region that is too small.
        (info(replace(TRAINED, fx=700.0, fy=700.0)), ('fx 700.0 instead of 525.0', 'above')),
        (info(**roi(200, 0, 440, 480)), ('440x480', '640x480', 'lack 91 pixels left')),
        (info(**roi(0, 0, 640, 360)), ('640x360', 'lack 90 pixels below')),
        (info(replace(TRAINED, cx=500.0)), ('cx 500.0 instead of 319.5', 'right')),
    ],
)
def test_what_the_network_would_miss_is_refused_with_the_numbers(message, words):
    found = view(message)
    assert found.window is None
    for word in words:
        assert word in found.refusal


def test_an_image_of_another_shape_than_its_camera_info_is_refused():
    found = view(info(), size=(640, 360))
    assert found.refusal == 'images are 640x360, and the CameraInfo is of 640x480'


LENS = replace(TRAINED, distortion='plumb_bob', coefficients=(-0.3, 0.1, 0, 0, 0))


def test_raw_images_are_told_from_rectified_ones():
    raw = info(distortion_model='plumb_bob', d=list(LENS.coefficients))
    assert view(raw, trained=LENS) == AS_IT_IS
    assert 'these are raw' in view(raw).refusal
    assert 'pixels elsewhere' in view(raw).refusal
    assert 'these are rectified' in view(info(), trained=LENS).refusal


def test_a_region_is_cut_from_a_lens_that_bends_as_that_of_training():
    full = replace(LENS, width=960, cx=479.5)
    message = info(full, distortion_model='plumb_bob', d=list(LENS.coefficients))
    assert view(message, trained=LENS).window == (160, 0, 800, 480)


def test_a_network_that_looks_at_everything_needs_everything():
    message = info(**roi(40, 0, 600, 480))
    assert view(message).window is not None
    whole = view(message, looked_at=lambda width, height: (0, 0, width, height))
    assert 'lack 40 pixels left' in whole.refusal


def test_what_is_beyond_the_edge_is_filled_and_the_rest_stays():
    seen = camera_from_info(info(**roi(108, 28, 422, 424)))
    rgb = scene(seen)
    whole = view(info(**roi(108, 28, 422, 424))).of(rgb)
    assert whole.shape == (480, 640, 3)
    np.testing.assert_array_equal(whole[28:452, 108:530], rgb)
    assert cv2.PSNR(whole[28:452, 108:530], scene(TRAINED)[28:452, 108:530]) > 60
