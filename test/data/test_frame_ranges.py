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

from pathlib import Path

from posenet_ros.data.frame_ranges import FrameRanges
from posenet_ros.data.frames import Frame, Scene
from posenet_ros.errors import ConfigError, DatasetError
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation


def scene(*names: str) -> Scene:
    pose = Pose(Rotation.identity(), [0, 0, 0], 'map', 'camera')
    return Scene('desk', tuple(Frame(Path(name), pose, n) for n, name in enumerate(names)))


def numbers(text: str, most: int = 500) -> list[int]:
    ranges = FrameRanges.parse(text)
    return [number for number in range(most) if number in ranges]


def test_a_range_ends_before_its_stop_and_a_period_repeats_it():
    assert numbers('3:5') == [3, 4]
    assert numbers('1:3:200') == [1, 2, 201, 202, 401, 402]
    assert numbers('0:1, 7:9') == [0, 7, 8]


@pytest.mark.parametrize('text', ['', '5', '5:3', '5:5', 'a:b', '1:20:10', '1:2:3:4', '-1:3'])
def test_what_is_no_range_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match='350:650'):
        FrameRanges.parse(text)


def test_frames_are_known_by_the_last_number_in_their_names_whatever_part_they_were_in():
    whole = scene('seq-02/frame-000001.color.png', 'a/frame-000012.color.png', 'frame12-3.jpg')
    found = FrameRanges.parse('1:3').apart(whole)
    assert [frame.image.name for frame in found.test] == ['frame-000001.color.png']
    assert len(found.train) == 2
    again = FrameRanges.parse('3:4').apart(found)
    assert [frame.image.name for frame in again.test] == ['frame12-3.jpg']


def test_a_part_without_frames_is_refused():
    with pytest.raises(DatasetError, match='0 of the 2 frames of desk'):
        FrameRanges.parse('7:9').apart(scene('1.jpg', '2.jpg'))
    with pytest.raises(DatasetError, match='2 of the 2'):
        FrameRanges.parse('0:9').apart(scene('1.jpg', '2.jpg'))
    with pytest.raises(DatasetError, match='no number'):
        FrameRanges.parse('0:9').apart(scene('hall.jpg'))
