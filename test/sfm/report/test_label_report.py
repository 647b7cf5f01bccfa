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

"""The page about the labels of a run."""

from dataclasses import replace
import re

import numpy as np
from posenet_ros.data.capture import Capture
from posenet_ros.sfm.alignment import align
from posenet_ros.sfm.options import LabelOptions
from posenet_ros.sfm.report import LabelResult, write, write_label_report
from posenet_ros.sfm.sources import open_sources
from posenet_ros.sfm.workspace import Workspace
import pytest


@pytest.fixture(scope='module')
def finished(labelled, recorded):
    """Return what labelling has at hand at its end, read back from a finished run."""
    output, summary = labelled
    space = Workspace(output)
    found = space.read_reconstruction()
    capture = Capture.open(space.capture)
    reference = open_sources([recorded.bag], LabelOptions()).reference
    alignment = align(found.sfm_from_camera, reference.odom_from_camera)
    result = LabelResult(
        chosen_ns=space.read_selection().stamps_ns,
        found=found,
        placed=alignment.map_from_sfm,
        labels=capture.labels,
        rejected=capture.rejected,
        reference=reference,
        alignment=alignment,
    )
    return space, summary, result


@pytest.fixture
def elsewhere(tmp_path, monkeypatch, labelled):
    """Return a space of its own without images or database, and points without COLMAP."""
    points = {'positions': [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]], 'errors_px': [0.4, 0.8]}
    monkeypatch.setattr(write, 'run_stage', lambda stage, **arguments: points)
    return Workspace(tmp_path), labelled[1]


def headings(page):
    return re.findall(r'<h2>(.*?)</h2>', page)


def sources(page):
    return re.findall(r'(?:src|href)="([^"]{0,14})', page)


def test_the_page_needs_no_other_file_and_shows_everything(finished):
    space, summary, result = finished
    path = write_label_report(space, summary, result)
    assert path == space.root / 'report' / 'labels.html'
    page = path.read_text()
    assert headings(page) == [
        'Summary',
        'Coverage',
        'Map from above',
        'Reprojection errors',
        'Motions beside /odom',
        'Path beside /odom',
        'Labelled frames',
    ]
    assert sources(page) == ['data:image/png'] * 5 + ['data:image/jpe'] * 8
    assert 'http' not in page
    assert 'the image cannot be read' not in page
    assert 'These labels are good' in page
    assert '<td>labelled</td><td>18 (100.0%)</td>' in page
    assert 'recorded 2023-11-14 22:13:20 to 22:13:28 UTC' in page
    assert not list(path.parent.glob('.*'))


def test_points_are_those_of_the_model_in_the_map(finished):
    space, summary, _ = finished
    from posenet_ros.sfm.process import run_stage

    where = {'log': space.log, 'title': 'reading', 'unit': 'model', 'model': str(space.sfm)}
    points = run_stage('points', most=10**6, **where)
    assert len(points['positions']) == len(points['errors_px']) == summary.points
    # The room is three to six metres ahead of the robot.
    assert 3 < np.median(np.array(points['positions'])[:, 0]) < 7
    assert np.mean(points['errors_px']) == pytest.approx(summary.mean_error_px, rel=0.2)
    few = run_stage('points', most=100, **where)
    assert 50 < len(few['positions']) <= 100


def test_remarks_stand_at_the_top_with_times_that_a_person_reads(elsewhere, make_result, loop):
    space, summary = elsewhere
    summary = replace(
        summary, labelled=9, longest_gap_s=21.0, longest_gap_from='1700000012.000000000'
    )
    page = write_label_report(space, summary, make_result(odom=loop.odom())).read_text()
    assert 'These labels are usable, not good:' in page
    remark = '21 s without a label from 2023-11-14 22:13:32 UTC'
    assert f'<li>{remark}</li>' in page
    assert page.index(remark) < page.index('<h2>Summary</h2>')


def test_a_drift_of_the_reference_is_told(elsewhere, make_result, loop):
    result = make_result(odom=loop.odom(yaw_per_m=4))
    page = write_label_report(*elsewhere, result).read_text()
    assert '/odom drifts, so its path is not expected to stay on that of the labels' in page


def test_without_a_reference_nothing_is_compared(elsewhere, make_result):
    space, summary = elsewhere
    page = write_label_report(space, replace(summary, metric=None), make_result()).read_text()
    assert not [each for each in headings(page) if 'beside' in each]
    assert 'motions agree' not in page
    assert ' units</b><span>length of the path' in page


def test_rejected_frames_and_other_models_are_shown(elsewhere, make_result, loop):
    stamps_ns = loop.sfm().stamps_ns.tolist()
    dropped = dict.fromkeys(range(60, 80), 'in a separate model of 20 frames')
    models = [stamps_ns[:60] + stamps_ns[80:], stamps_ns[60:80]]
    result = make_result(odom=loop.odom(), dropped=dropped, models=models)
    page = write_label_report(*elsewhere, result).read_text()
    assert headings(page)[-3:] == ['Models', 'Rejected frames', 'Labelled frames']
    assert '<td>model 2</td><td>20</td><td>2023-11-14 22:13:32 to 22:13:35 UTC</td>' in page
    assert '12 of 20 frames without a label' in page
    assert page.count('the image cannot be read') == 20
    assert 'smaller ones' not in page


def test_of_many_models_the_largest_are_shown(elsewhere, make_result, loop):
    stamps_ns = loop.sfm().stamps_ns.tolist()
    dropped = dict.fromkeys(range(100, 140), 'in a separate model of 2 frames')
    others = [stamps_ns[index : index + 2] for index in range(100, 140, 2)]
    models = [stamps_ns[:100] + stamps_ns[140:], *others]
    page = write_label_report(*elsewhere, make_result(dropped=dropped, models=models)).read_text()
    assert '<td>model 11</td>' in page
    assert '<td>model 12</td>' not in page
    assert '10 smaller ones are left out' in page


def test_what_is_told_is_text_and_no_markup(elsewhere, make_result):
    space, summary = elsewhere
    summary = replace(summary, recording='run <b>2</b> & more')
    result = make_result(dropped={3: 'matches <i>nothing</i>'})
    page = write_label_report(space, summary, result).read_text()
    assert 'run &lt;b&gt;2&lt;/b&gt; &amp; more' in page
    assert 'matches &lt;i&gt;nothing&lt;/i&gt;' in page


def test_an_hour_of_frames_is_a_page_of_a_few_megabytes(elsewhere, make_result, make_drive):
    drive = make_drive(600.0)
    dropped = dict.fromkeys(range(500, 1500, 3), 'too few matches with the map: 4 at best')
    result = make_result(drive=drive, odom=drive.odom(noise=0.02), dropped=dropped)
    assert len(result.chosen_ns) == 3000
    path = write_label_report(*elsewhere, result)
    assert path.stat().st_size < 5_000_000
