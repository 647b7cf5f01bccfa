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

"""Who asks where the robot is: the services, and what they are answered."""

from __future__ import annotations

from collections.abc import Callable
import time

from posenet_ros.geometry import NS_PER_S
from posenet_ros.recovery import Attempt, Mode, Outcome, Report
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode
from rclpy.service import Service
from rclpy.task import Future
from std_srvs.srv import Empty, Trigger

# Steps judge in time, where there are any.
_LATE_S = 1.0
_GLOBAL = 'reinitialize_global_localization'


class Requests:
    """
    The services `~/relocalize` and, as a stand-in for AMCL's, `reinitialize_global_localization`.

    Each request becomes an attempt, which `judge` ends. All methods are called in the executor's
    thread, which goes on while somebody waits.
    """

    def __init__(self, node: LifecycleNode, begin: Callable[[Future], None]) -> None:
        """Offer the first service; `begin` is to begin an attempt, or to answer at once."""
        self._node = node
        self._begin = begin
        self._attempts: list[tuple[Attempt, int, Future]] = []
        self._stand_in: Service | None = None
        # One that waits holds up all else of its group.
        self._group = ReentrantCallbackGroup()
        node.create_service(Trigger, '~/relocalize', self._relocalize, callback_group=self._group)

    @property
    def waiting(self) -> bool:
        """Whether somebody waits for an outcome; any thread may ask."""
        return bool(self._attempts)

    def wait(self, future: Future, now_ns: int, patience_s: float) -> None:
        """Have a request wait for its outcome."""
        self._attempts.append((Attempt(now_ns, patience_s), time.monotonic_ns(), future))

    def judge(self, report: Report, mode: Mode) -> None:
        """Answer those whose attempt has ended."""
        now_ns, left = time.monotonic_ns(), []
        for attempt, began_ns, future in self._attempts:
            outcome = attempt.judge(report, mode, (now_ns - began_ns) / NS_PER_S)
            if outcome is None:
                left.append((attempt, began_ns, future))
            else:
                future.set_result(outcome)
        self._attempts = left

    def expire(self) -> None:
        """Answer who has waited too long since nobody judges: time stands still."""
        now_ns, left = time.monotonic_ns(), []
        for attempt, began_ns, future in self._attempts:
            waited_s = (now_ns - began_ns) / NS_PER_S
            if waited_s <= attempt.patience_s + _LATE_S:
                left.append((attempt, began_ns, future))
            else:
                future.set_result(
                    Outcome(False, f'timeout after {waited_s:.0f} s: time stands still (/clock?)')
                )
        self._attempts = left

    def end(self, reason: str) -> None:
        """Answer all who wait that there will be nothing."""
        for *_, future in self._attempts:
            future.set_result(Outcome(False, reason))
        self._attempts = []

    def stand_in(self, wanted: bool) -> str:
        """
        Offer AMCL's service where that is wanted and nobody else does; return who does, or ''.

        Where there are two, a caller reaches whichever answers first.
        """
        others = self._others() if wanted else ''
        if wanted and not others and self._stand_in is None:
            self._stand_in = self._node.create_service(
                Empty, _GLOBAL, self._reinitialize, callback_group=self._group
            )
        elif self._stand_in is not None and (others or not wanted):
            self._node.destroy_service(self._stand_in)
            self._stand_in = None
        return others

    def _others(self) -> str:
        topic = self._node.resolve_service_name(_GLOBAL)
        ours = (self._node.get_name(), self._node.get_namespace())
        for name, namespace in self._node.get_node_names_and_namespaces():
            if (name, namespace) == ours:
                continue
            try:
                offered = self._node.get_service_names_and_types_by_node(name, namespace)
            # It left the graph since.
            except rclpy_implementation.NodeNameNonExistentError:
                continue
            if any(each == topic for each, _ in offered):
                return f'{namespace.rstrip("/")}/{name}'
        return ''

    async def _relocalize(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        response.success, response.message = await self._attempt()
        return response

    def _reinitialize(self, request: Empty.Request, response: Empty.Response) -> Empty.Response:
        """Begin an attempt, and answer at once, as AMCL does: behaviour trees wait for 20 ms."""
        future: Future = Future()
        future.add_done_callback(self._tell)
        self._begin(future)
        return response

    def _tell(self, future: Future) -> None:
        outcome, log = future.result(), self._node.get_logger()
        # Two calls: rclpy refuses a second severity from one line of code.
        if outcome.success:
            log.info(f'{_GLOBAL}: {outcome.text}')
        else:
            log.warning(f'{_GLOBAL}: {outcome.text}')

    async def _attempt(self) -> Outcome:
        future: Future = Future()
        self._begin(future)
        return await future
