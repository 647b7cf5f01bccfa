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

"""What the map has to say comes behind all else, unless somebody waits for it."""

from __future__ import annotations

import os
import sys
import threading
import time

import numpy as np
from posenet_ros.localization.estimate import PoseEstimate
from posenet_ros.nodes.answering import Answered, Arrival, Lens
from posenet_ros.nodes.bridge import Decoder
from posenet_ros.nodes.verification import Verification
import pytest

PATIENCE_S = 60.0


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


class Searching:
    """Looks for images in `verifying`'s map, at the pace of a test, and notes how nice it is."""

    def __init__(self, verifying):
        self.verifying = verifying
        self.urgent = False
        self.began, self.nice, self.found, self.failed = [], [], [], []
        self.ends = time.monotonic() + PATIENCE_S
        self.held, self.leaving, self.going = {}, {}, []
        self.done = threading.Condition()
        self.verification = Verification(
            self,
            # Of a message that is its own grey.
            Decoder(lambda grey: np.full((2, 2, 3), grey, dtype=np.uint8), ''),
            lens=lambda: Lens(None, True),
            urgent=lambda: self.urgent,
            publish=self._publish,
            fail=self.failed.append,
        )

    def verify(self, rgb, estimate, feature_K, guess, camera=None, *, any_focal=False):
        grey = int(rgb.max())
        self._note(self.began, grey)
        self.nice.append(niceness() if sys.platform == 'linux' else 0)
        if grey in self.held:
            assert self.held[grey].wait(PATIENCE_S)
        return self.verifying.verify(rgb, estimate, feature_K, guess, camera)

    def _publish(self, answered, estimate):
        assert estimate.verified
        grey = int(answered.rgb.max())
        self._note(self.going, grey)
        if grey in self.leaving:
            assert self.leaving[grey].wait(PATIENCE_S)
        self._note(self.found, grey)

    def _note(self, where, grey):
        with self.done:
            where.append(grey)
            self.done.notify_all()

    def put(self, grey):
        rgb = np.full((2, 2, 3), grey, dtype=np.uint8)
        estimate = PoseEstimate(self.verifying.pose, np.eye(6), 'fake')
        arrival = Arrival(message=None, received_ns=grey)
        self.verification.put(Answered(arrival, rgb, estimate, np.zeros(4), self.verifying.pose))

    def hold_first(self):
        """Put an image of grey 1, whose search does not end before the gate is opened."""
        gate = self.held[1] = threading.Event()
        self.put(1)
        self.until(lambda: self.began == [1])
        return gate

    def until(self, happened):
        with self.done:
            while not happened():
                assert time.monotonic() < self.ends, (self.began, self.found, self.failed)
                self.done.wait(0.05)


@pytest.fixture
def searching(verifying):
    searching = Searching(verifying)
    yield searching
    for gate in [*searching.held.values(), *searching.leaving.values()]:
        gate.set()
    assert searching.verification.stop(PATIENCE_S)
    assert searching.failed == []


def test_it_gives_way_but_when_it_is_urgent(searching):
    for grey, urgent in enumerate((False, True, False, True), start=1):
        searching.urgent = urgent
        searching.put(grey)
        searching.until(lambda grey=grey: grey in searching.found)
    assert searching.found == [1, 2, 3, 4]
    if sys.platform == 'linux':
        mine = niceness()
        assert searching.nice == [min(mine + 10, 19), mine] * 2
    counts = searching.verification.report(0).counts
    assert (counts.received, counts.published, counts.pending) == (4, 4, 0)


@pytest.mark.parametrize('urgent', [False, True])
def test_what_is_in_work_when_that_changes_is_ended_and_goes_out(searching, urgent):
    searching.urgent = urgent
    gate = searching.hold_first()
    searching.urgent = not urgent
    held = searching.held[2] = threading.Event()
    # It does not wait for the other.
    searching.put(2)
    searching.until(lambda: searching.began == [1, 2])
    gate.set()
    searching.until(lambda: searching.found == [1])
    held.set()
    searching.until(lambda: searching.found == [1, 2])


@pytest.mark.parametrize('urgent', [False, True])
def test_what_a_newer_one_has_overtaken_does_not_go_out(searching, urgent):
    searching.urgent = urgent
    gate = searching.hold_first()
    searching.urgent = not urgent
    searching.put(2)
    searching.until(lambda: searching.found == [2])
    gate.set()
    searching.urgent = urgent
    searching.put(3)
    searching.until(lambda: searching.found == [2, 3])
    counts = searching.verification.report(0).counts
    assert (counts.received, counts.published, counts.dropped) == (3, 2, 1)


def test_what_waits_when_it_becomes_urgent_gives_way(searching):
    gate = searching.hold_first()
    searching.put(2)
    searching.urgent = True
    searching.put(3)
    searching.until(lambda: searching.found == [3])
    gate.set()
    searching.until(lambda: searching.verification.report(0).counts.pending == 0)
    assert searching.verification.report(0).counts.dropped == 2


def test_one_goes_out_at_a_time(searching):
    gate = searching.leaving[1] = threading.Event()
    searching.put(1)
    searching.until(lambda: searching.going == [1])
    searching.urgent = True
    searching.put(2)
    searching.until(lambda: 2 in searching.began)
    # It is found, and waits for the other to be out.
    with searching.done:
        assert not searching.done.wait_for(lambda: len(searching.going) > 1, 0.3)
    gate.set()
    searching.until(lambda: searching.found == [1, 2])
    assert searching.going == [1, 2]


@pytest.mark.parametrize('urgent', [False, True])
def test_nothing_comes_of_what_is_forgotten(searching, urgent):
    searching.urgent = urgent
    gate = searching.hold_first()
    searching.put(2)
    searching.verification.forget()
    gate.set()
    searching.put(3)
    searching.until(lambda: searching.found)
    assert searching.found == [3]
    assert searching.verification.report(0).counts.dropped == 2
