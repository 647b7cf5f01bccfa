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
from posenet_ros.recovery.rehearsal import SCENARIOS
import pytest


def test_it_prints_a_table_and_writes_it_with_the_figures(tmp_path, capsys):
    table, figures = tmp_path / 'new' / 'table.txt', tmp_path / 'rehearsal.json'
    asked = ['--trips', '3', '--jobs', '1', '--seed', '5', '--scenario', 'usual', 'driving']
    more = ['--rate', '5', '--refused', '0.2', '--odometry-noise', '2']
    assert main(['rehearse', *asked, *more, '--output', str(table), '--json', str(figures)]) == 0
    printed = capsys.readouterr().out
    assert table.read_text() in printed
    written = json.loads(figures.read_text())
    assert (written['seed'], written['trips']) == (5, 3)
    assert [each['scenario'] for each in written['scenarios']] == ['usual', 'driving']
    bounds = written['scenarios'][0]['wrong']['bounds_95']
    assert bounds[0] <= bounds[1] <= 1


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--trips', '0'], '--trips and --jobs are at least 1'),
        (['--jobs', '0'], '--trips and --jobs are at least 1'),
        (['--seed', '-1'], '--seed at least 0'),
        (['--scenario', 'usul'], 'no such scenario: usul; there are usual'),
        (['--rate', '0'], 'rate_hz must be at least 1'),
        (['--refused', 'nan'], 'refused must be at least 0'),
        (['--json', '.'], 'is a folder'),
    ],
)
def test_what_cannot_be_rehearsed_is_told_in_one_line(words, message, capsys):
    assert main(['rehearse', *words]) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert '\n' not in said


def test_help_names_every_scenario(capsys):
    with pytest.raises(SystemExit):
        main(['rehearse', '--help'])
    words = capsys.readouterr().out.replace(',', ' ').replace(';', ' ').split()
    assert set(SCENARIOS) <= set(words)
