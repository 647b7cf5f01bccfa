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

"""The command train, on a tiny data set and around a labelling that is stood in for."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
from posenet_ros.__main__ import main
from posenet_ros.cli import train
from posenet_ros.data.images import encode_jpeg
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Pose
from posenet_ros.models.checkpoint import load_model
import pytest
from scipy.spatial.transform import Rotation
import yaml

QUICK = [
    '--backbone',
    'mobilenet_v3_small',
    '--weights',
    'none',
    '--image-size',
    '32',
    '--epochs',
    '2',
]
QUICK += ['--batch-size', '8', '--set', 'feature_width=16']


@pytest.fixture(scope='module')
def scene(tmp_path_factory) -> Path:
    """Make 30 frames in the layout of 7-Scenes: a post that wanders through the image."""
    folder = tmp_path_factory.mktemp('scenes') / 'corridor'
    sequence = folder / 'seq-01'
    sequence.mkdir(parents=True)
    for number in range(30):
        rgb = np.full((48, 64, 3), (30, 60, 90), dtype=np.uint8)
        rgb[8:40, number : number + 8] = (250, 200, 40)
        name = sequence / f'frame-{number:06d}'
        encode_jpeg(name.with_suffix('.color.jpg'), rgb)
        turned = Rotation.from_euler('xyz', (10, 20, number), degrees=True)
        pose = Pose(turned, np.array([0.1 * number, 1, 2]), 'map', 'camera')
        np.savetxt(name.with_suffix('.pose.txt'), pose.matrix())
    return folder


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


@pytest.fixture(scope='module')
def finished(scene, tmp_path_factory) -> tuple[Path, str]:
    """Train; return the run's folder and what was printed."""
    output = tmp_path_factory.mktemp('runs') / 'corridor_posenet'
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main(['train', '--dataset', f'7scenes:{scene}', '--output', str(output), *QUICK])
    assert code == 0
    return output, said.getvalue()


def test_leaves_what_it_promises_and_says_where(finished):
    output, said = finished
    for name in ('model/model.safetensors', 'model/model.yaml', 'report/report.html', 'run.yaml'):
        assert (output / name).is_file()
    assert list((output / 'logs').glob('events.out.tfevents*'))
    assert str(output / 'model') in said
    assert str(output / 'report' / 'report.html') in said
    assert 'mean training pose' in said
    assert 'nearest training image' in said


def test_the_card_tells_where_the_model_comes_from(finished, scene):
    loaded = load_model(finished[0])
    card = loaded.card
    assert card.training['source'] == f'7scenes:{scene}'
    frames = card.training['frames']
    assert frames == {'trained_on': 24, 'held_out': 6, 'held_out_share': 0.2}
    assert card.training['options']['epochs'] == 2
    assert set(card.training['versions']) >= {'posenet_ros', 'torch', 'torchvision', 'lightning'}
    assert card.covariance.shape == (6, 6)
    assert card.errors['frames'] == 6
    assert card.errors['covariance']['blocks'] == 2
    assert card.errors['covariance']['inside_95'] >= 0.95
    assert {'mean_pose', 'nearest_image'} == set(card.errors['baselines'])
    assert card.extent == pytest.approx(np.array([[0, 1, 2], [2.9, 1, 2]]), abs=1e-6)
    assert len(loaded.features.features_ND) == 24


def test_the_report_has_the_figures_of_the_card(finished):
    output, _ = finished
    metrics = json.loads((output / 'report' / 'metrics.json').read_text())
    card = yaml.safe_load((output / 'model' / 'model.yaml').read_text())
    assert metrics['median_position_m'] == card['errors']['median_position_m']


def test_nothing_is_left_that_only_training_needed(finished):
    assert not list(finished[0].glob('logs/*.ckpt'))


def test_a_finished_run_says_so_and_is_left_alone(finished, scene, capsys):
    output, _ = finished
    before = (output / 'model' / 'model.yaml').read_bytes()
    assert main(['train', '--dataset', f'7scenes:{scene}', '--output', str(output), *QUICK]) == 0
    assert 'finished' in capsys.readouterr().out
    assert (output / 'model' / 'model.yaml').read_bytes() == before


def test_the_folder_of_another_run_is_refused(finished, scene, tmp_path, capsys):
    output, _ = finished
    other = tmp_path / 'other'
    shutil.copytree(scene, other)
    assert main(['train', '--dataset', f'7scenes:{other}', '--output', str(output), *QUICK]) == 2
    assert '--output' in capsys.readouterr().err


def test_other_training_options_are_refused_with_the_way_out(finished, scene, capsys, tmp_path):
    output = tmp_path / 'run'
    shutil.copytree(finished[0], output)
    words = ['train', '--dataset', f'7scenes:{scene}', '--output', str(output), *QUICK]
    assert main([*words, '--epochs', '3']) == 2
    assert 'epochs 2, not 3' in capsys.readouterr().err
    shutil.rmtree(output / 'model')
    assert main([*words, '--epochs', '3']) == 0
    assert load_model(output).card.training['options']['epochs'] == 3


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(scene, tmp_path):
    output = tmp_path / 'run'
    words = ['train', '--dataset', f'7scenes:{scene}', '--output', str(output), *QUICK]
    command = [sys.executable, '-m', 'posenet_ros', *words]
    stopped = subprocess.Popen(
        [*command, '--epochs', '20'], stderr=subprocess.PIPE, text=True, env=os.environ
    )
    # Lightning writes its first event file when training begins.
    deadline = time.monotonic() + 60
    while not list(output.glob('logs/events*')) and stopped.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stopped.send_signal(signal.SIGINT)
    _, said = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, said
    assert 'run the same command again to continue' in said
    assert 'Traceback' not in said
    assert main([*words, '--epochs', '20']) == 0
    assert (output / 'model' / 'model.yaml').is_file()


def test_weights_are_looked_for_before_anything_is_labelled(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(train, '_labelled', lambda *_: pytest.fail('labelled first'))
    words = ['train', '--dataset', '7scenes:there', '--output', str(tmp_path / 'run')]
    assert main([*words, '--weights', str(tmp_path / 'gone.pt')]) == 2
    assert 'no weights file' in capsys.readouterr().err


def test_flags_and_set_reach_the_options():
    options = train.train_options(
        arguments(
            '--bag', 'b', '--lr', 0.01, '--epochs', 7, '--set', 'wide=true', '--set', 'pool=3'
        )
    )
    assert (options.learning_rate, options.epochs, options.wide, options.pool) == (
        0.01,
        7,
        True,
        3,
    )
    assert options.backbone == 'googlenet'


def test_flags_override_the_recipe():
    words = ('--bag', 'b', '--recipe', 'scratch', '--epochs', 5)
    options = train.train_options(arguments(*words))
    assert (options.backbone, options.weights, options.epochs) == ('resnet18', 'none', 5)


@pytest.mark.parametrize('text', ['pool', 'depth=3', 'pool=many', 'wide=perhaps', 'pool=0'])
def test_impossible_settings_are_refused(text):
    with pytest.raises(ConfigError, match=text.split('=')[0]):
        train.train_options(arguments('--bag', 'b', '--set', text))


def test_the_output_is_named_after_the_data_set(scene, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, '_labelled', lambda *_: pytest.skip('got there'))
    with pytest.raises(pytest.skip.Exception):
        main(['train', '--dataset', f'7scenes:{scene}', *QUICK])
    assert (tmp_path / 'corridor_posenet' / 'run.yaml').is_file()


def test_too_few_frames_end_in_one_line(tmp_path, capsys, scene):
    folder = tmp_path / 'few' / 'seq-01'
    folder.mkdir(parents=True)
    for path in sorted((scene / 'seq-01').glob('frame-00000[0-2]*')):
        (folder / path.name).write_bytes(path.read_bytes())
    words = ['train', '--dataset', f'7scenes:{folder.parent}', '--output', str(tmp_path / 'run')]
    assert main([*words, *QUICK]) == 2
    assert '3 labelled frames are too few' in capsys.readouterr().err


def test_resume_needs_a_run_to_go_on_with(scene, tmp_path, capsys):
    words = ['train', '--dataset', f'7scenes:{scene}', '--output', str(tmp_path / 'none')]
    assert main([*words, *QUICK, '--resume']) == 2
    assert 'nothing to resume' in capsys.readouterr().err
