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

"""What the machine has to offer."""

import os
import subprocess
import sys
import threading
import time

from posenet_ros.machine import cores, give_way
import pytest


@pytest.mark.skipif(not hasattr(os, 'sched_setaffinity'), reason='only where cores can be chosen')
def test_cores_that_the_process_may_not_use_do_not_count():
    allowed = os.sched_getaffinity(0)
    assert cores() == len(allowed)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_where_cores_cannot_be_chosen_all_count(monkeypatch):
    monkeypatch.delattr(os, 'sched_getaffinity', raising=False)
    monkeypatch.setattr(os, 'cpu_count', lambda: 6)
    assert cores() == 6


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux has a niceness for each thread')
def test_only_the_thread_that_gives_way_is_nicer():
    def niceness():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, seen = niceness(), []

    def work():
        give_way(3)
        seen.append(niceness())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [min(before + 3, 19)]
    assert niceness() == before


def test_the_age_of_a_process_is_that_of_its_start():
    told = subprocess.run(
        [
            sys.executable,
            '-c',
            'import time; time.sleep(0.5); '
            'from posenet_ros.machine import process_age_s; print(process_age_s())',
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    # A process is as old as its work at least, and this one no older than the machine.
    assert 0.4 <= float(told.stdout) < time.clock_gettime(time.CLOCK_BOOTTIME)
