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

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.errors import DatasetError
from posenet_ros.geometry import Pose
from posenet_ros.training.splits import hold_out, MIN_FRAMES
import pytest

POSE = Pose.identity('map', 'camera')


def frames(count, sequence='a'):
    return [Frame(f'{sequence}{i}', POSE, 10 * i, sequence) for i in range(count)]


def numbers(part, sequence='a'):
    return [frame.stamp_ns // 10 for frame in part if frame.sequence == sequence]


def test_the_third_and_eighth_of_ten_blocks_are_held_out():
    split = hold_out(frames(100))
    assert numbers(split.held_out) == [*range(20, 30), *range(70, 80)]
    assert numbers(split.train) == [*range(20), *range(30, 70), *range(80, 100)]


@pytest.mark.parametrize('count', [10, 11, 23, 57, 1003])
@pytest.mark.parametrize('share', [0.1, 0.2, 0.5])
def test_no_frame_is_lost_or_in_both_parts(count, share):
    split = hold_out(frames(count), share)
    assert sorted(numbers(split.train) + numbers(split.held_out)) == list(range(count))
    assert split.held_out
    if count > 50:
        assert len(split.held_out) == pytest.approx(count * share, rel=0.25)


def test_time_decides_and_not_the_order_given():
    shuffled = [frames(100)[i] for i in np.random.default_rng(0).permutation(100)]
    assert hold_out(shuffled) == hold_out(frames(100))


def test_every_sequence_gives_its_own_blocks():
    split = hold_out(frames(50, 'b') + frames(20, 'a'))
    assert numbers(split.held_out, 'b') == [*range(10, 15), *range(35, 40)]
    assert numbers(split.held_out, 'a') == [4, 5, 14, 15]


def test_stamps_of_different_sequences_may_coincide():
    both = frames(10, 'a') + [replace(frame, sequence='b') for frame in frames(10, 'a')]
    split = hold_out(both)
    assert len(split.train) + len(split.held_out) == 20


def test_too_few_frames_are_refused():
    with pytest.raises(DatasetError, match=f'3 labelled frames.*at least {MIN_FRAMES}'):
        hold_out(frames(3))
