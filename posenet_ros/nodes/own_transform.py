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

"""map -> odom as our own: smoothed, stamped anew all the while, and never beside another's."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import time

from geometry_msgs.msg import TransformStamped
from posenet_ros.errors import InterfaceError
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.nodes.conversions import stamp_message, transform_stamped
from posenet_ros.nodes.odometry_input import OdometryInput
from posenet_ros.nodes.parameters import Parameters
from posenet_ros.nodes.transform_buffer import Sample
from posenet_ros.nodes.watch_options import smoothing_options
from posenet_ros.recovery import Belief, Fix, OdometryBuffer, Smoother, Watch

# Somebody else who was heard so lately is still there.
_OTHERS_NS = 2 * NS_PER_S
# What was sent within the time that a message takes to come back.
_MOST_SENT = 200


class OwnTransform:
    """
    The transform of a node that is the localizer itself.

    It jumps where recovery sends it and follows other fixes by bounded steps. Odometry that began
    anew leaves nothing of it. While somebody else broadcasts the same edge, ours is not sent: two
    that take turns are worse than either. All methods are called in the executor's thread.
    """

    def __init__(
        self,
        *,
        settings: Parameters,
        broadcast: Callable[[TransformStamped], None],
        now_ns: Callable[[], int],
        others: OdometryInput,
    ) -> None:
        """
        Take what broadcasts, the clock of the stamps, and what tells of others' transforms.

        `map_frame` is set later.
        """
        self.map_frame = ''
        self._others = others
        self._other_is_static = False
        self._settings = settings
        self._send = broadcast
        self._now_ns = now_ns
        self._smoother = Smoother()
        self._epoch = 0
        self._sent_ns: deque[int] = deque(maxlen=_MOST_SENT)
        self._last_ns = 0
        self._other_ns: int | None = None

    def heard(self, sample: Sample, *, static: bool) -> None:
        """
        Note that somebody broadcasts the edge; our own are known again by their stamps.

        What is static was said once and for all.
        """
        if static:
            self._other_is_static = True
        elif sample.stamp_ns not in self._sent_ns:
            self._other_ns = time.monotonic_ns()

    def alone(self) -> None:
        """Forget what others broadcast, as where nobody listens any more."""
        self._other_ns, self._other_is_static = None, False

    @property
    def contested(self) -> bool:
        """Whether somebody else broadcasts the same edge at present."""
        if self._other_is_static:
            return True
        return self._other_ns is not None and time.monotonic_ns() - self._other_ns < _OTHERS_NS

    def clear(self) -> None:
        """Have no transform, until the next that is sent; the clock may be another."""
        self._smoother.clear()
        self._last_ns = 0

    @property
    def listeners(self) -> int:
        """Everybody who hears of transforms, while nobody else says another."""
        return 0 if self.contested else 1

    def send(self, fix: Fix, watch: Watch) -> str:
        """Go to a fix at once, and say so; raise InterfaceError while others say another."""
        if self.contested:
            raise InterfaceError(f'{self.edge} is not set, somebody else broadcasts it')
        self._epoch = fix.reading.epoch
        self._smoother.take(fix, jump=True)
        self.broadcast(watch)
        return f'{self.edge}: {fix.text()}'

    def ask_for_update(self) -> None:
        """Do nothing: what is ours needs no scan to go where it is sent."""

    def follow(self, fix: Fix) -> None:
        """Go towards a fix that is near."""
        if self._smoother.current is not None and fix.reading.epoch == self._epoch:
            self._smoother.take(fix)

    def belief(self, odometry: OdometryBuffer, now_ns: int) -> Belief | None:
        """Return where it, or who contests it, has the robot; None before the first fix."""
        if self.contested:
            return self._others.belief(odometry, now_ns)
        newest, current = odometry.newest, self._current(odometry)
        if newest is None or current is None:
            return None
        return Belief(newest.stamp_ns, current @ newest.odom_from_base)

    def broadcast(self, watch: Watch) -> None:
        """Broadcast it for now, dated ahead, so that who looks up the present finds it."""
        now_ns, settings = self._now_ns(), self._settings
        newest = watch.odometry.newest
        if newest is None or now_ns == 0 or self._current(watch.odometry) is None:
            return
        self._smoother.options = smoothing_options(settings)
        pose = self._smoother.step(now_ns, newest.odom_from_base)
        if pose is None or self.contested:
            return
        stamp_ns = now_ns + round(settings['transform_tolerance'] * NS_PER_S)
        # tf2 takes nothing that goes back in time, and says so each time.
        if stamp_ns <= self._last_ns:
            return
        self._last_ns = stamp_ns
        self._sent_ns.append(stamp_ns)
        self._send(
            transform_stamped(
                pose,
                stamp_message(stamp_ns),
                parent=self.map_frame,
                child=settings['odom_frame'],
            )
        )

    @property
    def edge(self) -> str:
        """What is broadcast, in words."""
        return f'{self.map_frame} -> {self._settings["odom_frame"]}'

    def _current(self, odometry: OdometryBuffer) -> Pose | None:
        if odometry.epoch != self._epoch:
            self._smoother.clear()
        return self._smoother.current
