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

"""Behind the answers: which of them the map confirms, found as fast as what is left of the CPU."""

from __future__ import annotations

from collections.abc import Callable
import math
import threading
import time

from posenet_ros.errors import PosenetError
from posenet_ros.localization.estimate import PoseEstimate
from posenet_ros.nodes.answering import Answered, Lens, Verifying
from posenet_ros.nodes.bridge import Decoder
from posenet_ros.nodes.diagnostics import Verified
from posenet_ros.nodes.meters import Meter
from posenet_ros.nodes.worker import Counts, Worker

# Steps of nice: a tenth of the share of a core that the network's threads have a right to.
_NICENESS = 10


class UnverifiedError(PosenetError):
    """The map does not confirm where an image was taken; the message says why."""


class Verification:
    """
    Looks for answered and refused images in the map, the newest first.

    A thread of its own does it and gives way to all others, or, while it is urgent, one that does
    not; where that changes, what is in work is ended beside. What the map confirms goes to
    `publish`, one at a time and in the order of arrival: what a newer one has overtaken is
    dropped. The rest is counted. As with `Worker`, nothing is published after `forget` or `stop`
    returned for an image put before.
    """

    def __init__(
        self,
        localizer: Verifying,
        decoder: Decoder,
        *,
        lens: Callable[[], Lens],
        urgent: Callable[[], bool],
        publish: Callable[[Answered, PoseEstimate], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        """
        Start the threads; `fail` is told of defects.

        `lens` returns what took the images; it is called in a thread of ours. `urgent` tells
        whether somebody waits for the map to confirm something; it is called by who puts.
        """
        self._localizer = localizer
        self._decoder = decoder
        self._lens = lens
        self._publish = publish
        # By when they were told: found with the time since the image came, missed without.
        self._found, self._missed = Meter(), Meter()
        self._last_reason = ''
        # Both are the outlet's, which one thread has at a time.
        self._newest_ns, self._overtaken = 0, 0
        outlet = threading.RLock()
        self._urgent = urgent

        def worker(name: str, niceness: int) -> Worker[Answered, PoseEstimate]:
            return Worker(
                self._look,
                publish=self._tell_found,
                refuse=self._note_missed,
                fail=fail,
                name=name,
                niceness=niceness,
                outlet=outlet,
            )

        # A thread that gave way cannot take that back: only an administrator's may.
        self._calm = worker('verification', _NICENESS)
        self._hurried = worker('urgent verification', 0)
        self._workers = (self._calm, self._hurried)

    def put(self, answered: Answered) -> None:
        """Hand over an image; one that still waits gives way to it."""
        now, before = self._workers[:: -1 if self._urgent() else 1]
        before.drop_waiting()
        now.put(answered)

    def forget(self) -> None:
        """Drop what waits and what is in work, and what was measured."""
        for worker in self._workers:
            worker.forget()
        self._found.clear()
        self._missed.clear()

    def stop(self, timeout_s: float) -> bool:
        """Forget everything, end the threads, and tell whether they ended within the time."""
        end = time.monotonic() + timeout_s
        for worker in self._workers:
            worker.stop(0.0)
        # Each was told to end before any is waited for.
        ended = (worker.stop(max(0.0, end - time.monotonic())) for worker in self._workers)
        return all(ended)

    def report(self, now_ns: int) -> Verified:
        """Return what became of the images, for the diagnostics."""
        found, missed = self._found.count(now_ns), self._missed.count(now_ns)
        return Verified(
            'by landmarks of the map',
            counts=self._calm.counts
            + self._hurried.counts
            + Counts(published=-self._overtaken, dropped=self._overtaken),
            rate_hz=self._found.rate_hz(now_ns),
            share=found / (found + missed) if found + missed else math.nan,
            latency_ms=self._found.percentiles_ms(50, 99),
            last_reason=self._last_reason,
        )

    def _look(self, answered: Answered) -> PoseEstimate:
        before = answered.estimate
        camera, told = self._lens()
        rgb = answered.rgb
        if rgb is None:
            rgb = self._decoder.decode(answered.arrival.message)
        estimate = self._localizer.verify(
            rgb,
            before,
            answered.feature_K,
            answered.guess,
            camera,
            any_focal=not told,
        )
        if not estimate.verified:
            # Why the network refused is told elsewhere.
            raise UnverifiedError('; '.join(estimate.reasons[len(before.reasons) :]))
        return estimate

    def _tell_found(self, answered: Answered, estimate: PoseEstimate) -> None:
        received_ns = answered.arrival.received_ns
        if received_ns < self._newest_ns:
            self._overtaken += 1
            return
        self._newest_ns = received_ns
        self._publish(answered, estimate)
        now_ns = time.monotonic_ns()
        self._found.add(now_ns, now_ns - received_ns)

    def _note_missed(self, answered: Answered, error: PosenetError) -> None:
        self._missed.add(time.monotonic_ns())
        self._last_reason = str(error)
