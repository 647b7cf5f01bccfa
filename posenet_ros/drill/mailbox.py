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

"""What nodes hear, handled in the one thread in which time passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
import threading
import time
from typing import Any

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

_LOOK_UP_S = 0.2


class Mailbox:
    """Messages that came, each with what handles it; letters are opened by `open_until`."""

    def __init__(self) -> None:
        """Begin empty."""
        self._letters: SimpleQueue[tuple[Callable[[Any], object], Any]] = SimpleQueue()

    def into(self, handle: Callable[[Any], object]) -> Callable[[Any], None]:
        """Return a callback for a subscription that leaves the message to be handled later."""
        return lambda message: self._letters.put((handle, message))

    def fail(self, error: BaseException) -> None:
        """Have an error of the thread that hears raised where letters are opened."""

        def raise_it(_: None) -> None:
            raise error

        self._letters.put((raise_it, None))

    def open_until(self, wall_s: float, happened: Callable[[], object] = lambda: False) -> None:
        """Handle what is there, and what comes until a moment of `time.monotonic` or an event."""
        while not happened():
            left_s = wall_s - time.monotonic()
            try:
                handle, message = self._letters.get(left_s > 0, max(left_s, 0.0))
            except Empty:
                return
            handle(message)


@contextmanager
def spinning(nodes: Sequence[Node], mailbox: Mailbox) -> Iterator[None]:
    """
    Have nodes hear in a thread of their own; they leave the graph at the end.

    What is raised in a callback is raised again where the mailbox is opened: trips without ears
    would be counted as late.
    """
    executor = SingleThreadedExecutor()
    for node in nodes:
        executor.add_node(node)
    ending = threading.Event()

    def spin() -> None:
        try:
            while not ending.is_set():
                executor.spin_once(timeout_sec=_LOOK_UP_S)
        except ExternalShutdownException:
            return
        except BaseException as error:
            mailbox.fail(error)

    thread = threading.Thread(target=spin, name='ears', daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
        executor.shutdown()
        for node in nodes:
            node.destroy_node()
