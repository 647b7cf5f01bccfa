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

from __future__ import annotations

from collections.abc import Callable, Iterator
import os
import sys
import threading
import time

from posenet_ros.errors import ImageError
from posenet_ros.nodes.worker import Counts, Worker
import pytest

PATIENCE_S = 30.0


def until(happened: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.001)


class Bench:
    """A worker on numbers: doubles them, refuses negative ones, breaks on 13."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.begun: list[int] = []
        self.published: list[tuple[int, int]] = []
        self.refused: list[tuple[int, str]] = []
        self.defects: list[BaseException] = []
        self.worker = Worker(
            self._work,
            publish=lambda item, result: self.published.append((item, result)),
            refuse=lambda item, error: self.refused.append((item, str(error))),
            fail=self.defects.append,
        )

    def _work(self, item: int) -> int:
        self.begun.append(item)
        assert self.gate.wait(PATIENCE_S)
        if item == 13:
            raise ZeroDivisionError('thirteen')
        if item < 0:
            raise ImageError(f'{item} is negative')
        return 2 * item


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.gate.set()
    assert bench.worker.stop(PATIENCE_S)


def test_every_item_is_worked_when_there_is_time(bench):
    for item in (1, 2, 3):
        bench.worker.put(item)
        until(lambda item=item: (item, 2 * item) in bench.published)
    assert bench.worker.counts == Counts(received=3, published=3)


def test_the_newest_wins_and_the_overtaken_are_counted(bench):
    bench.gate.clear()
    bench.worker.put(1)
    until(lambda: bench.begun == [1])
    for item in (2, 3, 4):
        bench.worker.put(item)
    assert bench.worker.counts == Counts(received=4, dropped=2, pending=2)
    bench.gate.set()
    until(lambda: len(bench.published) == 2)
    assert bench.published == [(1, 2), (4, 8)]
    assert bench.worker.counts == Counts(received=4, published=2, dropped=2)


def test_a_refused_item_is_counted_and_told_why(bench):
    bench.worker.put(-5)
    until(lambda: bench.refused)
    assert bench.refused == [(-5, '-5 is negative')]
    assert bench.worker.counts == Counts(received=1, refused=1)


def test_what_is_forgotten_is_never_published(bench):
    bench.gate.clear()
    bench.worker.put(1)
    until(lambda: bench.begun == [1])
    bench.worker.put(2)
    bench.worker.forget()
    assert bench.worker.counts == Counts(received=2, dropped=2)
    bench.worker.put(3)
    bench.gate.set()
    until(lambda: bench.published)
    assert bench.published == [(3, 6)]
    assert bench.worker.counts == Counts(received=3, published=1, dropped=2)


def test_forgetting_nothing_changes_nothing(bench):
    bench.worker.forget()
    assert bench.worker.counts == Counts()


def test_a_defect_is_handed_over_and_ends_the_thread(bench):
    bench.worker.put(13)
    until(lambda: bench.defects)
    assert isinstance(bench.defects[0], ZeroDivisionError)
    assert bench.worker.stop(PATIENCE_S)


def test_stop_tells_when_an_item_takes_too_long(bench):
    bench.gate.clear()
    bench.worker.put(1)
    until(lambda: bench.begun == [1])
    assert not bench.worker.stop(0.01)
    bench.gate.set()
    assert bench.worker.stop(PATIENCE_S)
    assert bench.published == []
    assert bench.worker.counts == Counts(received=1, dropped=1)


class SlowOutlet:
    """A worker whose `publish`, or `refuse` for negative items, stands until `gate` is set."""

    def __init__(self) -> None:
        self.entered, self.gate = threading.Event(), threading.Event()
        self.out: list[int] = []
        self.worker = Worker(self._work, publish=self._go, refuse=self._go, fail=self.out.append)

    def _work(self, item: int) -> int:
        if item < 0:
            raise ImageError('negative')
        return item

    def _go(self, item: int, _: object) -> None:
        self.entered.set()
        assert self.gate.wait(PATIENCE_S)
        self.out.append(item)


@pytest.fixture
def outlet() -> Iterator[SlowOutlet]:
    outlet = SlowOutlet()
    yield outlet
    outlet.gate.set()
    assert outlet.worker.stop(PATIENCE_S)


@pytest.mark.parametrize('item', [1, -1])
def test_whoever_puts_or_counts_does_not_wait_for_what_goes_out(outlet, item):
    outlet.worker.put(item)
    assert outlet.entered.wait(PATIENCE_S)
    done = threading.Event()

    def put() -> None:
        outlet.worker.put(2)
        assert outlet.worker.counts.received == 2
        done.set()

    threading.Thread(target=put, daemon=True).start()
    assert done.wait(PATIENCE_S)
    assert outlet.out == []


@pytest.mark.parametrize('item', [1, -1])
def test_forgetting_returns_when_what_goes_out_is_out_and_keeps_what_is_put_later(outlet, item):
    outlet.worker.put(item)
    assert outlet.entered.wait(PATIENCE_S)
    outlet.worker.put(2)
    seen: list[list[int]] = []

    def forget() -> None:
        outlet.worker.forget()
        seen.append(list(outlet.out))

    forgetting = threading.Thread(target=forget, daemon=True)
    forgetting.start()
    until(lambda: outlet.worker.counts.dropped == 1)
    outlet.worker.put(3)
    forgetting.join(0.05)
    assert seen == []
    outlet.gate.set()
    forgetting.join(PATIENCE_S)
    assert seen[0][0] == item
    assert 2 not in seen[0]
    until(lambda: len(outlet.out) == 2)
    assert outlet.out == [item, 3]


def test_stopping_is_given_up_in_time_while_an_outlet_hangs(outlet):
    outlet.worker.put(1)
    assert outlet.entered.wait(PATIENCE_S)
    assert not outlet.worker.stop(0.01)
    outlet.gate.set()
    assert outlet.worker.stop(PATIENCE_S)
    assert outlet.out == [1]


def test_publish_may_itself_forget_and_stop():
    ended = threading.Event()
    answers: list[bool] = []
    defects: list[BaseException] = []

    def publish(item: int, result: int) -> None:
        worker.put(item + 1)
        worker.forget()
        answers.append(worker.stop(PATIENCE_S))
        ended.set()

    worker = Worker(lambda item: item, publish=publish, refuse=publish, fail=defects.append)
    worker.put(1)
    assert ended.wait(PATIENCE_S)
    # Its own thread still ran; now it does not, and the second item went nowhere.
    assert answers == [False]
    assert worker.stop(PATIENCE_S)
    assert worker.counts == Counts(received=2, published=1, dropped=1)
    assert defects == []


def test_counts_hold_at_every_moment(bench):
    for item in range(2000):
        bench.worker.put(item if item % 7 else -item - 1)
        if item % 50 == 0:
            bench.worker.forget()
        counts = bench.worker.counts
        outcomes = counts.published + counts.dropped + counts.refused + counts.pending
        assert counts.received == item + 1 == outcomes
        assert 0 <= counts.pending <= 2
    until(lambda: bench.worker.counts.pending == 0)
    assert len(bench.published) == bench.worker.counts.published
    assert len(bench.refused) == bench.worker.counts.refused


@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux has a niceness for each thread')
@pytest.mark.parametrize('more', [0, 2])
def test_a_nice_worker_gives_way_and_no_other_thread_does(more):
    def niceness(_=None):
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, seen = niceness(), []
    worker = Worker(
        niceness,
        publish=lambda _, result: seen.append(result),
        refuse=lambda *_: None,
        fail=lambda error: seen.append(error),
        niceness=more,
    )
    worker.put(1)
    until(lambda: seen)
    assert worker.stop(PATIENCE_S)
    assert seen == [min(before + more, 19)]
    assert niceness() == before
