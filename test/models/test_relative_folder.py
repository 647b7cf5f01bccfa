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

"""Weights of relative poses on disk: read back as they were, or refused in one line."""

import copy
from dataclasses import replace

import numpy as np
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.models.backbones import build_backbone
from posenet_ros.models.descriptor import PlaceFeature
from posenet_ros.models.relative import RelativeArchitecture, RelativePoseNet, Side
from posenet_ros.models.relative_folder import (
    find_relative,
    load_relative,
    Relative,
    RELATIVE_CARD,
    RELATIVE_WEIGHTS,
    RelativeCard,
    save_relative,
)
from posenet_ros.models.relative_map import made_by
from posenet_ros.models.trunk_maps import stacked, TrunkMaps
import pytest
import torch


@pytest.fixture(scope='module')
def relative():
    torch.manual_seed(0)
    architecture = RelativeArchitecture(key=8, width=8)
    trunk = TrunkMaps(build_backbone('mobilenet_v3_small'), 2)
    network = RelativePoseNet(architecture, trunk.channels).eval()
    card = RelativeCard(
        'mobilenet_v3_small',
        2,
        architecture,
        scenes={'kitchen': {'images': 3, 'labels_sha256': 'a'}},
        errors={'direction_deg': 10.0},
        training={'date': 'today'},
    )
    return Relative(trunk, network, card)


@pytest.fixture
def folder(relative, tmp_path):
    save_relative(tmp_path / 'out' / 'relative', relative)
    return tmp_path / 'out' / 'relative'


def answer(relative, images):
    map_BChw, whole_BD = relative.trunk(stacked(images))
    rays = torch.zeros(2, 2, *map_BChw.shape[2:])
    side = Side(map_BChw, rays)
    other = Side(map_BChw.flip(0), rays)
    return relative.network(side, other), whole_BD


def test_a_database_is_of_the_weights_that_describe_and_no_others(relative):
    place = PlaceFeature(relative.trunk.place_widths)
    other = copy.deepcopy(relative.network)
    with torch.no_grad():
        other.regressor[0].weight.mul_(2)
    assert made_by(relative, place) == made_by(relative._replace(network=other), place)
    with torch.no_grad():
        other.matcher.key.weight.mul_(2)
    assert made_by(relative, place) != made_by(relative._replace(network=other), place)


def test_what_is_read_answers_as_what_was_written(relative, folder):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(2)]
    found = load_relative(folder)
    assert found.card == relative.card
    assert not found.network.training
    assert found.trunk.cells == relative.trunk.cells
    assert found.trunk.sha256 == relative.trunk.sha256
    with torch.no_grad():
        (one, place), (other, other_place) = answer(relative, images), answer(found, images)
    for mine, theirs in zip(one, other, strict=True):
        torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(place, other_place)


def test_the_folder_of_the_training_means_the_one_inside(folder):
    assert find_relative(folder) == folder
    assert find_relative(folder.parent) == folder


def test_what_is_missing_or_something_else_is_refused(folder, tmp_path):
    with pytest.raises(ModelError, match='no such folder'):
        find_relative(tmp_path / 'nothing')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ModelError, match=r'expected relative\.yaml'):
        find_relative(tmp_path / 'empty')
    card = read_yaml(folder / RELATIVE_CARD, ModelError)
    for change, told in (
        ({'kind': 'posenet_ros model'}, 'is not the card of a network of relative poses'),
        ({'format': 99}, 'update posenet_ros'),
        ({'format': 'one'}, 'is damaged'),
        ({'backbone': 'alexnet'}, 'unknown backbone'),
        ({'level': 0}, 'counted from 1'),
        ({'more': 1}, 'unknown keys: more'),
        ({'architecture': {'matcher': 'guess'}}, 'matcher must be'),
    ):
        write_yaml(folder / RELATIVE_CARD, {**card, **change})
        with pytest.raises(ModelError, match=told):
            load_relative(folder)


def test_weights_that_were_altered_or_are_gone_are_refused(relative, folder):
    path = folder / RELATIVE_WEIGHTS
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError, match='another SHA-256'):
        load_relative(folder)
    path.unlink()
    with pytest.raises(ModelError, match='is missing'):
        load_relative(folder)


def test_weights_of_another_architecture_are_refused(relative, folder):
    wider = replace(relative.card, architecture=RelativeArchitecture(key=8, width=9))
    save_relative(folder, relative._replace(card=wider))
    with pytest.raises(ModelError, match='does not hold the weights'):
        load_relative(folder)


def test_a_card_names_a_backbone_that_is_known():
    with pytest.raises(ConfigError, match='unknown backbone'):
        RelativeCard('alexnet', 2, RelativeArchitecture())


def test_weights_that_do_not_tell_how_wrong_they_may_be_are_refused(folder):
    card = read_yaml(folder / RELATIVE_CARD, ModelError)
    write_yaml(folder / RELATIVE_CARD, {**card, 'format': 1})
    with pytest.raises(ModelError, match='make new weights with train-relative'):
        load_relative(folder)


def test_what_was_chosen_comes_back(tmp_path):
    architecture = RelativeArchitecture(key=8, width=8, looks=0, hidden=16)
    trunk = TrunkMaps(build_backbone('mobilenet_v3_small'), 3, 2)
    network = RelativePoseNet(architecture, trunk.channels).eval()
    card = RelativeCard('mobilenet_v3_small', 3, architecture, scales=2)
    save_relative(tmp_path, Relative(trunk, network, card))
    found = load_relative(tmp_path)
    assert found.card == card
    assert found.trunk.cells == trunk.cells
    assert found.trunk.sha256 == trunk.sha256
    with pytest.raises(ConfigError, match='there are not 4'):
        replace(card, scales=4)
