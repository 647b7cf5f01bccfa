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

"""What is remembered from one start to the next, and that nothing depends on it."""

import copy
import os

from posenet_ros.engines import choose
from posenet_ros.engines.choose import choose_engine, make_engine
from posenet_ros.engines.kinds import Kind
from posenet_ros.engines.memory import Memory, memory_of
from posenet_ros.engines.whole import GraphTrunk, without_norms
from posenet_ros.errors import ConfigError
import pytest
import torch

CPU = torch.device('cpu')


class Maker:
    """Makes a trunk that computes what the model does, and keeps a word of it."""

    def __init__(self):
        self.made, self.read = 0, []

    def __call__(self, model, size, kept):
        if kept.there:
            self.read.append(kept.file.read_text())
            if self.read[-1] == 'damaged':
                raise ValueError('no such format')
        else:
            self.made += 1
            kept.keep(lambda file: file.write_text('whole'))
        trunk = without_norms(model).trunk
        assert isinstance(trunk, GraphTrunk)
        return trunk


@pytest.fixture
def makers(monkeypatch):
    makers = {'torch': Maker(), 'openvino': Maker()}
    kinds = {name: Kind(maker, 'made up', keeps='.word') for name, maker in makers.items()}
    monkeypatch.setattr(choose, 'KINDS', kinds)
    monkeypatch.setattr(choose, 'AUTOMATIC', tuple(kinds))
    return makers


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path / 'engines' / 'one')


def test_the_fastest_is_remembered_and_read_and_the_others_are_not_made(
    network, preprocessing, makers, memory
):
    first = choose_engine(network, preprocessing, CPU, memory=memory)
    assert [maker.made for maker in makers.values()] == [1, 1]
    assert 'remembered' not in first.told
    again = choose_engine(network, preprocessing, CPU, memory=memory)
    assert [maker.made for maker in makers.values()] == [1, 1]
    assert makers[first.name].read == ['whole']
    assert again.name == first.name
    assert again.told == f'{first.told}, the fastest here as remembered'
    # Of what was slower, nothing is left.
    folder = memory.kept(first.name, '.word').file.parent
    assert {file.stem for file in folder.iterdir()} == {first.name, 'fastest'}


def test_what_is_damaged_is_made_anew(network, preprocessing, makers, memory):
    make_engine(network, preprocessing, 'openvino', memory)
    memory.kept('openvino', '.word').file.write_text('damaged')
    engine = make_engine(network, preprocessing, 'openvino', memory)
    assert engine.name == 'openvino'
    assert makers['openvino'].made == 2
    assert memory.kept('openvino', '.word').file.read_text() == 'whole'


def test_an_engine_that_no_longer_runs_is_no_longer_the_fastest(
    network, preprocessing, makers, memory, monkeypatch
):
    memory.note_fastest('openvino')

    def broken(model, size, kept):
        raise RuntimeError('no such operator')

    monkeypatch.setitem(choose.KINDS, 'openvino', Kind(broken, 'broken', keeps='.word'))
    assert choose_engine(network, preprocessing, CPU, memory=memory).name == 'torch'
    assert memory.fastest == 'torch'


@pytest.mark.parametrize('said', ['', 'tensorflow', 'eager'])
def test_a_name_that_is_none_of_the_fast_ones_is_not_believed(
    network, preprocessing, makers, memory, said
):
    memory.note_fastest(said)
    choose_engine(network, preprocessing, CPU, memory=memory)
    assert [maker.made for maker in makers.values()] == [1, 1]


def test_what_cannot_be_kept_is_told_and_answers_all_the_same(
    network, preprocessing, makers, memory
):
    memory.kept('openvino', '.word').file.mkdir()
    engine = make_engine(network, preprocessing, 'openvino', memory)
    assert engine.told.endswith("one/openvino.word'")
    assert ', not kept: ' in engine.told


def test_memory_is_of_one_model_and_one_number_of_threads(
    network, preprocessing, monkeypatch, tmp_path
):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))

    def remembered(model):
        return memory_of(model, preprocessing, ()).fastest

    memory_of(network, preprocessing, ()).note_fastest('torch')
    assert remembered(network) == 'torch'
    # Made anew it would differ in the last digits, where another test has left other threads.
    other = copy.deepcopy(network)
    assert remembered(other) == 'torch'
    with torch.no_grad():
        next(other.trunk.parameters()).view(-1)[0] += 1
    assert remembered(other) == ''
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        assert remembered(network) == ''
    finally:
        torch.set_num_threads(threads)


def test_only_the_models_used_last_are_remembered(tmp_path):
    for number in range(12):
        Memory(tmp_path / str(number))
        os.utime(tmp_path / str(number), (number, number))
    kept = {each.name for each in tmp_path.iterdir()}
    assert '11' in kept
    assert '1' not in kept
    assert len(kept) <= 9


def test_a_cache_that_cannot_be_written_to_is_done_without(
    network, preprocessing, monkeypatch, tmp_path, caplog
):
    kinds = {'torch': choose.KINDS['torch'], 'other': Kind(Maker(), 'other', ('numpy',))}
    monkeypatch.setattr(choose, 'KINDS', kinds)
    (tmp_path / 'posenet_ros').write_text('a file where a folder would be')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert choose.memory_for(network, preprocessing, CPU) is None
    assert 'at each start' in caplog.text


def test_a_failure_is_told_even_where_something_was_kept(network, preprocessing, makers, memory):
    def broken(model, size, kept):
        raise RuntimeError('no such operator')

    choose.KINDS['openvino'] = Kind(broken, 'broken', keeps='.word')
    memory.kept('openvino', '.word').file.write_text('whole')
    with pytest.raises(ConfigError, match='no such operator'):
        make_engine(network, preprocessing, 'openvino', memory)
