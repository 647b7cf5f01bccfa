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
    return frames_at(range(count), sequence)


def frames_at(seconds, sequence='a'):
    return [Frame(f'{sequence}{s}', POSE, round(s * 10**9), sequence) for s in seconds]


def seconds(part, sequence='a'):
    return [frame.stamp_ns / 10**9 for frame in part if frame.sequence == sequence]


def test_a_block_in_the_middle_of_each_quarter_is_held_out():
    split = hold_out(frames(100))
    held_out = [[*range(start, start + 5)] for start in (10, 35, 60, 85)]
    assert [seconds(block) for block in split.blocks] == held_out
    assert seconds(split.held_out) == [second for block in held_out for second in block]
    assert seconds(split.train) == [
        *range(10),
        *range(15, 35),
        *range(40, 60),
        *range(65, 85),
        *range(90, 100),
    ]


def test_too_few_frames_for_four_blocks_make_two():
    split = hold_out(frames(19))
    assert [seconds(block) for block in split.blocks] == [[4, 5], [13, 14]]
    assert len(hold_out(frames(20)).blocks) == 4


@pytest.mark.parametrize('count', [10, 11, 23, 57, 1003])
@pytest.mark.parametrize('share', [0.2, 0.3, 0.4, 0.45, 0.5])
def test_the_share_is_met_and_no_frame_is_lost_or_in_both_parts(count, share):
    split = hold_out(frames(count), share)
    assert sorted(seconds(split.train) + seconds(split.held_out)) == list(range(count))
    # Each block begins and ends at a frame.
    assert abs(len(split.held_out) - share * count) <= len(split.blocks)
    assert split.share == len(split.held_out) / count


def test_time_decides_where_blocks_lie_and_not_the_number_of_frames():
    # A slow beginning: 50 frames in 5 s, then 50 in 20 s, 25 s in all.
    times = [*np.arange(50) * 0.1, *(5 + np.arange(50) * 0.4)]
    split = hold_out(frames_at(times))
    for number, block in enumerate(map(seconds, split.blocks)):
        middle = (number + 0.5) * 25 / 4
        assert (min(block), max(block)) == pytest.approx((middle - 0.6, middle + 0.6), abs=0.7)
    assert split.share == pytest.approx(0.2, abs=0.04)


def test_a_gap_is_no_block():
    # A quarter of the time is a pause, and the second block would lie in it.
    times = [*range(20), *range(60, 140)]
    split = hold_out(frames_at(times))
    assert [len(block) for block in split.blocks] == [5, 5, 5, 5]
    assert seconds(split.blocks[1]) == [*range(75, 80)]


def test_a_short_block_between_two_frames_takes_the_next_one():
    # The first block, 0.2 steps wide, lies between the frames at 4 and 8 s.
    split = hold_out(frames_at([0, 1, 2, 3, 4, 8, *range(9, 23)]), 0.1)
    assert [seconds(block) for block in split.blocks] == [[8], [17]]


def test_the_order_given_does_not_matter():
    shuffled = [frames(100)[i] for i in np.random.default_rng(0).permutation(100)]
    assert hold_out(shuffled) == hold_out(frames(100))


def test_every_sequence_gives_its_own_blocks():
    split = hold_out(frames(50, 'b') + frames(20, 'a'))
    assert len(seconds(split.held_out, 'b')) == 10
    assert len(seconds(split.held_out, 'a')) == 4
    assert all(len({frame.sequence for frame in block}) == 1 for block in split.blocks)


def test_short_sequences_are_split_together():
    names = [f'{number:02d}' for number in range(20)]
    split = hold_out([frame for name in names for frame in frames(5, name)])
    assert len(split.train) == 80
    held_out = [{frame.sequence for frame in block} for block in split.blocks]
    assert held_out == [{'02'}, {'07'}, {'12'}, {'17'}]


@pytest.mark.parametrize('share', [0.02, 0.05, 0.1, 0.2])
def test_the_share_is_met_over_many_short_sequences(share):
    names = [f'{number:03d}' for number in range(100)]
    split = hold_out([frame for name in names for frame in frames(10, name)], share)
    assert split.share == pytest.approx(share, abs=0.003)


def test_stamps_of_different_sequences_may_coincide():
    both = frames(10, 'a') + [replace(frame, sequence='b') for frame in frames(10, 'a')]
    split = hold_out(both)
    assert len(split.train) + len(split.held_out) == 20


def test_frames_without_times_are_split_by_their_number():
    still = [replace(frame, stamp_ns=0) for frame in frames(100)]
    assert [len(block) for block in hold_out(still).blocks] == [5, 5, 5, 5]


def test_too_few_frames_are_refused():
    with pytest.raises(DatasetError, match=f'3 labelled frames.*at least {MIN_FRAMES}'):
        hold_out(frames(3))


@pytest.mark.parametrize(('count', 'share'), [(10, 0.02), (20, 0.02), (40, 0.02), (19, 0.1)])
def test_a_share_that_holds_nothing_out_is_refused(count, share):
    with pytest.raises(DatasetError, match=rf'held_out {share} of {count} frames.*held_out=0\.2'):
        hold_out(frames(count), share)
