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

"""Times of answers that are compared: asked in turns, so that what disturbs one disturbs all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import time

import numpy as np
from numpy.typing import NDArray

# Of each turn the first answer finds the caches full of the others' weights, and does not count.
# One after it is enough of those that take long.
_IN_A_ROW, _IN_A_ROW_OF_LONG, _LONG_S = 4, 2, 0.5
_LEAST_ROUNDS, _MOST_ROUNDS = 3, 100


def in_turns(
    answers: Mapping[str, Callable[[], object]],
    seconds: float,
    between: Callable[[], object] = lambda: None,
) -> dict[str, NDArray[np.float64]]:
    """
    Return the times of answers in milliseconds, by name, about `seconds` long in all.

    After a first answer of each, every round has each answer a few times in a row, in an order
    that changes from round to round. `between` is called after each turn, for a progress bar.
    """
    longest = max(_timed(answer) for answer in answers.values())
    counted = (_IN_A_ROW if longest < _LONG_S else _IN_A_ROW_OF_LONG) - 1
    times: dict[str, list[float]] = {name: [] for name in answers}
    names = list(answers)
    end = time.perf_counter() + seconds
    for number in range(_MOST_ROUNDS):
        if number >= _LEAST_ROUNDS and time.perf_counter() > end:
            break
        first = number % len(names)
        for name in names[first:] + names[:first]:
            answers[name]()
            times[name] += [_timed(answers[name]) for _ in range(counted)]
            between()
    return {name: 1000 * np.array(found) for name, found in times.items()}


def _timed(answer: Callable[[], object]) -> float:
    start = time.perf_counter()
    answer()
    return time.perf_counter() - start
