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

"""The node under test: a process as a user would start it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
import shlex
import subprocess

from posenet_ros.children import running
from posenet_ros.errors import PosenetError

_TAIL_BYTES = 4096


class Subject:
    """`relocalize` with its parameters and its logs; used as a context, which ends it."""

    def __init__(
        self,
        model: Path,
        parameters: Mapping[str, str],
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        """Take the model, parameters as after -p, and where logs go."""
        self._words: list[object] = ['relocalize', '--model', model, '--ros-args']
        for name, value in parameters.items():
            self._words += ['-p', f'{name}:={value}']
        self._folder, self._environment = folder, environment
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.logs: list[Path] = []

    @property
    def command(self) -> str:
        """What is run, as typed."""
        return shlex.join(['posenet_ros', *map(str, self._words)])

    def start(self) -> None:
        """Start it, with a log of its own."""
        number = len(self.logs) + 1
        self.logs.append(self._folder / ('node.log' if number == 1 else f'node_{number}.log'))
        self._process = self._stack.enter_context(
            running(*self._words, log=self.logs[-1], environment=self._environment)
        )

    def stop(self) -> None:
        """End it as Ctrl-C does, and wait for that."""
        self._process = None
        self._stack.close()

    def check(self) -> None:
        """Raise PosenetError, with the last it said, where it has ended by itself."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            said = last_line(self.logs[-1])
            raise PosenetError(
                f'the node ended with exit code {code}: {said}; all of it is in {self.logs[-1]}'
            )

    def __enter__(self) -> Subject:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        self.stop()


def last_line(log: Path) -> str:
    """Return the last line of a log that says something, as it is."""
    with log.open('rb') as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors='replace').splitlines()
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else 'it said nothing'
