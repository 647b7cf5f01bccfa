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

"""How long each stage of an answer takes, noted where it happens and read by who wants to know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
import time

# Of the thread that answers; None where nobody wants to know.
_noted: ContextVar[dict[str, int] | None] = ContextVar('noted', default=None)

WAIT, DECODE, PREPARE, NETWORK = 'wait', 'decode', 'prepare', 'network'
POSE, NOVELTY, PUBLISH = 'pose', 'novelty', 'publish'


@contextmanager
def noting_stages() -> Iterator[dict[str, int]]:
    """Have stages in this thread noted meanwhile: nanoseconds by name, in their order."""
    noted: dict[str, int] = {}
    before = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(before)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Add how long this takes to a stage, where stages are noted; else it costs a microsecond."""
    noted = _noted.get()
    if noted is None:
        yield
        return
    start_ns = time.perf_counter_ns()
    try:
        yield
    finally:
        noted[name] = noted.get(name, 0) + time.perf_counter_ns() - start_ns
