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

"""Relative poses by commands: rooms, weights, a database of a place, answers, more images."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
from pathlib import Path
import shutil

from posenet_ros.__main__ import main
from posenet_ros.errors import ModelError
from posenet_ros.files import read_yaml
from posenet_ros.localization.load import load_localizer
from posenet_ros.models.relative_folder import load_relative
import pytest

NETWORK = ('--backbone', 'mobilenet_v3_small', '--weights', 'none')
QUICK = ('--steps', '2', '--batch-size', '4')
SIZE = ('--views', '24', '--width', '64', '--height', '48')


def said_by(*words: object) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main([str(word) for word in words]) == 0
    return said.getvalue()


@pytest.fixture(scope='session')
def rooms(tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp('scenes') / 'rooms'
    said_by('simulate-rooms', '--output', output, '--rooms', 3, *SIZE)
    return output


@pytest.fixture(scope='session')
def weights(rooms, tmp_path_factory) -> tuple[Path, str]:
    output = tmp_path_factory.mktemp('weights') / 'weights'
    said = said_by('train-relative', '--scenes', rooms, '--output', output, *NETWORK, *QUICK)
    return output, said


@pytest.fixture(scope='session')
def place(rooms, weights, tmp_path_factory) -> tuple[Path, str]:
    """Return the run of a place, and what was said of it."""
    output = tmp_path_factory.mktemp('places') / 'room_posenet'
    source = ('--dataset', f'capture:{rooms / "0002"}', '--relative', weights[0])
    said = said_by('train', *source, '--output', output, '--map-budget', 0, '--neighbours', 5)
    return output, said


@pytest.fixture
def fails(capsys):
    def of(*words: object) -> str:
        assert main([str(word) for word in words]) == 2
        return capsys.readouterr().err

    return of


def test_weights_name_the_scenes_seen_and_how_good_they_are(weights):
    output, said = weights
    card = load_relative(output).card
    made = card.architecture
    assert (card.level, card.scales, made.looks, made.matcher) == (3, 2, 0, 'matching')
    # Of three scenes the last is measured on.
    assert list(card.scenes) == ['0000', '0001']
    assert card.errors['scenes'] == ['0002']
    assert card.scenes['0000']['images'] == 24
    assert 0 < card.errors['direction_deg'] < 180
    assert card.training['options']['steps'] == 2
    assert str(output / 'relative') in said
    assert (output / 'report' / 'relative.png').is_file()
    assert not list((output / 'logs').glob('*.ckpt'))


def test_the_same_command_again_has_nothing_to_do_and_another_is_refused(rooms, weights, fails):
    words = ('train-relative', '--scenes', rooms, '--output', weights[0], *NETWORK)
    assert 'finished: nothing to do' in said_by(*words, *QUICK)
    assert 'belongs to another run' in fails(*words, '--steps', 3)


def test_a_network_of_other_make_is_what_was_asked_for(rooms, tmp_path, fails):
    made = ('--level', 2, '--scales', 1, '--looks', 4, '--width', 16, '--hidden', 32)
    words = ('train-relative', '--scenes', rooms, '--output', tmp_path, *NETWORK, *QUICK)
    said_by(*words, *made, '--recolour', 0)
    card = load_relative(tmp_path).card
    assert (card.level, card.scales) == (2, 1)
    network = card.architecture
    assert (network.looks, network.width, network.hidden) == (4, 16, 32)
    assert 'belongs to another run' in fails(*words, *made)
    assert 'must not be negative' in fails(*words, '--recolour', -1)
    pooled = fails(*words, '--matcher', 'pooled', '--looks', 4, '--width', 16)
    assert 'compares no cells: leave --width, --looks out' in pooled


@pytest.mark.parametrize(
    ('asked', 'expected'), [(('--level', 1), (1, 1)), (('--matcher', 'pooled'), (1, 1))]
)
def test_of_what_a_trunk_ends_in_there_is_one_scale(rooms, tmp_path, asked, expected):
    said_by('train-relative', '--scenes', rooms, '--output', tmp_path, *NETWORK, *QUICK, *asked)
    card = load_relative(tmp_path).card
    assert (card.level, card.scales) == expected


def test_training_goes_on_from_other_weights_on_a_single_scene(rooms, weights, tmp_path, fails):
    scene = ('--scenes', f'capture:{rooms / "0002"}', '--output', tmp_path / 'finer')
    said_by('train-relative', *scene, '--start-from', weights[0], *QUICK)
    card = load_relative(tmp_path / 'finer').card
    # Blocks of the one scene's time are measured on.
    assert list(card.scenes) == ['0000', '0001', '0002']
    assert card.errors['scenes'] == ['0002']
    assert card.scenes['0002']['images'] < 24
    told = fails('train-relative', *scene, '--start-from', weights[0], '--backbone', 'resnet18')
    assert 'brings its own network' in told


def test_scenes_that_cannot_be_learned_of_are_one_line(rooms, tmp_path, fails):
    words = ('train-relative', '--output', tmp_path / 'out', *NETWORK, *QUICK, '--scenes')
    assert 'no such folder' in fails(*words, tmp_path / 'none')
    (tmp_path / 'empty').mkdir()
    assert 'is no capture and holds none' in fails(*words, tmp_path / 'empty')
    assert 'no such folder' in fails(*words, '7scenes:nowhere')
    assert 'matcher must be' in fails(*words, rooms, '--matcher', 'guess')
    assert 'no weights of relative poses' in fails(
        'train-relative', '--scenes', rooms, '--output', tmp_path / 'out', '--start-from', tmp_path
    )
    assert not (tmp_path / 'out').exists()


def test_a_database_is_measured_beside_the_baselines_and_names_what_it_made(place):
    output, said = place
    assert 'relative poses' in said
    assert 'nearest training image' in said
    assert str(output / 'model') in said
    assert (output / 'report' / 'report.html').is_file()
    card = read_yaml(output / 'model' / 'model.yaml', ModelError)
    assert card['kind'] == 'posenet_ros database'
    assert card['neighbours'] == 5
    assert card['errors']['baselines'].keys() == {'mean_pose', 'nearest_image'}
    assert card['training']['frames']['held_out'] >= 2
    localizer = load_localizer(output, refine='off', unscaled=True)
    assert localizer.method == 'relative'
    # All images are asked in the end, also those that it was measured on.
    assert len(localizer.training.features_NK) == 24
    assert not list(output.glob('.database'))


def test_the_same_command_again_finds_it_finished(rooms, weights, place, fails):
    source = ('train', '--dataset', f'capture:{rooms / "0002"}', '--output', place[0])
    words = (*source, '--relative', weights[0], '--map-budget', 0)
    assert 'nothing to do' in said_by(*words, '--neighbours', 5)
    assert 'was trained with neighbours 5, not 7' in fails(*words, '--neighbours', 7)


def test_evaluate_takes_it_by_each_of_its_methods(rooms, place, tmp_path, fails):
    words = ('evaluate', '--model', place[0], '--dataset', f'capture:{rooms / "0002"}')
    assert 'relative poses' in said_by(*words, '--always', '--json', tmp_path / 'a.json')
    assert json.loads((tmp_path / 'a.json').read_text())['localized_share'] == 1
    said = said_by(*words, '--method', 'retrieval', '--json', tmp_path / 'b.json')
    assert 'retrieval' in said
    # The images asked are those of the database.
    assert json.loads((tmp_path / 'b.json').read_text())['median_position_m'] < 1e-5
    assert 'holds no PoseNet' in fails(*words, '--method', 'posenet')
    assert 'for a PoseNet' in fails(*words, '--crops', 4)
    assert '2 neighbours, published' in said_by(*words, '--neighbours', 2, '--solver', 'published')
    assert '1 to 100 neighbours' in fails(*words, '--neighbours', 200)
    assert '1 to 100 neighbours' in fails(*words, '--neighbours', 0)


def test_a_posenet_is_no_database(finished, scene, fails):
    words = ('evaluate', '--model', finished[0], '--dataset', f'7scenes:{scene}')
    assert 'holds a PoseNet' in fails(*words, '--method', 'relative')
    assert 'holds a PoseNet: leave them out' in fails(*words, '--neighbours', 3)


def test_options_that_do_not_go_together_are_one_line(rooms, weights, tmp_path, fails):
    source = ('train', '--dataset', f'capture:{rooms / "0000"}', '--output', tmp_path / 'out')
    relative = ('--relative', weights[0])
    assert '--epochs would change nothing' in fails(*source, *relative, '--epochs', 3)
    assert '--recipe would change nothing' in fails(*source, *relative, '--recipe', 'scratch')
    assert 'give --relative DIR' in fails(*source, '--neighbours', 3)
    assert '1 to 100' in fails(*source, *relative, '--neighbours', 0)
    assert 'no weights of relative poses' in fails(*source, '--relative', rooms)
    assert not (tmp_path / 'out').exists()


def test_images_are_added_and_asked_and_nothing_that_was_there_changes(
    rooms, place, tmp_path, fails
):
    run = tmp_path / 'run'
    shutil.copytree(place[0], run)
    first = {path: path.read_bytes() for path in (run / 'model').rglob('*') if path.is_file()}
    words = ('extend', '--model', run, '--dataset', f'capture:{rooms / "0001"}')
    assert '24 images of office added to 24' in said_by(*words, '--scene', 'office')
    assert all(path.read_bytes() == data for path, data in first.items())
    localizer = load_localizer(run, refine='off', method='retrieval', always=True)
    assert len(localizer.training.features_NK) == 48
    assert localizer.regressor.database.scenes == ('0002', 'office')
    assert 'in the database already' in fails(*words)


def test_a_full_disk_is_one_line_and_leaves_the_database_as_it_was(
    place, rooms, tmp_path, fails, monkeypatch
):
    run = tmp_path / 'run'
    shutil.copytree(place[0], run)
    before = {path for path in run.rglob('*') if path.name != '.lock'}

    def full(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'posix_fallocate', full)
    told = fails('extend', '--model', run, '--dataset', f'capture:{rooms / "0001"}')
    assert 'the disk is full' in told
    assert {path for path in run.rglob('*') if path.name != '.lock'} == before


def test_only_a_database_can_be_extended(finished, rooms, fails):
    told = fails('extend', '--model', finished[0], '--dataset', f'capture:{rooms / "0001"}')
    assert 'holds a PoseNet' in told
    assert 'train --relative WEIGHTS' in told


def test_figures_of_a_posenet_say_that_this_is_none(place, rooms, fails):
    words = ('explain', 'map', '--dataset', f'capture:{rooms / "0002"}', '--model', place[0])
    assert 'this is for a PoseNet' in fails(*words)


def test_benchmark_tells_what_each_stage_takes_and_what_more_images_do(place, tmp_path, fails):
    words = ('benchmark', '--model', place[0], '--seconds', 0.2)
    said = said_by(*words, '--json', tmp_path / 'cost.json')
    assert '100000 images: search' in said
    found = json.loads((tmp_path / 'cost.json').read_text())
    assert (found['neighbours'], found['images']) == (5, 24)
    assert found['searches'].keys() == {'1000', '10000', '100000'}
    assert all(ms > 0 for ms in found['stages'].values())
    assert 'are for a PoseNet' in fails(*words, '--engines', 'torch')
