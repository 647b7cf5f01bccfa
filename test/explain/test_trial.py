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

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.baselines import NEAREST_IMAGE
from posenet_ros.explain import trial as module
from posenet_ros.explain.recipes import in_as_many_steps, recipe_of, with_paper_head
from posenet_ros.explain.trial import train_all, Trial
from posenet_ros.geometry import Camera
from posenet_ros.training import callbacks
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.fit import CHECKPOINT
from posenet_ros.training.module import PoseTraining
import pytest
import torch


def tiny(subject, label='tiny', epochs=1, curve=False, **changes):
    """Return a trial of the paper's head, narrow, on a few frames."""
    options = replace(with_paper_head(recipe_of(subject, epochs)), feature_width=16, **changes)
    return Trial(label, options, subject.train[:16], curve=curve)


def results(output):
    return sorted((output / 'trials').glob('*.json'))


@pytest.fixture
def fits(monkeypatch):
    """Return what `fit` is called for, which still does its work."""
    calls, fit = [], module.fit

    def counted(train, held_out, options, *more, **named):
        calls.append((train, held_out))
        return fit(train, held_out, options, *more, **named)

    monkeypatch.setattr(module, 'fit', counted)
    return calls


@pytest.fixture
def pretended(monkeypatch):
    """Let every trial find the same in six seconds; return the labels of those that were done."""
    done = []
    medians = {'median_position_m': 1.0, 'median_orientation_deg': None}
    medians |= {'p95_position_m': 2.0, 'p95_orientation_deg': None}

    def pretend(subject, trial, logs):
        done.append(trial.label)
        logs.mkdir(parents=True)
        return {**medians, 'baselines': {}, 'history': [], 'seconds': 6.0}

    monkeypatch.setattr(module, '_train', pretend)
    return done


@pytest.fixture(scope='module')
def kept(subject, tmp_path_factory):
    """Return the folder of one trial, and what it found."""
    output = tmp_path_factory.mktemp('figures')
    return output, train_all(subject, [tiny(subject, curve=True, epochs=2)], output)[0]


def test_a_trial_is_measured_on_all_test_frames_beside_the_nearest_image(subject, kept):
    output, found = kept
    values = json.loads(results(output)[0].read_text())
    assert values['frames'] == values['localized'] == len(subject.test) == 12
    assert found.errors.position == values['median_position_m'] > 0
    assert found.nearest.position == values['baselines'][NEAREST_IMAGE]['median_position_m']
    assert found.seconds > 0


def test_a_curve_has_every_epoch(kept):
    _, found = kept
    assert found.curve('epoch') == [1, 2]
    assert all(value > 0 for value in found.curve('held_out/position_m'))


def test_what_was_found_is_not_trained_again_and_the_logs_are_gone(subject, kept, fits, capsys):
    output, found = kept
    again = train_all(subject, [tiny(subject, 'again', curve=True, epochs=2)], output)
    assert fits == []
    assert again == [found]
    assert capsys.readouterr().out == 'trial 1 of 1: again, done before\n'
    assert [path.suffix for path in (output / 'trials').iterdir()] == ['.json']


def test_test_frames_are_watched_and_change_nothing(subject, kept, tmp_path, fits):
    _, watched = kept
    (found,) = train_all(subject, [tiny(subject, epochs=2)], tmp_path)
    assert found.errors.medians == pytest.approx(watched.errors.medians, rel=1e-4)
    assert found.history == ()
    ((train, held_out),) = fits
    assert not {frame.image for frame in train} & {frame.image for frame in subject.test}
    assert {frame.image for frame in held_out} < {frame.image for frame in subject.test}


@pytest.mark.parametrize('change', ['options', 'labels', 'test', 'weights', 'camera', 'trunk'])
def test_whatever_decides_a_trial_has_it_done_anew(subject, finished, tmp_path, pretended, change):
    first = tiny(subject)
    file = tmp_path / 'weights.pt'
    file.write_bytes(b'other weights')
    trials = {
        'options': tiny(subject, seed=1),
        'labels': replace(first, train=first.train[:-1]),
        'weights': tiny(subject, weights=str(file)),
        'trunk': replace(first, trunk=finished),
    }
    subjects = {
        'test': replace(subject, test=subject.test[:-1]),
        'camera': replace(subject, camera=Camera(64, 48, 50, 50, 32, 24)),
    }
    train_all(subject, [first], tmp_path)
    train_all(subjects.get(change, subject), [trials.get(change, first)], tmp_path)
    assert len(pretended) == len(results(tmp_path)) == 2


def test_weights_of_another_name_are_the_same(subject, tmp_path, pretended):
    for name in ('a.pt', 'b.pt'):
        (tmp_path / name).write_bytes(b'weights')
        train_all(subject, [tiny(subject, weights=str(tmp_path / name))], tmp_path)
    assert len(pretended) == 1


def test_a_trial_that_was_stopped_goes_on_where_it_was(subject, tmp_path, monkeypatch):
    begun, step = [], PoseTraining.training_step

    def counted(self, batch, index):
        begun.append(self.current_epoch)
        if self.current_epoch == 2 and stop:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(PoseTraining, 'training_step', counted)
    monkeypatch.setattr(callbacks, 'CHECKPOINT_EVERY_S', 0)
    trials = [tiny(subject), tiny(subject, 'longer', epochs=3, curve=True)]
    stop = True
    with pytest.raises(KeyboardInterrupt):
        train_all(subject, trials, tmp_path)
    assert len(results(tmp_path)) == 1
    assert len([*(tmp_path / 'trials').glob(f'*/{CHECKPOINT}')]) == 1
    stop = False
    begun.clear()
    found = train_all(subject, trials, tmp_path)[1]
    assert set(begun) == {2}
    assert found.curve('epoch') == [1, 2, 3]
    assert not [*(tmp_path / 'trials').glob('*/')]


def test_tells_which_trial_it_is_and_what_is_left(subject, tmp_path, pretended, capsys):
    trials = [tiny(subject, 'one'), tiny(subject, 'two', epochs=2), tiny(subject, 'six', epochs=6)]
    train_all(subject, trials, tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        'trial 1 of 3: one',
        'trial 2 of 3: two, about 48 s left',
        # Six seconds each, for one epoch and for two.
        'trial 3 of 3: six, about 24 s left',
    ]


def test_a_damaged_result_is_told_by_name(subject, tmp_path, pretended):
    train_all(subject, [tiny(subject)], tmp_path)
    results(tmp_path)[0].write_text('{"median_position_m": 1}')
    with pytest.raises(ConfigError, match=rf'{results(tmp_path)[0].name} is damaged; remove it'):
        train_all(subject, [tiny(subject)], tmp_path)


def test_a_network_that_fell_apart_is_infinitely_wrong(subject, tmp_path, monkeypatch):
    fit = module.fit

    def diverged(*args, **named):
        fitted = fit(*args, **named)
        for value in fitted.model.parameters():
            torch.nn.init.constant_(value, torch.nan)
        return fitted

    monkeypatch.setattr(module, 'fit', diverged)
    (found,) = train_all(subject, [tiny(subject)], tmp_path)
    assert found.errors.medians == (None, None)
    assert found.nearest is None


def test_a_trunk_of_another_model_is_what_training_starts_from(
    subject, finished, tmp_path, monkeypatch
):
    trunks = []
    monkeypatch.setattr(module, 'fit', lambda *_, trunk, **__: trunks.append(trunk) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train_all(subject, [replace(tiny(subject), trunk=finished)], tmp_path)
    expected = subject.loaded.model.trunk.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in trunks[0].state_dict().items())


def test_depths_are_handed_on_to_trainings_that_want_them(subject, tmp_path, monkeypatch):
    subject = replace(subject)
    known = {subject.train[0].image: np.ones((18, 24), dtype=np.float32)}
    vars(subject)['depths'] = known
    handed = []
    monkeypatch.setattr(module, 'fit', lambda *_, depths, **__: handed.append(depths) or 1 / 0)
    plain = tiny(subject)
    moves = replace(plain, options=replace(plain.options, move=0.2, moved=0.5))
    for trial in (plain, moves):
        with pytest.raises(ZeroDivisionError):
            train_all(subject, [trial], tmp_path)
    assert handed == [None, known]
    decided = [module._decided_by(subject, trial)['depths_sha256'] for trial in (plain, moves)]
    assert decided[0] is None
    assert len(decided[1]) == 64


@pytest.mark.parametrize('frames', [500, 250, 125, 63, 48, 31, 12])
def test_few_frames_take_as_many_steps_in_equal_batches(frames):
    options = in_as_many_steps(TrainOptions(epochs=14, batch_size=32), 500, frames)
    batches, rest = divmod(frames, options.batch_size)
    assert rest < batches
    assert options.batch_size <= 32
    steps = options.epochs_for(frames) * batches
    assert 14 * 15 <= steps < 14 * 15 + batches


def test_epochs_given_replace_the_iterations_of_a_recipe(subject):
    iterations = replace(subject, options=replace(subject.options, iterations=700, devices=4))
    assert recipe_of(iterations, 3).epochs_for(36) == 3
    with pytest.raises(ConfigError, match='say here how many'):
        recipe_of(
            replace(subject, options=replace(subject.options, epochs=0, head='linear')), None
        )
    kept = recipe_of(iterations, None)
    assert (kept.iterations, kept.devices) == (700, 1)
