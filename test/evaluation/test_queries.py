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

from pathlib import Path

import numpy as np
from posenet_ros.data.bags import StampedImage
from posenet_ros.errors import BagError
from posenet_ros.evaluation.queries import (
    images_of_recording,
    queries_of_frames,
    queries_of_recording,
)
from posenet_ros.geometry import Trajectory
import pytest

START = 1_700_000_000 * 10**9
TENTH = 10**8


class Pixel:
    """A 1x1 image message; raises when it is decoded but should not be."""

    encoding, height, width, step, is_bigendian = 'rgb8', 1, 1, 3, 0

    def __init__(self, value):
        self.data = np.full(3, value, dtype=np.uint8)


class Tape:
    """A recording of images at 10 Hz, with some jitter."""

    path = Path('run2')

    def __init__(self, count):
        self.jitter = np.random.default_rng(0).integers(-TENTH // 10, TENTH // 10, count)
        self.jitter[0] = 0

    def count(self, topic):
        return len(self.jitter)

    def images(self, topic):
        for number, jitter in enumerate(self.jitter):
            yield StampedImage(START + number * TENTH + int(jitter), 'camera', Pixel(number))


def test_all_images_or_one_of_each_interval():
    tape = Tape(50)
    assert len(list(images_of_recording(tape, '/image'))) == 50
    assert len(list(images_of_recording(tape, '/image', 100))) == 50
    slow = [image.stamp_ns for image in images_of_recording(tape, '/image', 2)]
    assert len(slow) == 10
    assert np.diff(slow).min() > 2.9 * TENTH


def test_only_images_with_a_true_pose_are_decoded_and_the_others_are_told(pose):
    # The truth covers the second of five seconds.
    stamps = [START + (10 + k) * TENTH for k in range(11)]
    truth = Trajectory.from_poses(stamps, [pose(x=10 + k) for k in range(11)])
    queries = list(queries_of_recording(Tape(50), '/image', truth))
    assert len(queries) == 50
    asked = [query for query in queries if query.map_from_camera is not None]
    assert all(query.rgb is None for query in queries if query.map_from_camera is None)
    assert 9 <= len(asked) <= 11
    for query in asked:
        place = (query.stamp_ns - START) / TENTH
        assert query.map_from_camera.translation[0] == pytest.approx(place, abs=0.011)
        assert query.rgb[0, 0, 0] == round(place)


def test_an_image_that_cannot_be_read_is_asked_and_told(pose, caplog, monkeypatch):
    tape = Tape(50)
    # Rows longer than the data.
    monkeypatch.setattr(Pixel, 'step', 6)
    stamps = [START + k * TENTH for k in range(-1, 52)]
    truth = Trajectory.from_poses(stamps, [pose()] * len(stamps))
    asked = list(queries_of_recording(tape, '/image', truth))
    assert len(asked) == 50
    assert all(query.rgb is None for query in asked)
    (record,) = caplog.records
    assert record.getMessage().startswith('50 of 50 images cannot be read and count as unanswered')


def test_truth_of_another_time_is_an_error_that_tells_both_times(pose):
    truth = Trajectory.from_poses([5 * 10**9, 6 * 10**9], [pose(), pose()])
    with pytest.raises(BagError, match=r'1700000000\.0+ s to .*truth is from 5\.0+ s to 6\.0+ s'):
        list(queries_of_recording(Tape(5), '/image', truth))


def test_frames_are_read_from_their_files(frames):
    asked = list(queries_of_frames(frames, 'reading'))
    assert [query.stamp_ns for query in asked] == [frame.stamp_ns for frame in frames]
    assert asked[0].rgb.shape == (40, 48, 3)
