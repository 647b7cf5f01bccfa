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

"""
Run the heavy stages of a reconstruction in child processes.

pycolmap's C++ does not return on Ctrl-C, and ends its whole process where a check of its own
fails or the disk is full. In a child, the first becomes a kill and the second one clear line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any

from posenet_ros.errors import LabellingError
from tqdm import tqdm

_PACKAGE_PARENT = Path(__file__).resolve().parents[2]
_DISK_FULL = ('No space left', 'disk is full', 'Disk quota')
_FREE_BYTES_NEEDED = 16 << 20


def run_stage(stage: str, *, log: Path, title: str, unit: str, **arguments: Any) -> Any:
    """
    Run a stage of `posenet_ros.sfm.stages` in a child process and return its result.

    Arguments and result are plain values (paths as text). What the stage prints is added to
    `log`. Progress is shown under `title`. However this function is left, by Ctrl-C too, the
    child is gone afterwards. Raises LabellingError where the stage fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('ab') as output:
        output.write(f'--- {stage}\n'.encode())
        output.flush()
        start = output.tell()
        with _child(stage, output) as child:
            # A child that dies at once is told of below, by its exit code.
            with suppress(BrokenPipeError):
                child.stdin.write(json.dumps(arguments).encode() + b'\n')
                child.stdin.flush()
            last = _follow(child.stdout, title, unit)
            code = child.wait()
    if code == 0 and 'result' in last:
        return last['result']
    raise LabellingError(last.get('error') or _why(stage, code, log, start))


@contextmanager
def _child(stage: str, output: Any) -> Iterator[subprocess.Popen[bytes]]:
    paths = [str(_PACKAGE_PARENT), os.environ.get('PYTHONPATH', '')]
    process = subprocess.Popen(
        [sys.executable, '-m', 'posenet_ros.sfm.child', stage],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        # Ctrl-C is for the parent alone, which then ends the child.
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _follow(lines: Any, title: str, unit: str) -> dict[str, Any]:
    """Show the progress that the child tells of; return its last message."""
    last: dict[str, Any] = {}
    with tqdm(desc=title, unit=unit) as bar:
        for line in lines:
            last = json.loads(line)
            if 'done' in last:
                bar.total = last['total']
                bar.update(last['done'] - bar.n)
    return last


def _why(stage: str, code: int, log: Path, start: int) -> str:
    """Say in one line why a child ended without a word."""
    with log.open('rb') as written:
        written.seek(start)
        lines = written.read().decode('utf-8', errors='replace').splitlines()
    full = shutil.disk_usage(log.parent).free < _FREE_BYTES_NEEDED
    if full or any(mark in line for line in lines for mark in _DISK_FULL):
        return (
            f'the disk of {log.parent.parent} is full; free some room and run the same command '
            'again to continue'
        )
    if code == -9:
        return (
            f'the {stage} stage was killed, most likely because memory ran out; close other '
            'programs, or lower --rate, and run the same command again to continue'
        )
    # COLMAP marks a failed check with F, Python ends a traceback with the error.
    fatal = [line for line in lines if line.startswith('F')] or lines[-1:] or [f'code {code}']
    return f'the {stage} stage failed: {fatal[-1].strip()[:300]}; all of its log: {log}'
