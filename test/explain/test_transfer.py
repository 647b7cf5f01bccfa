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

from posenet_ros.errors import ConfigError
from posenet_ros.explain import transfer as module
from posenet_ros.explain.found import Errors, Found
from posenet_ros.explain.transfer import draw
import pytest

CURVES = {
    'pre-trained weights': [(0.9, 20.0), (0.4, 8.0), (0.2, 4.0)],
    'random weights': [(2.0, 40.0), (1.0, None), (0.5, 10.0)],
}


@pytest.fixture
def pretend(monkeypatch):
    """Return a function that lets trials find known curves, and the trials asked for."""

    def with_curves(curves):
        asked = []

        def found(subject, trials, output):
            asked.extend(trials)
            return [_found(curves[trial.label]) for trial in trials]

        monkeypatch.setattr(module, 'train_all', found)
        return asked

    return with_curves


def _found(curve):
    names = ('held_out/position_m', 'held_out/orientation_deg')
    history = tuple(dict(zip(names, values)) for values in curve)
    return Found(Errors(*curve[-1], 1.0, 30.0), None, history, 1.0)


def test_both_trainings_differ_in_their_weights_alone(subject, pretend, tmp_path):
    trials = pretend(CURVES)
    draw(subject, output=tmp_path, epochs=3)
    first, second = (trial.options for trial in trials)
    assert first.weights == subject.options.weights
    assert second == replace(first, weights='none')
    assert (first.head, first.epochs) == ('hidden', 3)
    assert all(trial.curve for trial in trials)


def test_numbers_are_the_curves_beside_the_model_itself(subject, pretend, tmp_path):
    pretend(CURVES)
    exhibit = draw(subject, output=tmp_path, epochs=3)
    json.dumps(exhibit.numbers, allow_nan=False)
    assert exhibit.numbers['random_weights']['watched_medians'] == {
        'position': [2.0, 1.0, 0.5],
        'orientation_deg': [40.0, None, 10.0],
    }
    own = exhibit.numbers['model_itself_on_watched']['position']
    assert own > 0
    panel = {line.get_label(): line for line in exhibit.picture.axes[0].lines}
    assert list(panel['pre-trained weights'].get_ydata()) == [0.9, 0.4, 0.2]
    assert list(panel['pre-trained weights'].get_xdata()) == [1, 2, 3]
    assert list(panel['the model itself, by its own recipe'].get_ydata()) == [own, own]


def test_tells_when_the_pre_trained_network_was_as_good(subject, pretend, tmp_path):
    pretend(CURVES)
    told = draw(subject, output=tmp_path, epochs=3).caption
    assert 'as good after epoch 2 as that of the other after 3' in told


def test_tells_where_pre_training_did_not_help(subject, pretend, tmp_path):
    pretend(dict(zip(CURVES, [*CURVES.values()][::-1])))
    assert 'was never as good' in draw(subject, output=tmp_path, epochs=3).caption


def test_a_model_that_began_from_nothing_is_refused(subject, pretend, tmp_path):
    trials = pretend(CURVES)
    began = replace(subject, options=replace(subject.options, weights='none'))
    with pytest.raises(ConfigError, match='trained with --weights'):
        draw(began, output=tmp_path, epochs=1)
    assert trials == []


def test_the_learned_weights_of_figure_2_are_the_same_trial(
    subject, pretend, tmp_path, monkeypatch
):
    from posenet_ros.explain import beta, trial

    keys = []

    def found(asked, trials, output):
        keys.append({trial._key(trial._decided_by(asked, each)) for each in trials})
        return [_found(CURVES['random weights'])] * len(trials)

    for each in (beta, module):
        monkeypatch.setattr(each, 'train_all', found)
    beta.draw(subject, output=tmp_path, epochs=2)
    draw(subject, output=tmp_path, epochs=2)
    assert len(keys[0] & keys[1]) == 1


def test_a_small_one_is_trained_and_drawn(subject, tmp_path):
    narrow = replace(subject, options=replace(subject.options, feature_width=16))
    exhibit = draw(narrow, output=tmp_path, epochs=2)
    for name in ('pretrained_weights', 'random_weights'):
        assert len(exhibit.numbers[name]['watched_medians']['position']) == 2
    assert len([*(tmp_path / 'trials').glob('*.json')]) == 2
