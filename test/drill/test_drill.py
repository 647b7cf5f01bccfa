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

"""The whole command over DDS, around a node that behaves by a script."""

from __future__ import annotations

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import cv2
from posenet_ros.__main__ import main
import pytest

pytest.importorskip('tf2_msgs.msg')

HERE = Path(__file__).parent
PATIENCE_S = 120.0


@pytest.fixture
def model(tmp_path):
    """Return a folder that passes for a model as long as nobody loads it."""
    folder = tmp_path / 'run'
    folder.mkdir()
    (folder / 'model.yaml').write_text('a card')
    return folder


@pytest.fixture
def start(tmp_path, model, simulation):
    """Start a drill around a node of some mode; what it prints is in `printed`."""
    started = []

    def start(mode: str, *words: str) -> subprocess.Popen:
        arguments = ['--model', model, '--world', simulation, '--output', tmp_path / 'out']
        arguments += ['--trips', '1', '--pace', '10', '--rate', '4', *words]
        environment = {**os.environ, 'PYTHONPATH': str(HERE.parents[1])}
        with (tmp_path / 'printed').open('w') as sink:
            process = subprocess.Popen(
                [sys.executable, HERE / 'scripted_drill.py', mode, 'drill', *map(str, arguments)],
                env=environment,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def printed(tmp_path):
    return lambda: (tmp_path / 'printed').read_text()


def test_a_robot_is_kidnapped_and_recovered(start, printed, tmp_path):
    assert start('good').wait(PATIENCE_S) == 0, printed()
    figures = json.loads((tmp_path / 'out/drill.json').read_text())
    (trip,) = figures['trips']
    assert trip['verdict'] == 'right', trip
    assert trip['agreed_before']
    assert trip['sent'][-1]['off_m'] < 0.05
    assert figures['tally']['right']['trips'] == 1
    assert figures['refused_by_amcl'] == 0
    # Sixteen of the images and more are answered: none was dropped for being too quick.
    node = figures['node']
    assert node['answered'] > 0.8 * node['images'] > 16
    picture = cv2.imread(str(tmp_path / 'out/drill.png'))
    assert picture is not None
    text = printed()
    for words in ('right', 'kidnapped', 'ROS_DOMAIN_ID=', 'drill.json', 'drill.png', 'node.log'):
        assert words in text


@pytest.mark.parametrize(
    ('mode', 'words'),
    [
        ('dies', ('ended with exit code 3', 'a defect of the script', 'node.log')),
        ('foreign', ('does not know the room', 'within 1 m')),
    ],
)
def test_a_node_that_is_of_no_use_is_told_in_one_line(start, printed, mode, words):
    assert start(mode).wait(PATIENCE_S) == 2, printed()
    (line,) = [line for line in printed().splitlines() if 'posenet_ros drill:' in line]
    for each in words:
        assert each in line


def test_ctrl_c_ends_drill_and_node(start, printed):
    drill = start('good')
    end = time.monotonic() + PATIENCE_S
    # The node runs by then.
    while 'driving:' not in printed():
        assert time.monotonic() < end, printed()
        time.sleep(0.05)
    os.killpg(drill.pid, signal.SIGINT)
    assert drill.wait(PATIENCE_S) == 130, printed()
    assert 'interrupted' in printed()
    # The group is empty: the node has left with it.
    with pytest.raises(ProcessLookupError):
        os.killpg(drill.pid, 0)


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (('--model', 'nowhere'), 'no model at nowhere'),
        (('--world', 'nowhere'), 'no simulation'),
        (('--trips', '0'), '--trips'),
        (('-p', 'planar'), 'NAME:=VALUE'),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_started(
    model, simulation, tmp_path, capsys, words, told
):
    arguments = ['--model', model, '--world', simulation, '--output', tmp_path / 'out', *words]
    assert main(['drill', *map(str, arguments)]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if 'posenet_ros' in line]
    assert told in line
    assert not (tmp_path / 'out').exists()


def test_without_rclpy_it_is_told_what_to_install(
    model, simulation, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'rclpy', None)
    arguments = ['--model', model, '--world', simulation, '--output', tmp_path / 'out']
    assert main(['drill', *map(str, arguments)]) == 2
    assert 'cannot import rclpy' in capsys.readouterr().err
