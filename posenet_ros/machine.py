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

"""What the machine has to offer, and who goes first."""

from __future__ import annotations

import os
from pathlib import Path
import platform
import sys
import threading
import time

_MOST_NICE = 19


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def cpu() -> str:
    """Return what the CPU calls itself, and what it can; the latter only where Linux tells."""
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        return f'{platform.machine()} {platform.processor()}'
    told = {line for line in lines if line.startswith(('model name', 'flags', 'Features'))}
    return ' '.join([platform.machine(), *sorted(told)])


def process_age_s() -> float | None:
    """Return how long ago this process was started, seconds; None where only Linux tells."""
    try:
        told = Path('/proc/self/stat').read_text(encoding='ascii')
    except OSError:
        return None
    # After the name, which may hold spaces and brackets: the 22nd value of all, in ticks since
    # the machine was started.
    ticks = int(told.rpartition(')')[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf('SC_CLK_TCK')


def give_way(steps: int) -> None:
    """
    Have this thread give way to the others of the machine, by so many steps of `nice`.

    Threads that it starts from here on do the same. Linux alone has a niceness for each thread;
    elsewhere nothing changes.
    """
    if sys.platform == 'linux':
        thread = threading.get_native_id()
        # From where it is: only the system's administrator may go below that.
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + steps
        os.setpriority(os.PRIO_PROCESS, thread, min(niceness, _MOST_NICE))
