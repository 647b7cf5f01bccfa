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

"""Commands of ours beside this one, and the environment that they get."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from posenet_ros.children import in_environment
import pytest


def test_another_environment_holds_for_a_while(monkeypatch):
    monkeypatch.setenv('KEPT', 'before')
    monkeypatch.delenv('NEW', raising=False)
    with pytest.raises(ZeroDivisionError), in_environment({'NEW': '1'}):
        assert dict(os.environ) == {'NEW': '1'}
        raise ZeroDivisionError
    assert os.environ['KEPT'] == 'before'
    assert 'NEW' not in os.environ


PARENT = """
import os, sys, time
from pathlib import Path
from posenet_ros import children

sleeps = 'import os, time; print(os.getpid(), flush=True); time.sleep(600)'
children.command = lambda *words: [sys.executable, '-c', sleeps]
with children.running(log=Path(sys.argv[1]), environment=dict(os.environ)):
    time.sleep(600)
"""


def test_a_command_does_not_outlive_one_that_is_terminated(tmp_path):
    log = tmp_path / 'child.log'
    parent = subprocess.Popen([sys.executable, '-c', PARENT, str(log)])
    end = time.monotonic() + 60
    while not (log.is_file() and log.read_text().strip()):
        assert time.monotonic() < end
        assert parent.poll() is None
        time.sleep(0.05)
    child = int(log.read_text())
    parent.terminate()
    assert parent.wait(timeout=60) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
