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

"""
The life of a node's process: spin until a signal, then end cleanly with exit code 0.

The executor has a thread of its own, and the main thread only waits for signals. So Ctrl-C is
answered at any moment, also while a model loads or an import holds a callback up, and a second
one cannot strike the cleaning up: it finds no exception to raise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import os
from queue import SimpleQueue
import signal
import sys
import threading
import traceback
from typing import Protocol, TYPE_CHECKING, TypeVar

from posenet_ros.errors import ConfigError, InterfaceError

if TYPE_CHECKING:
    from rclpy.executors import Executor

# `ros2 launch` follows SIGINT with SIGTERM after 5 s; the two waits together stay well below.
_PATIENCE_S = 2.0

# The executor goes on waiting when it is woken for nothing, so it looks up this often.
_LOOK_UP_S = 0.2

# What ends a process: None for a signal, an exception for a defect. SimpleQueue, because a
# signal handler may put into it at any moment without a deadlock.
Stops = SimpleQueue


class Closable(Protocol):
    """What a node needs besides rclpy's own methods to end in time."""

    def close(self) -> bool:
        """End its threads and free what it holds; tell whether all of them ended."""
        ...

    def destroy_node(self) -> None:
        """Leave the graph."""
        ...


SomeNode = TypeVar('SomeNode', bound=Closable)


@contextmanager
def stops_on_signals() -> Iterator[Stops[BaseException | None]]:
    """
    Turn SIGINT and SIGTERM into entries of a queue; enter this before the slow imports.

    Afterwards both are ignored: all that is left to do then is to end.
    """
    stops: Stops[BaseException | None] = Stops()
    caught = (signal.SIGINT, signal.SIGTERM)
    for number in caught:
        signal.signal(number, lambda *_: stops.put(None))
    try:
        yield stops
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def ros_context(ros_arguments: Sequence[str]) -> Iterator[None]:
    """
    Start rclpy without its signal handlers, and end it afterwards.

    Raises InterfaceError where rclpy is missing and ConfigError for ROS arguments that it
    refuses.
    """
    try:
        import rclpy
    except ImportError as error:
        raise InterfaceError(
            f'cannot import rclpy ({error}): source the setup.bash of ROS 2, or '
            'pip install "posenet_ros[ros]"'
        ) from error
    from rclpy.impl.implementation_singleton import rclpy_implementation
    from rclpy.signals import SignalHandlerOptions

    # What rclpy raises for arguments, parameter files and remappings that make no sense.
    refusals = (rclpy_implementation.RCLError, rclpy_implementation.UnknownROSArgsError)
    try:
        rclpy.init(
            args=['posenet_ros', *ros_arguments], signal_handler_options=SignalHandlerOptions.NO
        )
    except refusals as error:
        first = str(error).partition(', at ')[0]
        raise ConfigError(f'ROS refuses its arguments: {first}') from error
    try:
        yield
    finally:
        rclpy.try_shutdown()


def run_node(
    make_node: Callable[[Callable[[BaseException | None], None]], SomeNode],
    ros_arguments: Sequence[str],
    stops: Stops[BaseException | None],
) -> SomeNode:
    """
    Make a node, spin it until something is put into `stops`, and take it down.

    `make_node` gets a function to end the process with: by None for good, or by a defect, which
    is then raised here. Returns the node, which has left the graph but keeps what it gathered.
    A thread that does not end in time (a model that still loads) is not waited for: the process
    leaves at once.
    """
    with ros_context(ros_arguments):
        from rclpy.exceptions import NameValidationException
        from rclpy.executors import SingleThreadedExecutor

        try:
            node = make_node(stops.put)
        except NameValidationException as error:
            raise ConfigError(' '.join(str(error).replace('^', '').split())) from error
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        ending = threading.Event()
        spinning = threading.Thread(
            target=_spin, args=(executor, ending, stops), name='executor', daemon=True
        )
        spinning.start()
        reason = stops.get()
        ending.set()
        spinning.join(_PATIENCE_S)
        if spinning.is_alive() or not node.close():
            _leave_at_once(reason)
        executor.shutdown()
        node.destroy_node()
    if reason is not None:
        raise reason
    return node


def _spin(executor: Executor, ending: threading.Event, stops: Stops[BaseException | None]) -> None:
    from rclpy.executors import ExternalShutdownException

    try:
        while not ending.is_set():
            executor.spin_once(timeout_sec=_LOOK_UP_S)
    except ExternalShutdownException:
        stops.put(None)
    # A defect in a callback: the main thread raises it.
    except BaseException as error:
        stops.put(error)


def _leave_at_once(reason: BaseException | None) -> None:
    """End without the interpreter's own shutdown, which a thread in foreign code may crash."""
    if reason is not None:
        traceback.print_exception(reason)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if reason is None else 1)
