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

"""Commands of ours that run beside this one, in a part of the ROS graph of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
from types import FrameType

_PATIENCE_S = 10.0


def command(*words: object) -> list[str]:
    """Return what to run for `python -m posenet_ros WORDS` by this interpreter."""
    return [sys.executable, '-m', 'posenet_ros', *map(str, words)]


@contextmanager
def running(
    *words: object, log: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run a command beside others, its output in a log; stop it as Ctrl-C would at the end.

    The end is also SIGTERM: nobody else would stop the command.
    """
    with log.open('wb') as sink, _ended_by_sigterm():
        process = subprocess.Popen(
            command(*words), stdout=sink, stderr=subprocess.STDOUT, env=environment
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Have SIGTERM unwind this process meanwhile; Python's own end of it would tidy up nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _unwind(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def own_domain() -> dict[str, str]:
    """Return an environment for ROS nodes: on this machine alone, away from any robot."""
    # 0 is everybody's default, and above 101 ports meet those that Linux hands out.
    taken = os.environ.get('ROS_DOMAIN_ID', '').strip()
    domains = [domain for domain in map(str, range(1, 102)) if domain != taken]
    # Both would be asked for nodes elsewhere, whatever the range.
    elsewhere = ('ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER')
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    environment['ROS_DOMAIN_ID'] = domains[os.getpid() % len(domains)]
    environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    if environment.get('ROS_DISTRO') == 'humble':
        # Humble knows no range; from Iron on this one is deprecated and warned of.
        environment['ROS_LOCALHOST_ONLY'] = '1'
    return environment


@contextmanager
def in_environment(environment: Mapping[str, str]) -> Iterator[None]:
    """Have this process in another environment meanwhile, such as that of `own_domain`."""
    before = os.environ.copy()
    try:
        _become(environment)
        yield
    finally:
        _become(before)


def _become(environment: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
