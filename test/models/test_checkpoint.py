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
import shutil

import numpy as np
from posenet_ros.errors import ModelError
from posenet_ros.models import checkpoint as checkpoint_module
from posenet_ros.models.architecture import Architecture
from posenet_ros.models.card import FORMAT, ModelCard
from posenet_ros.models.checkpoint import find_model_folder, load_model, save_model
from posenet_ros.models.posenet import PoseNet
import pytest
from safetensors.torch import load_file, save_file
import torch
import yaml


@pytest.fixture
def folder(tmp_path, model, card, features):
    save_model(tmp_path / 'run' / 'model', model, card, features)
    return tmp_path / 'run' / 'model'


def test_a_card_of_before_covariances_were_told_by_cells_is_read(folder, model, card, features):
    def older(values):
        values.update(format=FORMAT - 1)
        del values['cells'], values['architecture']['place_width']

    wide = replace(model.architecture, place_width=256)
    save_model(folder, PoseNet(wide).eval(), replace(card, architecture=wide), features)
    edit_card(folder, older)
    loaded = load_model(folder)
    assert (loaded.card.cells, loaded.card.architecture) == (None, wide)
    assert loaded.model(torch.rand(1, 3, 64, 64)).feature_BK.shape == (1, 256)


def edit_card(folder, change):
    values = yaml.safe_load((folder / 'model.yaml').read_text())
    change(values)
    (folder / 'model.yaml').write_text(yaml.safe_dump(values))


def test_a_model_answers_the_same_after_loading(folder, model, card, features):
    image = torch.rand(2, 3, 64, 64)
    loaded = load_model(folder)
    for mine, theirs in zip(model(image)[:3], loaded.model(image)[:3], strict=True):
        assert torch.equal(mine, theirs)
    assert not loaded.model.training
    assert loaded.card.to_dict() == card.to_dict()
    assert np.array_equal(loaded.features.features_NK, features.features_NK)
    assert np.array_equal(loaded.features.positions_N3, features.positions_N3)
    assert np.array_equal(loaded.features.quaternions_wxyz_N4, features.quaternions_wxyz_N4)
    assert loaded.features.stamps_ns_N.tolist() == [10**18 + 1, 10**18 + 2]


def test_auxiliary_heads_are_left_out(tmp_path, card):
    model = PoseNet(Architecture('googlenet', feature_width=8)).eval()
    save_model(tmp_path / 'm', model, replace(card, architecture=model.architecture))
    assert not [key for key in load_file(tmp_path / 'm/model.safetensors') if 'auxiliary' in key]
    image = torch.rand(1, 3, 64, 64)
    answer = load_model(tmp_path / 'm').model(image)
    assert torch.equal(answer.position_B3, model(image).position_B3)


def test_without_features_and_covariance(tmp_path, model, card):
    save_model(tmp_path / 'm', model, replace(card, covariance=None, camera=None))
    loaded = load_model(tmp_path / 'm')
    assert loaded.features is None
    assert loaded.card.covariance is None
    assert loaded.card.camera is None


def test_a_model_without_metres_says_so(tmp_path, model, card):
    save_model(tmp_path / 'm', model, replace(card, metric=False))
    assert yaml.safe_load((tmp_path / 'm' / 'model.yaml').read_text())['metric'] is False
    assert load_model(tmp_path / 'm').card.metric is False


def test_run_folder_means_its_model(folder):
    assert find_model_folder(folder.parent) == folder
    assert find_model_folder(folder) == folder
    assert load_model(folder.parent).card.map_frame == 'map'


def test_saving_again_replaces_the_whole_folder(folder, model, card):
    save_model(folder, model, card)
    assert {path.name for path in folder.iterdir()} == {'model.safetensors', 'model.yaml'}
    assert [path.name for path in folder.parent.iterdir()] == ['model']


def test_a_failed_save_leaves_the_old_model_and_no_rubbish(folder, model, card, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(checkpoint_module, 'write_card', full)
    with pytest.raises(OSError, match='No space'):
        save_model(folder, model, card)
    assert load_model(folder).features is not None
    assert [path.name for path in folder.parent.iterdir()] == ['model']


@pytest.mark.parametrize('name', ['model.safetensors', 'training_features.safetensors'])
def test_truncated_missing_and_altered_files_are_refused(folder, name):
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(ModelError, match=f'{name} is truncated'):
        load_model(folder)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelError, match=f'{name} is not the file'):
        load_model(folder)
    path.unlink()
    with pytest.raises(ModelError, match=f'{name} is missing'):
        load_model(folder)


def test_weights_of_another_model_are_refused_even_with_a_matching_card(folder, model):
    state = model.state_dict()
    state.pop('regressor.bias')
    save_file(state, folder / 'model.safetensors')
    fingerprint = checkpoint_module.file_entry(folder / 'model.safetensors')
    edit_card(folder, lambda values: values['files'].update({'model.safetensors': fingerprint}))
    with pytest.raises(ModelError, match='does not hold the weights of the mobilenet_v3_small'):
        load_model(folder)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda v: v.update(format=FORMAT + 1), 'newer than'),
        (lambda v: v.update(format='one'), 'damaged'),
        (
            lambda v: v.update(format=4),
            'how wrong poses are in a hole .* the same train command again',
        ),
        (lambda v: v.pop('metric'), 'metric'),
        (lambda v: v.update(metric='yes'), "true or false.*'yes'"),
        (lambda v: v.pop('kind'), 'not the card of a posenet_ros model'),
        (lambda v: v.pop('files'), 'damaged'),
        (lambda v: v['files'].pop('model.safetensors'), 'does not list model.safetensors'),
        (lambda v: v['files']['model.safetensors'].pop('sha256'), 'damaged'),
        (lambda v: v.pop('extent'), 'extent'),
        (lambda v: v.update(extent=[1, 2]), 'extent'),
        (lambda v: v.update(surprise=1), 'surprise'),
        (lambda v: v['architecture'].update(backbone='vgg16'), 'vgg16'),
        (lambda v: v['architecture'].update(depth=3), 'depth'),
        (lambda v: v['preprocessing'].pop('crop'), 'crop'),
        (lambda v: v['camera'].update(fx=0), 'focal'),
        (lambda v: v.update(covariance=[[0.0] * 6] * 6), 'covariance'),
        (lambda v: v.update(covariance=[1.0]), 'covariance'),
        (lambda v: v.update(errors=3), 'do not fit'),
        (lambda v: v.update(retrieval={'trust': None}), 'a measure has a covariance and trust'),
        (lambda v: v.update(retrieval={}), 'a measure has a covariance and trust'),
        (lambda v: v.pop('retrieval'), 'retrieval'),
    ],
)
def test_a_card_that_does_not_fit_is_refused_in_one_line(folder, change, message):
    edit_card(folder, change)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(folder)
    assert '\n' not in str(caught.value)


def test_a_card_cut_short_is_refused(folder):
    text = (folder / 'model.yaml').read_text()
    (folder / 'model.yaml').write_text(text[: len(text) // 2])
    with pytest.raises(ModelError, match='damaged'):
        load_model(folder)


def test_paths_without_a_model_say_what_is_missing(tmp_path, folder):
    with pytest.raises(ModelError, match='no such folder'):
        find_model_folder(tmp_path / 'none')
    with pytest.raises(ModelError, match=r'expected model\.yaml'):
        find_model_folder(tmp_path)
    (folder / 'model.yaml').unlink()
    with pytest.raises(ModelError, match='incomplete'):
        find_model_folder(folder)
    shutil.rmtree(folder)
    (folder.parent / 'run.yaml').touch()
    with pytest.raises(ModelError, match='training has not finished'):
        find_model_folder(folder.parent)


def test_a_covariance_must_be_one(card):
    with pytest.raises(ModelError, match='covariance'):
        replace(card, covariance=np.zeros((6, 6)))
    with pytest.raises(ModelError, match='covariance'):
        replace(card, covariance=np.eye(3))
    assert isinstance(replace(card, covariance=None), ModelCard)
