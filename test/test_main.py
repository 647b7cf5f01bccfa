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

"""How commands end."""

from pathlib import Path

from posenet_ros.__main__ import main
import pytest


def refusal(capsys, output):
    """Return the one line with which a command refuses to write to a place."""
    assert main(['simulate', '--output', str(output)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.count('\n') == 1
    return captured.err


def test_an_output_inside_a_file_is_one_line_and_code_two(tmp_path, capsys):
    (tmp_path / 'one.mcap').write_text('mine')
    assert 'no file can be in another file' in refusal(capsys, tmp_path / 'one.mcap' / 'foo')
    assert (tmp_path / 'one.mcap').read_text() == 'mine'


@pytest.mark.skipif(not Path('/proc/self').is_dir(), reason='only where there is /proc')
def test_an_output_where_nothing_can_be_made_is_one_line_and_code_two(capsys):
    assert 'or none can be made there (/proc/' in refusal(capsys, '/proc/foo')


def test_an_output_of_too_long_a_name_is_one_line_and_code_two(tmp_path, capsys):
    assert 'name is too long' in refusal(capsys, tmp_path / ('a' * 300) / 'foo')
