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
import json
import shutil

from posenet_ros.errors import ConfigError
from posenet_ros.explain import new_scene as module
from posenet_ros.explain.found import Errors, Found
from posenet_ros.explain.new_scene import draw
import pytest


@pytest.fixture
def elsewhere(subject, finished, tmp_path):
    """Return the same model, as if it were of another scene."""
    folder = tmp_path / 'elsewhere'
    shutil.copytree(finished / 'model', folder)
    card = folder / 'model.yaml'
    known = subject.loaded.card.training
    text = card.read_text().replace(known['labels_sha256'], 64 * '0')
    card.write_text(text.replace(known['source'], '7scenes:elsewhere'))
    return folder


@pytest.fixture
def asked(monkeypatch):
    """Let trials find errors in the order asked for, 0.1 apart; return them."""
    trials = []

    def found(subject, some, output):
        trials.extend(some)
        errors = [Errors(round(0.1 * n, 1), 1.0 * n, 1.0, 9.0) for n in range(1, len(some) + 1)]
        return [Found(each, Errors(9.0, 90.0, 9.0, 9.0), (), 1.0) for each in errors]

    monkeypatch.setattr(module, 'train_all', found)
    return trials


def test_each_start_is_tried_on_frames_spread_over_all(subject, elsewhere, tmp_path, asked):
    draw(subject, output=tmp_path, epochs=1, trunk=elsewhere)
    assert [len(trial.train) for trial in asked] == [12, 24] * 3
    for trial in asked:
        assert (trial.train[0], trial.train[-1]) == (subject.train[0], subject.train[-1])
    assert [trial.trunk for trial in asked] == [elsewhere] * 2 + [None] * 4
    weights = subject.options.weights
    assert [trial.options.weights for trial in asked] == [weights] * 4 + ['none'] * 2
    assert {trial.options.head for trial in asked} == {'linear'}


def test_numbers_are_errors_by_start_and_by_how_many(subject, elsewhere, tmp_path, asked):
    exhibit = draw(subject, output=tmp_path, epochs=1, trunk=elsewhere)
    json.dumps(exhibit.numbers, allow_nan=False)
    positions = {
        name: [each['position'] for each in errors]
        for name, errors in exhibit.numbers['errors'].items()
    }
    assert positions == {
        "another scene's weights": [0.1, 0.2],
        "classifier's weights": [0.3, 0.4],
        'random weights': [0.5, 0.6],
        'nearest training image': [9.0, 9.0],
    }
    assert exhibit.numbers['training_images'] == [12, 24]
    nearest = '(nearest training image: 9.000 m and 90.00 deg)'
    best = "another scene's weights do best: 0.200 m and 2.00 deg"
    assert f'With 24 images, {best} {nearest}.' in exhibit.caption
    assert '--trunk' not in exhibit.caption
    panel = {line.get_label(): list(line.get_ydata()) for line in exhibit.picture.axes[0].lines}
    assert panel == positions


def test_without_a_trunk_its_line_is_left_out_and_said_so(subject, tmp_path, asked):
    exhibit = draw(subject, output=tmp_path, epochs=1)
    assert [*exhibit.numbers['errors']] == [
        "classifier's weights",
        'random weights',
        'nearest training image',
    ]
    assert 'no trunk of another scene was given (--trunk)' in exhibit.caption


def test_a_model_that_began_from_nothing_has_no_classifier(subject, tmp_path, asked):
    began = replace(subject, options=replace(subject.options, weights='none'))
    exhibit = draw(began, output=tmp_path, epochs=1)
    assert [*exhibit.numbers['errors']] == ['random weights', 'nearest training image']


def test_a_trunk_of_another_backbone_is_refused(subject, elsewhere, tmp_path, asked):
    card = subject.loaded.card
    card = replace(card, architecture=replace(card.architecture, backbone='resnet18'))
    other = replace(subject, loaded=replace(subject.loaded, card=card))
    with pytest.raises(ConfigError, match=r'mobilenet_v3_small.*resnet18.*same backbone'):
        draw(other, output=tmp_path, epochs=1, trunk=elsewhere)
    assert asked == []


def test_a_trunk_that_knows_the_scene_is_refused(subject, finished, tmp_path, asked):
    with pytest.raises(ConfigError, match='was trained on this scene'):
        draw(subject, output=tmp_path, epochs=1, trunk=finished)
    assert asked == []


def test_too_few_frames_are_refused(subject, tmp_path, asked):
    few = replace(subject, train=subject.train[:11])
    with pytest.raises(ConfigError, match='11 training frames are too few'):
        draw(few, output=tmp_path, epochs=1)


def test_a_small_one_is_trained_and_drawn_and_kept(subject, elsewhere, tmp_path, capsys):
    few = replace(subject, train=subject.train[:12])
    first = draw(few, output=tmp_path, epochs=1, trunk=elsewhere)
    assert [row[:2] for row in first.rows[:3]] == [
        ["another scene's weights", '12'],
        ["classifier's weights", '12'],
        ['random weights', '12'],
    ]
    # Another start is another network.
    assert len({tuple(row[2:]) for row in first.rows[:3]}) == 3
    capsys.readouterr()
    again = draw(few, output=tmp_path, epochs=1, trunk=elsewhere)
    assert again.numbers == first.numbers
    assert capsys.readouterr().out.count('done before') == 3
