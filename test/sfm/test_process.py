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

"""Stages in child processes: progress, failures told in one line, nothing left running."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

from posenet_ros.errors import LabellingError
from posenet_ros.sfm.process import run_stage
import pytest


@pytest.fixture
def run(tmp_path):
    def go(stage='features', **arguments):
        log = tmp_path / 'logs' / 'sfm.log'
        return run_stage(stage, log=log, title='working', unit='frame', **arguments)

    return go


@pytest.fixture
def as_child(tmp_path, monkeypatch):
    """Let a shell script stand for the child."""

    def become(script):
        path = tmp_path / 'child.sh'
        path.write_text(f'#!/bin/sh\nread arguments\n{script}\n')
        path.chmod(0o755)
        monkeypatch.setattr(sys, 'executable', str(path))

    return become


def test_arguments_arrive_and_the_result_comes_back(run, as_child):
    as_child("""echo "{\\"result\\": $arguments}" """)
    assert run(names=['a', 'b'], scale=2.5) == {'names': ['a', 'b'], 'scale': 2.5}


def test_progress_is_shown_with_its_total(run, as_child, capsys):
    as_child("""echo '{"done": 3, "total": 7}'; echo '{"result": null}'""")
    assert run() is None
    assert 'working' in (shown := capsys.readouterr().err)
    assert '3/7' in shown


def test_an_error_of_ours_is_the_message(run, as_child):
    as_child("""echo '{"error": "nothing could be reconstructed"}'; exit 1""")
    with pytest.raises(LabellingError, match=r'^nothing could be reconstructed$'):
        run()


@pytest.mark.parametrize(
    ('script', 'message'),
    [
        (
            'echo "F2026 database.cc:1] SQLite error: database or disk is full" >&2; kill -6 $$',
            r'the disk of .* is full; free some room and run the same command again',
        ),
        ('kill -9 $$', r'features stage was killed, most likely because memory ran out'),
        (
            'echo "I2026 fine" >&2; echo "F2026 map.cc:7] Check failed: a" >&2; kill -6 $$',
            r'features stage failed: F2026 map\.cc:7\] Check failed: a; all of its log: .*log',
        ),
        ('exit 3', r'features stage failed: '),
        # A result that was promised and never came is no success.
        ("""echo '{"done": 1, "total": 2}'; exit 0""", 'features stage failed'),
    ],
    ids=['disk full', 'out of memory', 'check failed', 'no word', 'no result'],
)
def test_a_child_that_dies_is_one_line(run, as_child, script, message):
    as_child(script)
    with pytest.raises(LabellingError, match=message) as raised:
        run()
    assert '\n' not in str(raised.value)


def test_only_what_this_stage_printed_counts(run, as_child):
    as_child('echo "F1 disk is full" >&2; exit 1')
    with pytest.raises(LabellingError):
        run()
    as_child('echo "F2 Check failed: c" >&2; exit 1')
    with pytest.raises(LabellingError, match='Check failed: c'):
        run()


def test_an_error_of_python_is_one_line_and_its_traceback_in_the_log(run, tmp_path):
    with pytest.raises(LabellingError, match='features stage failed: KeyError'):
        run(database=str(tmp_path / 'a.db'), images='.', names=['a'], camera={})
    assert 'Traceback' in (tmp_path / 'logs' / 'sfm.log').read_text()


def test_ctrl_c_ends_the_child_at_once(run, as_child, tmp_path):
    # The child does not listen to Ctrl-C, as C++ does not.
    as_child(f"trap '' INT; echo $$ > {tmp_path}/pid; exec sleep 600")

    def interrupt():
        while not (tmp_path / 'pid').exists() or not (tmp_path / 'pid').read_text():
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / 'pid').read_text()), 0)


def test_a_child_without_parent_ends(tmp_path):
    # A pipe that nobody writes to keeps COLMAP waiting for an image, forever.
    os.mkfifo(tmp_path / 'a.jpg')
    camera = {
        'model': 'SIMPLE_RADIAL',
        'width': 8,
        'height': 6,
        'params': [8, 4, 3, 0],
        'calibrated': True,
    }
    arguments = {
        'database': str(tmp_path / 'a.db'),
        'images': str(tmp_path),
        'names': ['a.jpg'],
        'camera': camera,
    }
    with (
        (tmp_path / 'log').open('w') as log,
        subprocess.Popen(
            [sys.executable, '-m', 'posenet_ros.sfm.child', 'features'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as child,
    ):
        child.stdin.write(json.dumps(arguments).encode() + b'\n')
        child.stdin.flush()
        assert json.loads(child.stdout.readline()) == {'done': 0, 'total': 1}
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(20) == 1
