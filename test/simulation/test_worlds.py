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

"""What `simulate` does with the worlds that it knows."""

import numpy as np
from posenet_ros.__main__ import main
from posenet_ros.data.bags import Recording
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import read_tum
from posenet_ros.simulation.corridor import make_corridor
from posenet_ros.simulation.options import SimulationOptions
from posenet_ros.simulation.render import render
from posenet_ros.simulation.worlds import SETTINGS
import pytest
from scipy.spatial import cKDTree
import yaml

IMAGES = '/camera/image_raw/compressed'
ARGUMENTS = ['--laps', '2', '--rate', '0.5', '--width', '160', '--height', '120']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp('corridor') / 'world'
    assert main(['simulate', '--world', 'corridor', '--output', str(out), *ARGUMENTS]) == 0
    return out


def test_a_room_is_what_is_simulated_unless_asked_otherwise():
    assert SimulationOptions.usual() == SimulationOptions()
    assert SimulationOptions().setting is SETTINGS['room']


def test_a_world_comes_with_its_robot_unless_another_is_chosen():
    usual = SimulationOptions.usual('corridor', laps=4)
    assert (usual.world, usual.laps) == ('corridor', 4)
    assert usual.robot == SETTINGS['corridor'].robot != SimulationOptions().robot
    room = SimulationOptions().robot
    assert SimulationOptions.usual('corridor', robot=room).robot == room


def test_an_unknown_world_is_refused_with_its_name(tmp_path, capsys):
    with pytest.raises(ConfigError, match='room, corridor or twins, not hall'):
        SimulationOptions(world='hall')
    out = tmp_path / 'out'
    assert main(['simulate', '--world', 'hall', '--output', str(out)]) == 2
    assert 'hall' in capsys.readouterr().err
    assert not out.exists()


def test_the_command_records_a_corridor_and_tells_its_places(folder):
    there = {path.name for path in folder.iterdir()}
    assert {'train', 'test', 'train.groundtruth.tum', 'test.groundtruth.tum'} < there
    facts = yaml.safe_load((folder / 'simulation.yaml').read_text())
    assert facts['options']['world'] == 'corridor'
    assert facts['places_m']['twin door A'] == [12.7, 0.0]
    assert facts['images']['train'] > 1.5 * facts['images']['test'] > 50


def test_the_same_folder_does_not_become_a_room(folder, capsys):
    assert main(['simulate', '--output', str(folder), *ARGUMENTS]) == 2
    assert 'another simulation' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['train', 'test'])
def test_images_show_the_corridor_from_their_true_poses(folder, name):
    world = make_corridor(0)
    truth = read_tum(folder / f'{name}.groundtruth.tum')
    with Recording(folder / name) as recording:
        camera = recording.camera(IMAGES)
        images = list(recording.images(IMAGES))
    assert [image.stamp_ns for image in images] == truth.stamps_ns.tolist()
    for index in range(3, len(images), 12):
        taken = images[index].decode().astype(float)
        clean = render(world, camera, truth[index]).astype(float)
        assert np.abs(taken / taken.mean() - clean / clean.mean()).mean() < 0.12


def test_the_test_drive_keeps_between_the_training_laps(folder):
    train, test = (read_tum(folder / f'{name}.groundtruth.tum') for name in ('train', 'test'))
    dense = np.linspace(0, len(train) - 1, 5000)
    places = np.stack(
        [np.interp(dense, np.arange(len(train)), axis) for axis in train.translations.T], axis=1
    )
    assert np.median(cKDTree(places).query(test.translations)[0]) > 0.1
