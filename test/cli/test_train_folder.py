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

"""Whose the folder of a training is, when it is finished, and what goes on from where it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

from posenet_ros.__main__ import main
from posenet_ros.cli import train_folder
from posenet_ros.errors import ConfigError
from posenet_ros.models.checkpoint import load_model
from posenet_ros.training import fit as fit_module
from posenet_ros.training.config import TrainOptions
import pytest
import yaml


def edit_yaml(path, change):
    values = yaml.safe_load(path.read_text())
    change(values)
    path.write_text(yaml.safe_dump(values))


@pytest.fixture
def other_scene(scene, tmp_path) -> Path:
    """Return a copy of the scene to change."""
    shutil.copytree(scene, tmp_path / 'corridor')
    return tmp_path / 'corridor'


def make_run_of(run, scene):
    """Let a run be that of another folder."""
    dataset = {'kind': '7scenes', 'path': str(scene)}
    edit_yaml(run / 'run.yaml', lambda values: values.update(dataset=dataset))


def test_a_finished_run_says_so_and_is_left_alone(run, words, capsys):
    before = (run / 'model' / 'model.yaml').read_bytes()
    assert main(words(run)) == 0
    assert 'finished' in capsys.readouterr().out
    assert (run / 'model' / 'model.yaml').read_bytes() == before


def test_a_run_that_lost_its_report_gets_it_again_from_its_model(run, words, capsys, monkeypatch):
    before = json.loads((run / 'report' / 'metrics.json').read_text())
    shutil.rmtree(run / 'report')
    monkeypatch.setattr(fit_module, 'fit', lambda *_, **__: pytest.fail('trained again'))
    assert main(words(run)) == 0
    assert 'finished' in capsys.readouterr().out
    assert (run / 'report' / 'report.html').is_file()
    after = json.loads((run / 'report' / 'metrics.json').read_text())
    assert after['median_position_m'] == pytest.approx(before['median_position_m'], abs=1e-4)


def test_a_report_is_not_made_on_frames_that_were_trained_on(run, words, capsys):
    shutil.rmtree(run / 'report')
    edit_yaml(
        run / 'model' / 'model.yaml',
        lambda values: values['training'].update(trained_on_sha256='0' * 64),
    )
    assert main(words(run)) == 2
    assert 'holds out other frames' in capsys.readouterr().err


@pytest.mark.parametrize('damage', ['format', 'weights'])
def test_a_model_that_cannot_be_used_is_no_finished_run(run, words, capsys, damage):
    if damage == 'weights':
        (run / 'model' / 'model.safetensors').write_bytes(b'half')
    else:
        edit_yaml(run / 'model' / 'model.yaml', lambda values: values.update(format=1))
    assert main(words(run)) == 2
    assert f'remove {run / "model"}, and the same command does' in capsys.readouterr().err


def test_a_folder_called_model_without_a_card_is_trained_into(run, words):
    (run / 'model' / 'model.yaml').unlink()
    assert main(words(run)) == 0
    assert load_model(run).card.errors['frames'] == 6


def test_a_median_that_is_infinite_is_told_as_inf(run, words, capsys):
    medians = {'median_position_m': None, 'median_orientation_deg': None}
    edit_yaml(run / 'model' / 'model.yaml', lambda values: values['errors'].update(medians))
    assert main(words(run)) == 0
    assert 'held-out frames: inf m, inf deg' in capsys.readouterr().out


def test_a_data_set_that_has_changed_is_not_what_was_trained_on(run, words, other_scene, capsys):
    make_run_of(run, other_scene)
    assert main(words(run, data=other_scene)) == 0
    (other_scene / 'seq-01' / 'frame-000003.pose.txt').unlink()
    (other_scene / 'seq-01' / 'frame-000003.color.jpg').unlink()
    capsys.readouterr()
    assert main(words(run, data=other_scene)) == 2
    assert 'is not what the model in' in capsys.readouterr().err


def test_the_folder_of_another_run_is_refused(run, words, other_scene, capsys):
    assert main(words(run, data=other_scene)) == 2
    assert '--output' in capsys.readouterr().err


def test_other_training_options_are_refused_with_the_way_out(run, words, capsys):
    assert main(words(run, '--epochs', 3)) == 2
    assert 'epochs 2, not 3' in capsys.readouterr().err
    shutil.rmtree(run / 'model')
    assert main(words(run, '--epochs', 3)) == 0
    assert load_model(run).card.training['options']['epochs'] == 3


def test_resume_needs_a_run_to_go_on_with(words, tmp_path, capsys):
    assert main(words(tmp_path / 'none', '--resume')) == 2
    assert 'nothing to resume' in capsys.readouterr().err


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(words, tmp_path):
    output = tmp_path / 'run'
    stopped = subprocess.Popen(
        [sys.executable, '-m', 'posenet_ros', *words(output, '--epochs', 20)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    # Lightning writes its first event file when training begins.
    deadline = time.monotonic() + 300
    while not list(output.glob('logs/events*')) and stopped.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stopped.send_signal(signal.SIGINT)
    _, said = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, said
    assert 'run the same command again to continue' in said
    assert 'Traceback' not in said
    assert main(words(output, '--epochs', 20)) == 0
    assert (output / 'model' / 'model.yaml').is_file()


def test_a_stopped_training_does_not_go_on_with_other_labels(run, words, other_scene, capsys):
    shutil.rmtree(run / 'model')
    (run / 'logs' / 'last.ckpt').touch()
    make_run_of(run, other_scene)
    frames = other_scene / 'seq-01'
    shutil.copy(frames / 'frame-000004.pose.txt', frames / 'frame-000003.pose.txt')
    assert main(words(run, data=other_scene)) == 2
    line = capsys.readouterr().err
    assert 'was trained with labels_sha256 ' in line
    assert 'remove its model and logs' in line


def test_a_training_does_not_go_on_with_other_weights_of_the_same_name(tmp_path):
    weights = tmp_path / 'weights.pt'
    weights.write_bytes(b'one')
    options = TrainOptions(weights=str(weights))
    (tmp_path / 'run.yaml').write_text('recording: {}\n')
    train_folder.claim_training(tmp_path, train_folder.what_decides(options))
    weights.write_bytes(b'two')
    # Nothing was trained yet: the new ones take their place.
    train_folder.claim_training(tmp_path, train_folder.what_decides(options))
    (tmp_path / 'logs').mkdir()
    (tmp_path / 'logs' / 'last.ckpt').touch()
    train_folder.claim_training(tmp_path, train_folder.what_decides(options))
    weights.write_bytes(b'one')
    with pytest.raises(ConfigError, match='weights_sha256'):
        train_folder.claim_training(tmp_path, train_folder.what_decides(options))


@pytest.mark.parametrize(
    ('environment', 'first'),
    [
        ({}, True),
        ({'RANK': '0', 'LOCAL_RANK': '0', 'GROUP_RANK': '0'}, True),
        ({'LOCAL_RANK': '1'}, False),
        ({'NODE_RANK': '1', 'LOCAL_RANK': '0'}, False),
        ({'RANK': '8', 'LOCAL_RANK': '0', 'GROUP_RANK': '1'}, False),
        ({'SLURM_PROCID': '0'}, True),
        ({'SLURM_PROCID': '3'}, False),
    ],
)
def test_one_process_of_several_is_the_first(monkeypatch, environment, first):
    for name in ('RANK', 'LOCAL_RANK', 'GROUP_RANK', 'NODE_RANK', 'SLURM_PROCID'):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert train_folder.is_first() is first
