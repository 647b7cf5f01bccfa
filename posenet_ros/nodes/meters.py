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

"""Rates and latencies over the last seconds."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
import threading

import numpy as np
from posenet_ros.geometry import NS_PER_S
from posenet_ros.stages import NETWORK


class Meter:
    """Events of the last `window_s` seconds, each with a duration; any thread may add."""

    def __init__(self, window_s: float = 5.0) -> None:
        self._window_ns = int(window_s * NS_PER_S)
        self._events: deque[tuple[int, int]] = deque()
        self._lock = threading.Lock()

    def add(self, now_ns: int, duration_ns: int = 0) -> None:
        """Note an event."""
        with self._lock:
            self._events.append((now_ns, duration_ns))
            self._forget_before(now_ns - self._window_ns)

    def clear(self) -> None:
        """Forget all events."""
        with self._lock:
            self._events.clear()

    def count(self, now_ns: int) -> int:
        """Return how many events there were in the window."""
        with self._lock:
            self._forget_before(now_ns - self._window_ns)
            return len(self._events)

    def rate_hz(self, now_ns: int) -> float:
        """Return how many events there were per second of the window."""
        with self._lock:
            self._forget_before(now_ns - self._window_ns)
            if len(self._events) < 2:
                return 0.0
            # From the first event on, so that the first seconds are not diluted.
            span_ns = now_ns - self._events[0][0]
            return (len(self._events) - 1) * NS_PER_S / max(span_ns, 1)

    def percentiles_ms(self, *ranks: float) -> tuple[float, ...]:
        """Return percentiles of the durations in milliseconds; NaN where there was no event."""
        with self._lock:
            durations = [duration for _, duration in self._events]
        if not durations:
            return tuple(float('nan') for _ in ranks)
        return tuple(float(value) / 1e6 for value in np.percentile(durations, ranks))

    def _forget_before(self, oldest_ns: int) -> None:
        while self._events and self._events[0][0] < oldest_ns:
            self._events.popleft()


class Traffic:
    """
    What goes through the node: images that arrive, and poses with how long they took.

    `beyond` is what of the latencies is not the network's own time.
    """

    def __init__(self) -> None:
        self.received, self.latencies, self.ages = Meter(), Meter(), Meter()
        self.beyond = Meter()
        self._stages: dict[str, Meter] = defaultdict(Meter)

    def arrived(self, now_ns: int) -> None:
        """Note an image."""
        self.received.add(now_ns)

    def answered(
        self, now_ns: int, *, latency_ns: int, age_ns: int, stages_ns: Mapping[str, int]
    ) -> None:
        """
        Note a pose: the time since its image came, and the image's age by its stamp.

        `stages_ns` says how much of the former went where, by the names in `stages`.
        """
        self.latencies.add(now_ns, latency_ns)
        self.ages.add(now_ns, age_ns)
        self.beyond.add(now_ns, latency_ns - stages_ns.get(NETWORK, 0))
        for name, taken_ns in stages_ns.items():
            self._stages[name].add(now_ns, taken_ns)

    def stages_ms(self) -> dict[str, float]:
        """Return the median of each stage in milliseconds, in their order."""
        # A copy: another thread may note the first pose meanwhile.
        return {name: meter.percentiles_ms(50)[0] for name, meter in list(self._stages.items())}

    def clear(self) -> None:
        """Forget everything."""
        meters = (self.received, self.latencies, self.ages, self.beyond)
        for meter in (*meters, *list(self._stages.values())):
            meter.clear()
