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

"""Two small scenes in the true layout of 7-Scenes, one of them with split files."""

from __future__ import annotations

import json
from pathlib import Path
import shutil

from posenet_ros.__main__ import main
from posenet_ros.cli import train
from posenet_ros.evaluation.published import published
import pytest

from .conftest import QUICK


@pytest.fixture(scope='module')
def scenes(scene, tmp_path_factory) -> Path:
    """Return a folder with two scenes of two sequences, the second of which is to test on."""
    folder = tmp_path_factory.mktemp('data') / '7-Scenes'
    for name in ('redkitchen', 'hall'):
        for sequence in ('seq-01', 'seq-02'):
            shutil.copytree(scene / 'seq-01', folder / name / sequence)
        (folder / name / 'TrainSplit.txt').write_text('sequence1\n')
        (folder / name / 'TestSplit.txt').write_text('sequence2\n')
    return folder


def benchmark(*words: object) -> int:
    return main(['benchmark-scenes', *map(str, words)])


@pytest.fixture(scope='module')
def done(scenes, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp('bench')
    assert benchmark(f'7scenes:{scenes}', '--output', output, '--crops', 4, '--train', *QUICK) == 0
    return output


def test_every_scene_has_a_row_with_what_was_published_beside_it(done):
    rows = json.loads((done / 'table.json').read_text())['scenes']
    assert [row['scene'] for row in rows] == ['hall', 'redkitchen']
    for row in rows:
        assert (row['train'], row['test'], row['unit']) == (30, 30, 'm')
        # The training box is that of the frames that were not held out.
        assert row['extent'] == pytest.approx([2.9, 0, 0], abs=1e-6)
        for method in ('nearest', 'posenet', 'dense'):
            assert len(row[method]) == 2
    assert rows[1]['published']['posenet_2015'] == [0.59, 8.64]
    assert rows[0]['published']['posenet_2015'] is None
    table = (done / 'table.md').read_text()
    assert table.count('\n') == 4
    assert '0.590 m, 8.64 deg' in table
    assert (done / 'hall' / 'report' / 'report.html').is_file()


def test_a_second_time_nothing_is_trained(done, scenes, monkeypatch, capsys):
    monkeypatch.setattr(train, '_train', lambda *_: pytest.fail('trained again'))
    assert benchmark(f'7scenes:{scenes}', '--output', done, '--crops', 1, '--train', *QUICK) == 0
    assert json.loads((done / 'table.json').read_text())['scenes'][0]['dense'] is None
    told = capsys.readouterr().out
    assert 'scene 2 of 2: redkitchen' in told
    assert str(done / 'table.md') in told


def test_what_cannot_be_run_is_told_before_anything_is_trained(scene, tmp_path, capsys):
    folder = tmp_path / 'data'
    shutil.copytree(scene, folder / 'office')
    output = tmp_path / 'bench'

    def told(*words: object) -> str:
        assert benchmark(*words) == 2
        return capsys.readouterr().err

    assert '--test-frames' in told(f'7scenes:{folder}', '--output', output)
    assert 'no such folder' in told('7scenes:nowhere', '--output', output)
    assert 'no subfolders' in told(f'7scenes:{folder / "office" / "seq-01"}', '--output', output)
    assert 'no scene of Cambridge' in told(f'cambridge:{folder}', '--output', output)
    words = (f'7scenes:{folder}', '--output', output, '--train', '--loss', 'absolute')
    assert 'unknown loss' in told(*words)
    words = (f'7scenes:{folder}', '--output', output, '--train', '--bag', 'run1')
    assert '--bag of train is for benchmark-scenes to say' in told(*words)
    assert not output.exists()


def test_scenes_are_known_however_their_names_are_written():
    assert published("King's College") == published('KingsCollege') == published('kings_college')
    # The paper prints 2.70: half of it.
    assert published('KingsCollege').posenet_2015 == (1.92, 5.4)
    assert published('stairs').posenet_2017 == (0.35, 12.4)
    assert published('attic') == (None, None, None, None)
