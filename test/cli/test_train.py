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

"""The command train on a tiny data set: what it leaves, and its options."""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import replace
import io
import json
from types import SimpleNamespace

import numpy as np
from posenet_ros.__main__ import main
from posenet_ros.cli import train, train_source
from posenet_ros.cli.train_result import _how_sure
from posenet_ros.data.capture import Capture, image_path
from posenet_ros.data.scenes import read_scene
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.covariance import ResidualCovariance
from posenet_ros.evaluation.request import Request
from posenet_ros.evaluation.session import measure
from posenet_ros.geometry import Camera, Trajectory
from posenet_ros.models.checkpoint import load_model
from posenet_ros.models.trust import CovarianceByNovelty
from posenet_ros.training.identity import frames_sha256
import pytest
import torch
import torchvision
import yaml


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def test_leaves_what_it_promises_and_says_where(finished):
    output, said = finished
    for name in ('model/model.safetensors', 'model/model.yaml', 'report/report.html', 'run.yaml'):
        assert (output / name).is_file()
    assert list((output / 'logs').glob('events.out.tfevents*'))
    assert str(output / 'model') in said
    assert str(output / 'report' / 'report.html') in said
    assert 'mean training pose' in said
    assert 'nearest training image' in said


def test_without_epochs_a_linear_head_is_fitted_and_nothing_else(words, tmp_path, capsys):
    output = tmp_path / 'run'
    assert main(words(output, '--epochs', 0, '--set', 'head=linear')) == 0
    loaded = load_model(output)
    assert loaded.card.training['options']['epochs'] == 0
    assert (
        loaded.card.errors['median_position_m']
        < loaded.card.errors['baselines']['mean_pose']['median_position_m']
    )
    assert not list((output / 'logs').glob('**/*.ckpt'))
    capsys.readouterr()
    assert main(words(tmp_path / 'other', '--epochs', 0)) == 2
    assert 'only a linear head is fitted' in capsys.readouterr().err


def test_the_card_tells_where_the_model_comes_from(finished, scene):
    loaded = load_model(finished[0])
    card = loaded.card
    assert card.training['source'] == f'7scenes:{scene}'
    frames = {'trained_on': 24, 'held_out': 6, 'held_out_share': 0.2, 'rejected': 0}
    frames |= {'with_depth': 0, 'last_layer_fitted_to': 'trained_on'}
    assert card.training['frames'] == frames
    for trust in (card.trust, card.retrieval.trust):
        # Two epochs on random weights: what is usual and what is refused may lie anywhere.
        assert 0 <= trust.typical < 2
        assert 0 <= trust.limit < 2
    assert not np.allclose(card.retrieval.covariance, card.covariance)
    assert card.metric is True
    frames = read_scene(f'7scenes:{scene}').train
    assert card.training['labels_sha256'] == frames_sha256(frames)
    assert loaded.features.stamps_ns_N[0] == frames[0].stamp_ns
    assert card.training['options']['epochs'] == 2
    assert set(card.training['versions']) >= {'posenet_ros', 'torch', 'torchvision', 'lightning'}
    assert card.covariance.shape == (6, 6)
    assert card.errors['frames'] == 6
    assert card.errors['covariance']['blocks'] == 4
    assert card.errors['covariance']['inside_95'] >= 0.95
    assert {'mean_pose', 'nearest_image'} == set(card.errors['baselines'])
    assert card.extent == pytest.approx(np.array([[0, 1, 2], [2.9, 1, 2]]), abs=1e-6)
    assert len(loaded.features.features_NK) == 24


def test_the_report_has_the_figures_of_the_card(finished):
    output, _ = finished
    metrics = json.loads((output / 'report' / 'metrics.json').read_text())
    card = yaml.safe_load((output / 'model' / 'model.yaml').read_text())
    assert metrics['median_position_m'] == card['errors']['median_position_m']


def test_the_result_tells_of_unlabelled_frames_and_of_the_covariance(finished):
    output, said = finished
    page = (output / 'report' / 'report.html').read_text()
    for text in (said, page):
        assert '0 frames have no label and are in no figure' in text
    assert 'covariance  ' in said
    assert '% lay in the 95 % region of other blocks' in said
    assert '<td>inside_95_unscaled</td>' in page


def test_how_sure_it_is_says_what_was_measured_of_what():
    measured = ResidualCovariance(
        CovarianceByNovelty(0.04 * np.eye(6), 0.0, 0.1, 0.0, 0.0), 9, 4, 1.0, 12.6, 2.5, 0.96, 0.8
    )
    covariances = (None, 0.01 * np.eye(6), 0.04 * np.eye(6), 0.09 * np.eye(6))
    evaluation = SimpleNamespace(covariances=covariances)
    by_novelty = SimpleNamespace(support=measured, told_support=None, evaluation=evaluation)
    by_image = SimpleNamespace(support=None, told_support=measured, evaluation=evaluation)
    checked = ': 2.50 times the variances of the held-out errors, since before 80 % lay in'
    assert _how_sure(by_novelty, 'm').startswith(f'0.200 m, 11.46 deg at usual novelty{checked}')
    assert _how_sure(by_image, 'm').startswith('usually 0.200 m, 11.46 deg, told by each image')
    alike = SimpleNamespace(
        support=replace(measured, scale=1.0), told_support=None, evaluation=evaluation
    )
    assert _how_sure(alike, 'm').endswith('; 80 % lay in the 95 % region of other blocks')


def test_the_result_tells_when_images_are_refused(finished):
    assert 'refusal     above a novelty of 0.' in finished[1]
    assert 'of mirrored ones' in finished[1]


@pytest.fixture(scope='module')
def linear(words, tmp_path_factory):
    """Train a linear head; return the run's folder and what was printed."""
    output = tmp_path_factory.mktemp('linear') / 'run'
    how = ('head=linear', 'levels=3', 'pool=3', 'wide=true')
    options = [word for option in how for word in ('--set', option)]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(words(output, *options)) == 0
    return output, said.getvalue()


def test_a_linear_head_is_measured_first_and_then_fitted_to_all_frames(linear, scene):
    output, said = linear
    assert 'the last layer was then fitted to the held-out frames too' in said
    loaded = load_model(output)
    assert loaded.card.training['frames']['last_layer_fitted_to'] == 'all'
    frames = read_scene(f'7scenes:{scene}').train
    assert sorted(loaded.features.stamps_ns_N) == [frame.stamp_ns for frame in frames]
    evaluation = measure(
        Request(model=output, dataset=f'7scenes:{scene}', device='cpu', always=True)
    )
    assert evaluation.trained_on == 30
    assert evaluation.evaluation.summary.localized == 30


def test_its_report_made_again_has_the_figures_of_before(linear, words):
    output, _ = linear
    metrics = output / 'report' / 'metrics.json'
    before = json.loads(metrics.read_text())
    (output / 'report' / 'report.html').unlink()
    how = ('head=linear', 'levels=3', 'pool=3', 'wide=true')
    assert main(words(output, *(word for option in how for word in ('--set', option)))) == 0
    after = json.loads(metrics.read_text())
    assert after['median_position_m'] == pytest.approx(before['median_position_m'], abs=1e-4)


@pytest.fixture(scope='module')
def by_cells(scene, tmp_path_factory):
    """Train a scene head on a poor trunk; return the run, its capture, and what was said."""
    folder = tmp_path_factory.mktemp('by_cells')
    torch.manual_seed(0)
    network = torchvision.models.mobilenet_v3_small().train()
    with torch.no_grad():
        network(torch.rand(8, 3, 64, 64))
    torch.save(network.state_dict(), folder / 'weights.pt')
    # Only what tells its camera has cells that teach.
    frames = read_scene(f'7scenes:{scene}').train
    for frame in frames:
        path = image_path(folder / 'capture', frame.stamp_ns)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(frame.image)
    labels = Trajectory.from_poses(
        [frame.stamp_ns for frame in frames], [frame.map_from_camera for frame in frames]
    )
    camera = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)
    Capture.create(folder / 'capture', camera=camera, labels=labels)
    words = ['--backbone', 'mobilenet_v3_small', '--weights', folder / 'weights.pt']
    words += ['--image-size', 32, '--epochs', 1, '--map-budget', 0, '--output', folder / 'run']
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        source = f'capture:{folder / "capture"}'
        assert main(['train', '--dataset', source, *map(str, words)]) == 0
    return folder / 'run', source, said.getvalue()


def test_a_scene_head_that_learned_next_to_nothing_says_so_of_each_pose(by_cells):
    output, source, said = by_cells
    assert 'told by each image' in said
    card = load_model(output).card
    assert card.architecture.head == 'scene'
    assert card.cells.covariance[0, 0] >= 1
    assert card.errors['covariance']['blocks'] == 4
    found = measure(Request(model=output, dataset=source, device='cpu', always=True))
    # Frames are at most 3 m apart.
    assert min(each[0, 0] for each in found.evaluation.covariances) > 1
    assert found.coverage.most.value > 0.5


def test_nothing_is_left_that_only_training_needed(finished):
    assert not list(finished[0].glob('logs/*.ckpt'))


def test_flags_and_set_reach_the_options():
    words = ['--bag', 'b', '--lr', 0.01, '--epochs', 7, '--set', 'wide=true', '--set', 'pool=3']
    options = train.train_options(arguments(*words, '--set', 'head=linear'))
    assert (options.learning_rate, options.epochs, options.wide, options.pool) == (
        0.01,
        7,
        True,
        3,
    )
    assert options.backbone == 'googlenet'


def test_epochs_that_are_asked_for_are_those_that_are_taken():
    few = 20
    assert train.train_options(arguments('--bag', 'b')).epochs_for(few) > 50
    for words in (['--epochs', 7], ['--set', 'epochs=7']):
        assert train.train_options(arguments('--bag', 'b', *words)).epochs_for(few) == 7
    words = ['--epochs', 7, '--set', 'least_images=200']
    assert train.train_options(arguments('--bag', 'b', *words)).epochs_for(few) == 10


@pytest.mark.parametrize('words', [('--lr', 0.01), ('--loss', 'paper'), ('--beta', 100.0)])
def test_what_changes_nothing_for_cells_is_refused(words):
    with pytest.raises(ConfigError, match='head=linear'):
        train.train_options(arguments('--bag', 'b', *words))
    # Without weights, the head is another one.
    train.train_options(arguments('--bag', 'b', *words, '--weights', 'none'))


def test_flags_override_the_recipe():
    words = ('--bag', 'b', '--recipe', 'scratch', '--epochs', 5)
    options = train.train_options(arguments(*words))
    assert (options.backbone, options.weights, options.epochs) == ('resnet18', 'none', 5)


@pytest.mark.parametrize('text', ['pool', 'depth=3', 'pool=many', 'wide=perhaps', 'pool=0'])
def test_impossible_settings_are_refused(text):
    with pytest.raises(ConfigError, match=text.split('=')[0]):
        train.train_options(arguments('--bag', 'b', '--set', text))


def refuse(*_):
    raise ConfigError('far enough')


def test_the_output_is_named_after_the_data_set(scene, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Any of our errors ends the command where it would begin to read.
    monkeypatch.setattr(train_source.DataSet, 'labelled', refuse)
    assert main(['train', '--dataset', f'7scenes:{scene}', '--weights', 'none']) == 2
    assert (tmp_path / 'corridor_posenet' / 'run.yaml').is_file()


def test_too_few_frames_end_in_one_line(words, tmp_path, capsys, scene):
    folder = tmp_path / 'few' / 'seq-01'
    folder.mkdir(parents=True)
    for path in sorted((scene / 'seq-01').glob('frame-00000[0-2]*')):
        (folder / path.name).write_bytes(path.read_bytes())
    assert main(words(tmp_path / 'run', data=folder.parent)) == 2
    assert '3 labelled frames are too few' in capsys.readouterr().err
