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

"""Two workers in a row: one answers the newest image, one looks for the newest answered one."""

from __future__ import annotations

from collections.abc import Callable
import time

from posenet_ros.errors import PosenetError
from posenet_ros.localization.estimate import Localizer, PoseEstimate
from posenet_ros.nodes.answering import answer, Answered, Arrival, Lens, RefusedError, Verifying
from posenet_ros.nodes.bridge import Decoder
from posenet_ros.nodes.camera_view import View
from posenet_ros.nodes.diagnostics import Verified
from posenet_ros.nodes.verification import Verification
from posenet_ros.nodes.worker import Counts, Worker


class Pipeline:
    """
    What becomes of images: the network's answer, and after it the map's where there is one.

    Of one image `publish` or `refuse` is called before it is looked for in the map. What was put
    before `forget` or `stop` goes nowhere after these returned (see `Worker`).
    """

    def __init__(
        self,
        localizer: Localizer,
        decoder: Decoder,
        *,
        view: Callable[[tuple[int, int]], View],
        lens: Callable[[], Lens],
        urgent: Callable[[], bool],
        publish: Callable[[Answered], None],
        publish_verified: Callable[[Answered, PoseEstimate], None],
        refuse: Callable[[Arrival, PosenetError], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        """
        Start the threads: one, or three with a localizer that verifies.

        Each function is called in one of them; `view` returns what becomes of images of a size
        before the network sees them, `lens` what took the images, `urgent` whether somebody waits
        for what the map confirms, and `fail` is told of defects.
        """
        self._publish = publish
        self._refuse = refuse
        self._verification: Verification | None = None
        network = localizer
        if isinstance(localizer, Verifying):
            network = localizer.network
            self._verification = Verification(
                localizer,
                decoder,
                lens=lens,
                urgent=urgent,
                publish=publish_verified,
                fail=fail,
            )
        # The worker keeps what it works with: a late image must not find them gone.
        self._worker: Worker[Arrival, Answered] = Worker(
            lambda arrival: answer(network, decoder, arrival, view),
            publish=self._pass_on,
            refuse=self._pass_on_refused,
            fail=fail,
        )

    @property
    def verifies(self) -> bool:
        """Whether images are looked for in a map."""
        return self._verification is not None

    @property
    def counts(self) -> Counts:
        """What became of the images at the network."""
        return self._worker.counts

    def verified(self, now_ns: int) -> Verified | None:
        """Return what became of the images at the map, None where there is none."""
        return None if self._verification is None else self._verification.report(now_ns)

    def put(self, arrival: Arrival) -> None:
        """Hand over an image; one that still waits gives way to it."""
        self._worker.put(arrival)

    def forget(self) -> None:
        """Drop what waits and what is in work."""
        # In this order: a worker that has forgotten hands nothing on of what came before.
        self._worker.forget()
        if self._verification is not None:
            self._verification.forget()

    def stop(self, timeout_s: float) -> bool:
        """Forget everything, end the threads, and tell whether they ended within the time."""
        end = time.monotonic() + timeout_s
        ended = self._worker.stop(timeout_s)
        if self._verification is not None:
            ended &= self._verification.stop(max(0.0, end - time.monotonic()))
        return ended

    def _pass_on(self, _: Arrival, answered: Answered) -> None:
        self._publish(answered)
        if self._verification is not None:
            self._verification.put(answered)

    def _pass_on_refused(self, arrival: Arrival, error: PosenetError) -> None:
        self._refuse(arrival, error)
        # What could not be decoded cannot be looked for, either.
        if self._verification is not None and isinstance(error, RefusedError):
            self._verification.put(error.answered)
