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

"""Every command explains itself, at once."""

import importlib.util
import json
import subprocess
import sys

from posenet_ros.__main__ import COMMANDS, main
import pytest

HEAVY = ['torch', 'torchvision', 'lightning', 'pycolmap', 'matplotlib', 'rosbags']
SCRIPT = """
import json, sys
from posenet_ros.__main__ import main
try:
    code = main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print(json.dumps({'code': code, 'modules': sorted(sys.modules)}))
"""


@pytest.mark.parametrize('name', COMMANDS)
def test_help_explains_and_imports_nothing_heavy(name):
    if COMMANDS[name].module.startswith('nodes.') and not importlib.util.find_spec('rclpy'):
        pytest.skip('rclpy is not installed')
    child = subprocess.run(
        [sys.executable, '-c', SCRIPT, name, '--help'], capture_output=True, text=True
    )
    assert child.returncode == 0, child.stderr
    text, _, last = child.stdout.strip().rpartition('\n')
    result = json.loads(last)
    assert result['code'] == 0
    assert text.startswith(f'usage: posenet_ros {name} ')
    assert set(HEAVY) & set(result['modules']) == set()


def test_the_overview_names_every_command(capsys):
    for arguments in ([], ['--help']):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = ended.code
        assert code == (0 if arguments else 2)
        printed = capsys.readouterr()
        if arguments:
            for name, command in COMMANDS.items():
                assert f'{name} ' in printed.out
                assert command.summary.split()[0] in printed.out


def test_an_unknown_command_is_a_users_error(capsys):
    with pytest.raises(SystemExit) as ended:
        main(['tain'])
    assert ended.value.code == 2
    assert 'tain' in capsys.readouterr().err
