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

import json

from posenet_ros.__main__ import main
from posenet_ros.performance import contest
import pytest


@pytest.fixture
def brief(monkeypatch):
    """Ask each engine a few times only."""
    monkeypatch.setattr(contest, '_LEAST_ROUNDS', 1)
    monkeypatch.setattr(contest, '_MOST_ROUNDS', 1)


def test_the_command_needs_no_model_and_writes_what_was_asked_for(brief, tmp_path, capsys):
    words = ['benchmark', '--backbone', 'mobilenet_v3_small', '--device', 'cpu', '--crops', '1']
    words += ['--batch', '1', '--engines', 'torch', '--no-memory', '--no-scene-size']
    files = [tmp_path / 'new' / name for name in ('speed.json', 'speed.png', 'speed.txt')]
    for option, path in zip(('--json', '--picture', '--output'), files, strict=True):
        words += [option, str(path)]
    assert main(words) == 0
    told = json.loads(files[0].read_text())
    assert told['speedup_over_eager'] > 0
    printed = capsys.readouterr().out
    assert files[2].read_text().strip() in printed
    assert 'times as fast as eager' in printed
    assert files[1].is_file()


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (['--backbone', 'alexnet'], "unknown backbone 'alexnet'"),
        (['--model', 'm', '--backbone', 'googlenet'], 'without training: no --model'),
        (['--picture', 'speed.txt'], 'writes .png, .pdf or .svg'),
        (['--json', '.'], 'is a folder: name a file'),
        (['--batch', '0'], 'batches are at least 1'),
        (['--model', 'nowhere'], 'no model at nowhere'),
    ],
)
def test_a_users_mistakes_are_one_line(words, told, capsys):
    assert main(['benchmark', '--device', 'cpu', *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count('\n') == 1
