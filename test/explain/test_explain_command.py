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

"""The command that makes figures: what it writes, and what it refuses."""

from __future__ import annotations

import json

from posenet_ros.__main__ import main
from posenet_ros.explain.folder import PAGE
import pytest

TEST_FRAMES = '8:12:16'


@pytest.fixture
def words(finished, scene, tmp_path):
    """Return a function that gives the words of the command."""

    def of(*figures, **options):
        words = ['explain', *figures, '--model', finished, '--dataset', f'7scenes:{scene}']
        words += ['--test-frames', TEST_FRAMES, '--output', tmp_path / 'figures']
        for name, value in options.items():
            words += [f'--{name}', value]
        return [str(word) for word in words]

    return of


def told(capsys):
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_it_writes_pictures_numbers_and_one_page(words, tmp_path, capsys):
    folder = tmp_path / 'figures'
    assert main(words('errors', 'map')) == 0
    said = capsys.readouterr().out.splitlines()
    files = ('errors.png', 'errors.json', 'map.png', 'map.json', PAGE)
    assert said == [str(folder / name) for name in files]
    numbers = json.loads((folder / 'map.json').read_text())
    assert numbers['paper'] == 'Figure 4'
    assert '12 in all' in numbers['of']
    page = (folder / PAGE).read_text()
    # In the paper's order, whatever was asked for first, and with the pictures inside.
    assert page.index('id="map"') < page.index('id="errors"')
    assert page.count('src="data:image/png;base64,') == 2
    assert 'src="map.png"' not in page


def test_figures_made_before_stay_on_the_page(words, tmp_path):
    assert main(words('map')) == 0
    assert main(words('errors')) == 0
    page = (tmp_path / 'figures' / PAGE).read_text()
    assert page.count('<section') == 2


def test_the_frames_must_be_those_it_was_trained_on(words, capsys):
    asked = words('map')
    asked[asked.index(TEST_FRAMES)] = '4:8:16'
    assert main(asked) == 2
    assert 'is not what' in told(capsys)


def test_a_run_without_a_capture_asks_for_its_data_set(finished, capsys):
    assert main(['explain', 'map', '--model', str(finished)]) == 2
    assert '--dataset KIND:DIR' in told(capsys)


def test_options_that_no_figure_reads_are_refused(words, capsys):
    assert main(words('map', epochs=3)) == 2
    assert told(capsys).endswith(
        '--epochs is for beta, spacing, transfer, new-scene; leave it out'
    )


def test_points_that_are_nowhere_are_told(words, capsys):
    assert main(words('overlay')) == 2
    assert '--points' in told(capsys)


def test_numbers_that_are_no_figure_are_told(words, tmp_path, capsys):
    folder = tmp_path / 'figures'
    folder.mkdir()
    (folder / 'mine.json').write_text('{"a": 1}')
    assert main(words('map')) == 2
    assert 'mine.json is no figure of this command' in told(capsys)
