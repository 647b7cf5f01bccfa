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

"""What the setting does to a whole process, and so each time in one of its own."""

import platform
import subprocess
import sys

from posenet_ros.training import allocator
import pytest

# The memory in use before and after 64 MiB are freed, in MiB.
SCRIPT = """
import os
from pathlib import Path
{call}
def resident():
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20
block = b'x' * (64 << 20)
held = resident()
del block
print(held - resident())
"""
CALL = """
from posenet_ros.training.allocator import keep_freed_memory
assert keep_freed_memory() is True
"""


def given_back(call):
    """Return how many of 64 MiB go back to the system when they are freed."""
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT.format(call=call)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='the C library is not glibc')
def test_what_is_freed_stays_with_the_process():
    assert given_back('') > 60
    assert given_back(CALL) < 4


def test_without_glibc_nothing_is_done(monkeypatch):
    monkeypatch.setattr(platform, 'libc_ver', lambda: ('', ''))
    monkeypatch.setattr(allocator.ctypes, 'CDLL', lambda name: pytest.fail('a call into C'))
    assert allocator.keep_freed_memory() is False
