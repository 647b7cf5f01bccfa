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

"""Many trips, the same for the same seed whatever number of processes takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import as_completed, Future, ProcessPoolExecutor
import multiprocessing
import signal

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.recovery.rehearsal.scenario import Scenario
from posenet_ros.recovery.rehearsal.tally import Tally
from posenet_ros.recovery.rehearsal.trip import take_trip, Trip

_CHUNK = 10


def rehearse(
    scenario: Scenario,
    trips: int,
    *,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[int], object] = lambda count: None,
) -> Tally:
    """
    Take so many trips of a scenario, and count what came of them.

    `progress` is told how many more were taken. Raises ConfigError for no trips or processes.
    """
    if trips < 1 or jobs < 1:
        raise ConfigError(f'a rehearsal takes trips and processes, not {trips} and {jobs}')
    tally = Tally(scenario.name)
    chunks = [range(first, min(first + _CHUNK, trips)) for first in range(0, trips, _CHUNK)]
    for taken in _all_taken(scenario, chunks, seed, jobs):
        tally.add(taken)
        progress(len(taken))
    return tally


def _all_taken(
    scenario: Scenario, chunks: list[range], seed: int, jobs: int
) -> Iterator[list[Trip]]:
    if jobs == 1:
        for numbers in chunks:
            yield _taken(scenario, numbers, seed)
        return
    # A fresh interpreter each: forks of a process with threads may hang.
    # Ctrl-C is for the process that was started, and goes to all of them.
    executor = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context('spawn'),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        waiting: list[Future[list[Trip]]] = [
            executor.submit(_taken, scenario, numbers, seed) for numbers in chunks
        ]
        for done in as_completed(waiting):
            yield done.result()
    finally:
        executor.shutdown(cancel_futures=True)


def _taken(scenario: Scenario, numbers: range, seed: int) -> list[Trip]:
    name = int.from_bytes(scenario.name.encode(), 'little')
    return [
        take_trip(scenario, np.random.default_rng(np.random.SeedSequence([seed, number, name])))
        for number in numbers
    ]
