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

"""Which frames of a stream are chosen."""

from dataclasses import dataclass

import cv2
import numpy as np
from posenet_ros.errors import ImageError, LabellingError
from posenet_ros.sfm.gates import check_selection
from posenet_ros.sfm.selection import select_frames, Selection
import pytest

START_NS = 1_700_000_000_000_000_000


def picture(number, *, blur=0, size=(120, 160)):
    """A picture of its own for every number, sharp or blurred."""
    noise = np.random.default_rng(number).integers(0, 255, (size[0] // 8, size[1] // 8, 3))
    image = cv2.resize(noise.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST)
    return cv2.blur(image, (blur, blur)) if blur else image


@dataclass
class Shot:
    stamp_ns: int
    rgb: np.ndarray | None
    decoded: list | None = None

    def decode(self):
        if self.rgb is None:
            raise ImageError('half a jpeg')
        return self.rgb


def shots(*pictures, hz=10.0):
    return [Shot(START_NS + round(i * 1e9 / hz), rgb) for i, rgb in enumerate(pictures)]


def choose(stream, rate_hz):
    kept = []
    result = select_frames(stream, rate_hz=rate_hz, keep=lambda stamp, rgb: kept.append(stamp))
    assert tuple(kept) == result.stamps_ns
    return result, [round((stamp - START_NS) / 1e8) for stamp in kept]


def test_the_sharpest_of_each_interval_is_taken():
    blurs = [9, 0, 5, 9, 9, 3, 9, 9, 9, 9]
    stream = shots(*(picture(i, blur=blur) for i, blur in enumerate(blurs)))
    result, indices = choose(stream, 2.0)
    assert indices == [1, 5]
    assert (result.seen, result.still, result.damaged) == (10, 0, 0)
    assert (result.width, result.height) == (160, 120)


def test_a_rate_above_the_recording_s_takes_every_frame():
    assert choose(shots(*map(picture, range(7))), 100.0)[1] == list(range(7))


def test_stamps_that_jitter_or_were_rounded_do_not_skip_an_interval():
    # 30 Hz in whole nanoseconds: every fifth stamp falls a nanosecond short of its interval.
    stream = shots(*map(picture, range(60)), hz=30.0)
    result, _ = choose(stream, 6.0)
    assert len(result.stamps_ns) == 12


def test_a_pause_of_the_recording_is_no_interval_with_frames():
    stream = shots(*map(picture, range(4)))
    for shot in stream[2:]:
        shot.stamp_ns += 20_000_000_000
    assert len(choose(stream, 5.0)[0].stamps_ns) == 2


def test_a_camera_that_stands_still_gives_one_frame_whatever_noise_and_exposure_do():
    rng = np.random.default_rng(0)
    view = picture(1, size=(480, 640)).astype(float)
    noisy = [
        np.clip(view * gain + rng.normal(0, 4, view.shape), 0, 255).astype(np.uint8)
        for gain in np.linspace(0.8, 1.0, 12)
    ]
    result, indices = choose(shots(*noisy), 10.0)
    assert indices == [0]
    assert result.still == 11
    with pytest.raises(LabellingError, match='hardly moves: only 1 of 12 frames'):
        check_selection(result)


def test_a_camera_that_moves_on_after_a_pause_is_taken_up_again():
    views = [0, 0, 0, 1, 1, 2, 3]
    assert choose(shots(*map(picture, views)), 10.0)[1] == [0, 3, 5, 6]


def test_a_slow_pan_is_movement():
    wide = cv2.GaussianBlur(picture(5, size=(120, 400)), (0, 0), 3)
    pan = [wide[:, 3 * i : 3 * i + 160] for i in range(20)]
    assert len(choose(shots(*pan), 10.0)[0].stamps_ns) == 20


def test_some_damaged_images_are_counted_and_many_refused():
    pictures = [picture(i) for i in range(20)]
    pictures[3] = None
    result, indices = choose(shots(*pictures), 10.0)
    assert result.damaged == 1
    assert 3 not in indices
    with pytest.raises(LabellingError, match='10 of 20 images cannot be decoded: half a jpeg'):
        choose(shots(*(None if i % 2 else picture(i) for i in range(20))), 10.0)


def test_images_that_change_size_are_refused_with_both_sizes():
    with pytest.raises(LabellingError, match=r'from 160x120 to 80x64 pixels at 1700000000\.1'):
        choose(shots(picture(0), picture(1, size=(64, 80))), 10.0)


def test_a_stream_without_images_is_refused():
    with pytest.raises(LabellingError, match='no images'):
        choose([], 2.0)


def test_one_image_is_held_at_a_time():
    held = []

    def stream():
        for shot in shots(*map(picture, range(30))):
            held.append(shot.stamp_ns)
            yield shot

    def keep(stamp_ns, _rgb):
        # At most two intervals of ten images have been read when the first is decided.
        assert held[-1] - stamp_ns <= 20 * 100_000_000

    select_frames(stream(), rate_hz=1.0, keep=keep)


def test_few_frames_are_refused_with_what_to_do():
    few = Selection(tuple(START_NS + i for i in range(3)), 160, 120, 3, 0, 0)
    with pytest.raises(LabellingError, match=r'only 3 frames of 3 images.*higher --rate'):
        check_selection(few)
    enough = Selection(tuple(START_NS + i for i in range(10)), 160, 120, 10, 0, 0)
    check_selection(enough)
