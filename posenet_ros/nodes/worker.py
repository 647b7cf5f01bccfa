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

"""One thread that works, and a buffer of one: the newest item wins, and every item is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
import threading
from typing import Generic, TypeVar

from posenet_ros.errors import PosenetError
from posenet_ros.machine import give_way

Item = TypeVar('Item')
Result = TypeVar('Result')


@dataclass(frozen=True)
class Counts:
    """
    What became of the items: `received == published + dropped + refused + pending` at any time.

    `dropped` were overtaken by a newer one or forgotten, `refused` could not be answered.
    """

    received: int = 0
    published: int = 0
    dropped: int = 0
    refused: int = 0
    pending: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return what became of the items of both."""
        sums = {
            each.name: getattr(self, each.name) + getattr(other, each.name)
            for each in fields(self)
        }
        return Counts(**sums)


class Worker(Generic[Item, Result]):
    """
    Run `work` on the newest item in a thread of its own, so that whoever puts never waits.

    `work` turns an item into a result; a PosenetError from it refuses the item and goes to
    `refuse`. Results go to `publish`. Any other exception is a defect: it goes to `fail`, and the
    thread ends. Both `publish` and `refuse` are called one at a time, never after `forget` or
    `stop` returned for an item put before. So these two wait for the one that is being published,
    unless it is `publish` or `refuse` that calls them; `put` and `counts` wait for nothing.

    `name` is that of the thread; where `niceness` is above 0, it gives way to other threads.
    Workers of one `outlet` publish one at a time, and wait for each other where they forget.
    """

    def __init__(
        self,
        work: Callable[[Item], Result],
        *,
        publish: Callable[[Item, Result], None],
        refuse: Callable[[Item, PosenetError], None],
        fail: Callable[[BaseException], None],
        name: str = 'inference',
        niceness: int = 0,
        outlet: threading.RLock | None = None,
    ) -> None:
        self._work = work
        self._publish = publish
        self._refuse = refuse
        self._fail = fail
        self._niceness = niceness
        # Held while something goes out; reentrant, for a `publish` that forgets.
        self._outlet = outlet or threading.RLock()
        # Held for moments only, and never while waiting for the outlet.
        self._changed = threading.Condition()
        self._waiting: list[Item] = []
        self._in_work = False
        self._epoch = 0
        self._stopped = False
        self._counts = Counts()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def counts(self) -> Counts:
        """What became of the items so far."""
        with self._changed:
            return self._counts

    def put(self, item: Item) -> None:
        """Hand over an item; one that still waits gives way to it."""
        with self._changed:
            self._count(received=1, pending=1)
            self._drop_waiting()
            self._waiting = [item]
            self._changed.notify()

    def forget(self) -> None:
        """Drop the item that waits and the one in work: their results belong to the past."""
        with self._changed:
            self._drop_all()
        # What is on its way out was not dropped any more; it is out when the outlet is free.
        with self._outlet:
            pass

    def drop_waiting(self) -> None:
        """Drop the item that waits; the one in work goes on."""
        with self._changed:
            self._drop_waiting()

    def stop(self, timeout_s: float) -> bool:
        """
        Forget everything, end the thread, and tell whether it ended within the time.

        Where it did not, what was being published at the call may still be on its way.
        """
        with self._changed:
            self._drop_all()
            self._stopped = True
            self._changed.notify()
        # The end of the thread is the end of its last outlet too. No thread can await its own.
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _drop_all(self) -> None:
        self._drop_waiting()
        self._drop_in_work()

    def _drop_waiting(self) -> None:
        if self._waiting:
            self._waiting = []
            self._count(dropped=1, pending=-1)

    def _drop_in_work(self) -> None:
        if self._in_work:
            self._in_work = False
            self._epoch += 1
            self._count(dropped=1, pending=-1)

    def _count(self, **changes: int) -> None:
        sums = {name: getattr(self._counts, name) + change for name, change in changes.items()}
        self._counts = replace(self._counts, **sums)

    def _run(self) -> None:
        try:
            if self._niceness > 0:
                give_way(self._niceness)
            while (taken := self._take()) is not None:
                self._treat(*taken)
        # Nobody joins this thread while the node runs: its end must be told, whatever it was.
        except BaseException as error:
            self._fail(error)

    def _take(self) -> tuple[Item, int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            if self._stopped:
                return None
            self._in_work = True
            return self._waiting.pop(), self._epoch

    def _treat(self, item: Item, epoch: int) -> None:
        try:
            result = self._work(item)
        except PosenetError as error:
            with self._outlet:
                if self._finish(epoch, refused=1):
                    self._refuse(item, error)
            return
        with self._outlet:
            if self._finish(epoch, published=1):
                self._publish(item, result)

    def _finish(self, epoch: int, **outcome: int) -> bool:
        """Count an item of this epoch as done; one that was dropped meanwhile is counted."""
        with self._changed:
            if epoch != self._epoch:
                return False
            self._in_work = False
            self._count(pending=-1, **outcome)
            return True
