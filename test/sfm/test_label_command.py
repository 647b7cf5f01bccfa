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

"""The command, as a user sees it."""

from posenet_ros.__main__ import main


def test_the_result_is_printed_with_where_it_is(labelled, recorded, capsys):
    output = labelled[0]
    assert main(['label', '--bag', str(recorded.bag), '--output', str(output)]) == 0
    out = capsys.readouterr().out
    assert 'verdict    good' in out
    assert out.splitlines()[-2:] == [
        f'labels: {output}/capture/labels.tum',
        f'report: {output}/report/labels.html',
    ]
    assert (output / 'report' / 'labels.html').is_file()


def refused(capsys, *words):
    assert main(['label', *map(str, words)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.count('\n') == 1
    return captured.err


def test_bad_input_is_one_line_and_code_two(recorded, tmp_path, capsys):
    assert 'missing' in refused(capsys, '--bag', tmp_path / 'missing')
    bag = ['--bag', recorded.bag, '--output', tmp_path / 'out']
    assert '--rate' in refused(capsys, *bag, '--rate', 0)
    assert '/thermal' in refused(capsys, *bag, '--image-topic', '/thermal')
    assert '/wheels' in refused(capsys, *bag, '--odom-topic', '/wheels')
    assert '--allow-unscaled' in refused(capsys, *bag, '--reference', 'none')
    assert not (tmp_path / 'out').exists()


def test_a_folder_of_something_else_is_left_alone(recorded, tmp_path, capsys):
    (tmp_path / 'thesis.tex').write_text('mine')
    assert 'thesis.tex' in refused(capsys, '--bag', recorded.bag, '--output', tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']
    file = tmp_path / 'thesis.tex'
    assert 'is a file' in refused(capsys, '--bag', recorded.bag, '--output', file)
    assert file.read_text() == 'mine'
