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

import json

from posenet_ros.errors import ConfigError
from posenet_ros.explain import beta as module
from posenet_ros.explain.beta import draw
from posenet_ros.explain.found import Errors, Found
import pytest


@pytest.fixture
def pretended(monkeypatch):
    """Let trials find what is known of them by label; return the trials that were asked for."""
    known = {
        'beta 1': (0.2, 9.0),
        'beta 10': (0.1, 3.0),
        'beta 100': (0.4, 2.0),
        'beta 1000': (None, None),
        'weights learned along': (0.11, 3.5),
        'position alone': (0.12, 70.0),
        'orientation alone': (3.0, 2.5),
    }
    asked = []

    def found(subject, trials, output):
        asked.extend(trials)
        errors = [Errors(*known[trial.label], *known[trial.label]) for trial in trials]
        return [Found(each, None, (), 1.0) for each in errors]

    monkeypatch.setattr(module, 'train_all', found)
    return asked


@pytest.fixture
def exhibit(subject, pretended, tmp_path):
    return draw(subject, output=tmp_path, epochs=2, betas=[100, 1, 1000, 10, 1])


def test_every_beta_is_tried_once_in_order_and_only_the_loss_differs(exhibit, pretended):
    losses = [(trial.options.loss, trial.options.beta) for trial in pretended[:4]]
    assert losses == [('paper', 1), ('paper', 10), ('paper', 100), ('paper', 1000)]
    assert [trial.options.loss for trial in pretended[4:]] == [
        'learned',
        'position',
        'orientation',
    ]
    the_rest = [trial.options.to_dict() | {'loss': '', 'beta': 0} for trial in pretended]
    assert all(each == the_rest[0] for each in the_rest)
    assert len({trial.train for trial in pretended}) == 1


def test_heads_learn_by_gradients_as_in_the_paper(exhibit, pretended, subject):
    options = pretended[0].options
    assert subject.options.head == 'linear'
    assert (options.head, options.rotation, options.levels, options.pool) == (
        'hidden',
        'quaternion',
        1,
        1,
    )
    assert options.weights == subject.options.weights


def test_the_best_beta_has_the_least_product_of_both_errors(exhibit):
    assert exhibit.numbers['best_beta'] == 10
    assert 'Beta 10 is the best compromise: 0.100 m and 3.00 deg.' in exhibit.caption
    assert 'separate networks 0.120 m and 2.50 deg' in exhibit.caption


def test_numbers_are_the_errors_by_beta_without_infinity(exhibit):
    json.dumps(exhibit.numbers, allow_nan=False)
    assert exhibit.numbers['betas'] == [1, 10, 100, 1000]
    assert [each['position'] for each in exhibit.numbers['by_beta']] == [0.2, 0.1, 0.4, None]
    assert exhibit.numbers['orientation']['orientation_deg'] == 2.5
    assert exhibit.rows[3] == ['beta 1000', 'inf', 'inf', 'inf', 'inf']


def test_each_panel_has_its_own_separate_network(exhibit):
    panels = [
        {line.get_label(): list(line.get_ydata()) for line in axes.lines}
        for axes in exhibit.picture.axes
    ]
    assert [panel['separate networks'] for panel in panels] == [[0.12] * 2, [2.5] * 2]
    assert panels[0]['one network, eq. (2)'][:3] == [0.2, 0.1, 0.4]
    assert panels[1]['one network, eq. (2)'][:3] == [9, 3, 2]


def test_no_beta_is_the_best_where_none_gave_poses(subject, pretended, tmp_path):
    exhibit = draw(subject, output=tmp_path, epochs=1, betas=[1000])
    assert exhibit.numbers['best_beta'] is None
    assert 'No beta gave poses' in exhibit.caption


@pytest.mark.parametrize('beta', [0, -1, float('inf'), float('nan')])
def test_a_beta_that_is_no_weight_is_refused(subject, pretended, tmp_path, beta):
    with pytest.raises(ConfigError, match='--betas takes weights above zero'):
        draw(subject, output=tmp_path, epochs=1, betas=[1, beta])
    assert pretended == []
