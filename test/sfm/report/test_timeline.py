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

"""Times as a person reads them."""

import numpy as np
from posenet_ros.geometry import NS_PER_S
from posenet_ros.reporting.style import new_figure
from posenet_ros.sfm.report.timeline import duration, Timeline
import pytest

# 2023-11-14 22:13:20 UTC
START_NS = 1_700_000_000 * NS_PER_S


def at(*seconds, start_ns=START_NS):
    return [start_ns + round(each * NS_PER_S) for each in seconds]


def test_a_moment_is_date_and_time_in_utc():
    timeline = Timeline(at(0, 1, 2))
    assert timeline.moment(START_NS) == '2023-11-14 22:13:20 UTC'
    assert timeline.clock(START_NS + 260_000_000) == '22:13:20.2'
    assert timeline.period(*at(0, 22)) == '2023-11-14 22:13:20 to 22:13:42 UTC'
    assert timeline.label == 'time [s] since 2023-11-14 22:13:20 UTC'


def test_frames_of_several_days_have_their_date():
    timeline = Timeline(at(0, 1, 86_400))
    assert timeline.clock(START_NS) == '2023-11-14 22:13:20.0'
    period = timeline.period(timeline.begin_ns, timeline.end_ns)
    assert period == '2023-11-14 22:13:20 to 2023-11-15 22:13:20 UTC'


def test_a_simulator_s_clock_is_no_date():
    timeline = Timeline(at(5, 6, 7, start_ns=0))
    assert timeline.label == 'time [s]'
    assert timeline.period(*at(5, 7, start_ns=0)) == '5.0 s to 7.0 s'
    assert timeline.moment(6 * NS_PER_S) == '6.0 s'


def test_seconds_begin_with_the_first_frame():
    np.testing.assert_allclose(Timeline(at(0, 1, 3)).seconds(at(0, 0.5, 3)), [0, 0.5, 3])


def test_a_pause_between_recordings_is_cut_out_and_told():
    first, second = np.arange(0, 100, 0.5), np.arange(90_000, 90_100, 0.5)
    timeline = Timeline(at(*first, *second))
    assert 200 < timeline.length_s < 220
    assert timeline.label.endswith('without long pauses')
    begin, end = timeline.seconds(at(first[-1], second[0]))
    assert 1 < end - begin < 10
    _, (axes,) = new_figure()
    timeline.draw(axes)
    assert [text.get_text() for text in axes.texts] == ['1 d 58 min']


def test_a_robot_that_waits_within_a_recording_is_shown_to_scale():
    timeline = Timeline(at(*np.arange(0, 600, 0.5), *np.arange(690, 900, 0.5)))
    assert timeline.length_s == pytest.approx(899.5)


def test_gaps_are_where_frames_are_missing():
    timeline = Timeline(at(0, 0.5, 1, 1.5, 2, 2.5, 3, 6))
    gaps = timeline.gaps(np.array(at(0, 0.5, 2, 3, 6)))
    assert gaps.tolist() == [False, False, False, True]


def test_stamps_in_a_text_become_moments():
    timeline = Timeline(at(0, 1))
    text = '21 s without a label from 1700000012.500000000; 0.5 m and 1.234 px stay'
    assert timeline.readable(text) == (
        '21 s without a label from 2023-11-14 22:13:32 UTC; 0.5 m and 1.234 px stay'
    )


@pytest.mark.parametrize(
    ('seconds', 'text'),
    [
        (2.44, '2.4 s'),
        (60, '1 min'),
        (3725, '1 h 2 min'),
        (93_600, '1 d 2 h'),
        (86_410, '1 d 10 s'),
    ],
)
def test_lengths_of_time_have_two_units(seconds, text):
    assert duration(seconds) == text


def test_a_single_frame_has_an_axis():
    timeline = Timeline(at(0))
    assert timeline.length_s == 0
    _, (axes,) = new_figure()
    timeline.draw(axes)
    assert axes.get_xlim()[0] < axes.get_xlim()[1]
