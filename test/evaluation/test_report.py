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

from dataclasses import replace
import json
import math
import re

import numpy as np
from posenet_ros.evaluation.baselines import MEAN_POSE
from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.evaluation.report import write_metrics, write_report
from posenet_ros.evaluation.table import caption, degrees, metres, spread, text_table
import pytest


@pytest.fixture
def evaluation(pose):
    truth = (pose(x=1), pose(x=2), pose(x=3), pose(x=4))
    estimates = (pose(x=1.5, degrees=30), pose(x=2), None, None)
    return Evaluation(np.arange(4) * 10**9, truth, estimates, {MEAN_POSE: (pose(x=2),) * 4})


def test_the_table_shows_a_model_beside_its_baseline(evaluation):
    heading, units, model, baseline = text_table(evaluation, 'PoseNet').splitlines()
    assert model.split() == [
        *('PoseNet', 'inf', 'inf', 'inf', 'inf'),
        *('25.0', '%', '25.0', '%', '25.0', '%', '25.0', '%'),
    ]
    assert baseline.startswith('mean training pose')
    assert baseline.split()[3:5] == ['1.000', '0.00']
    assert 'median' in heading
    assert len({len(line) for line in (units, model, baseline)}) == 1


def test_lengths_of_a_map_without_metres_are_in_units(tmp_path, evaluation, pose):
    unscaled = replace(evaluation, metric=False)
    units = text_table(unscaled, 'PoseNet').splitlines()[1]
    assert units.split()[:4] == ['units', 'deg', 'units', 'deg']
    assert ' m' not in units
    assert caption(unscaled, 'PoseNet').startswith('PoseNet inf units, inf deg')
    assert unscaled.to_dict()['metric'] is False
    history = [{'held_out/position_m': 1.0}]
    page = write_report(tmp_path, unscaled, title='a', subtitle='b', history=history)
    text = re.sub('data:image[^"]*', '', page.read_text())
    assert 'inf units' in text
    assert '0.05 units/5 deg' in text
    assert not re.search(r'\d m\b|inf m\b', text)


def test_an_error_that_a_file_has_as_none_is_infinite():
    assert (metres(None), degrees(None), metres(1.25)) == ('inf', 'inf', '1.250')


def test_the_spread_of_a_covariance_is_its_standard_deviations():
    assert spread(np.diag([0.04] * 3 + [0.01] * 3), 'm') == '0.200 m, 5.73 deg'


def test_the_page_needs_no_other_file_and_shows_the_figures(tmp_path, evaluation, pose):
    page = write_report(
        tmp_path / 'report',
        evaluation,
        title='run2 & <script>',
        subtitle='four frames',
        training_poses=[pose(), pose(x=4, y=1)],
        history=[{'train/loss': 1.0}, {'train/loss': 0.5}],
        facts={'Training': {'frames': 2, 'options': {'epochs': 7}}},
    )
    text = page.read_text()
    assert 'run2 &amp; &lt;script&gt;' in text
    sources = re.findall(r'(?:src|href)="([^"]{0,22})', text)
    assert sources == ['data:image/png;base64,'] * 4
    assert 'http' not in text
    assert '<td>options.epochs</td><td>7</td>' in text
    assert 'mean training pose' in text
    metrics = json.loads((page.parent / 'metrics.json').read_text())
    assert metrics['localized'] == 2
    assert metrics['median_position_m'] is None
    assert metrics['baselines'][MEAN_POSE]['median_position_m'] == 1
    assert sorted(path.name for path in page.parent.iterdir()) == ['metrics.json', 'report.html']


def test_the_page_leads_to_the_one_about_labels(tmp_path, evaluation):
    links = [('how good the labels are', 'labels.html')]
    page = write_report(tmp_path, evaluation, title='a', subtitle='b', links=links)
    assert '<a href="labels.html">how good the labels are</a>' in page.read_text()


def test_without_history_there_are_no_training_curves(tmp_path, evaluation):
    page = write_report(tmp_path, evaluation, title='a', subtitle='b')
    assert 'Training curves' not in page.read_text()


def test_a_model_that_answers_nothing_still_has_its_page(tmp_path, pose):
    nothing = Evaluation(np.arange(3) * 10**9, (pose(), pose(x=1), pose(y=1)), (None,) * 3)
    text = write_report(tmp_path, nothing, title='a', subtitle='b').read_text()
    assert 'inf m' in text
    assert '0.0 %' in text


def test_metrics_are_strict_json(tmp_path):
    with pytest.raises(ValueError, match='JSON'):
        write_metrics(tmp_path / 'metrics.json', {'median_position_m': math.inf})
    assert list(tmp_path.iterdir()) == []
