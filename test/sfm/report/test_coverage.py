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

"""What became of every moment."""

import numpy as np
from posenet_ros.sfm.report.coverage import coverage_figure, coverage_rows
import pytest


def rows_of(result):
    return {row.name: row for row in coverage_rows(result)}


def test_a_recording_without_losses_is_one_bar(make_result):
    result = make_result()
    (row,) = coverage_rows(result)
    assert row.name == 'labelled (200)'
    ((begin, end),) = row.spans
    assert (begin, end) == pytest.approx((-0.1, 39.9))


def test_each_kind_of_reason_has_a_row_and_frames_stand_where_they_were(make_result):
    dropped = {50: 'matches no other frame', 51: 'matches no other frame'}
    rejected = {100: 'large reprojection error: 4.2 px', 110: 'large reprojection error: 3.1 px'}
    result = make_result(dropped=dropped, rejected=rejected)
    rows = rows_of(result)
    assert list(rows) == [
        'labelled (196)',
        'matches no other frame (2)',
        'large reprojection error (2)',
    ]
    assert rows['matches no other frame (2)'].spans == [pytest.approx((9.9, 10.3))]
    begins = [begin for begin, _ in rows['large reprojection error (2)'].spans]
    assert begins == pytest.approx([19.9, 21.9])
    assert len(rows['labelled (196)'].spans) == 4


def test_time_without_frames_is_shown_as_such(make_result):
    rows = rows_of(make_result(chosen=np.r_[0:50, 75:200]))
    assert rows['no frame'].spans == [pytest.approx((9.9, 14.9))]
    assert len(rows['labelled (175)'].spans) == 2


def test_a_jitter_of_one_interval_is_no_gap(make_result):
    rows = rows_of(make_result(chosen=np.delete(np.arange(200), [50, 90])))
    assert list(rows) == ['labelled (198)']


def test_many_kinds_are_summed_up(make_result):
    dropped = {5 * i: f'in a separate model of {i} frames' for i in range(1, 10)}
    rows = coverage_rows(make_result(dropped=dropped))
    assert len(rows) == 7
    assert rows[-1].name == 'other reasons (4)'


def test_the_picture_has_the_rows_from_top_to_bottom(make_result):
    figure = coverage_figure(make_result(dropped={7: 'matches no other frame'}))
    axes = figure.axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ['labelled (199)', 'matches no other frame (1)']
    bottom, top = axes.get_ylim()
    assert bottom > top
