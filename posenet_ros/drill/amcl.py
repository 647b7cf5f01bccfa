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

"""A stand-in for AMCL as a node: map -> odom, initial poses, updates without motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

from geometry_msgs.msg import PoseWithCovarianceStamped
import numpy as np
from posenet_ros.drill.mailbox import Mailbox
from posenet_ros.drill.past import Moment, Past
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import NS_PER_S, Quaternion
from posenet_ros.nodes.conversions import (
    pose_from_message,
    stamp_message,
    stamp_ns,
    transform_stamped,
)
from posenet_ros.nodes.transforms import make_broadcaster
from posenet_ros.recovery.amcl import objections
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.recovery.rehearsal.laser import Laser, Taken
from posenet_ros.simulation.messages import FRAMES
from rclpy.node import Node
from std_srvs.srv import Empty

PERIOD_NS = NS_PER_S // 20
# As in Nav2's parameters: how far ahead map -> odom is dated, and what counts as having moved.
TOLERANCE_NS = NS_PER_S
_MOVED_M, _MOVED_RAD = 0.25, 0.2
_MAP = 'map'


@dataclass(frozen=True)
class Initial:
    """An initial pose that was heard: what was objected to, and what became of it otherwise."""

    stamp_ns: int
    map_from_base: Spot | None
    objections: tuple[str, ...] = ()
    taken: Taken | None = None


class AmclNode(Node):
    """
    Broadcasts map -> odom once it has a pose, and takes initial poses as AMCL does.

    It refines when the robot has moved, or when `request_nomotion_update` was called. Carried
    away, it does not find back by itself: the next pose it takes has to be a given one.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        past: Past,
        rng: np.random.Generator,
        heard: Callable[[Initial], object],
    ) -> None:
        """Take where the robot was and is, and what to call for each initial pose."""
        super().__init__('amcl')
        self.laser = Laser(rng)
        self.updates_asked = 0
        self._past = past
        self._heard = heard
        self._astray = False
        self._updated: Moment | None = None
        self._broadcast_ns = 0
        self._broadcast = make_broadcaster(self)
        self.create_subscription(
            PoseWithCovarianceStamped, 'initialpose', mailbox.into(self._take), 5
        )
        asked = mailbox.into(self._asked)
        self.create_service(Empty, 'request_nomotion_update', lambda _, done: asked(None) or done)

    @property
    def believed(self) -> Spot | None:
        """Where it has the robot."""
        return self.laser.believed(self._past.now.odometry)

    def place(self) -> None:
        """Have it where the robot is, as by the hand of somebody who knows."""
        now = self._past.now
        self.laser.place(now.truth, now.odometry)
        self._astray, self._updated = False, now

    def forget(self) -> None:
        """Have no pose, as at the start."""
        self.laser.map_from_odom, self._astray = None, False

    def carried(self) -> None:
        """Lose what the laser matches."""
        self._astray = True

    def step(self) -> None:
        """Do what is due at present."""
        now = self._past.now
        if self._updated is not None and not self._astray:
            metres, radians = now.odometry.off(self._updated.odometry)
            if metres >= _MOVED_M or radians >= _MOVED_RAD:
                self._update(now)
        if now.stamp_ns - self._broadcast_ns >= PERIOD_NS:
            self._broadcast_ns = now.stamp_ns
            self._send(now)

    def _send(self, now: Moment) -> None:
        if self.laser.map_from_odom is None or self._broadcast is None:
            return
        self._broadcast(
            transform_stamped(
                self.laser.map_from_odom.pose('map', 'odom'),
                stamp_message(now.stamp_ns + TOLERANCE_NS),
                parent=_MAP,
                child=FRAMES['odom'],
            )
        )

    def _update(self, now: Moment) -> None:
        self.laser.update(now.truth, now.odometry)
        self._updated = now

    def _asked(self, _: None) -> None:
        self.updates_asked += 1
        if not self._astray:
            self._update(self._past.now)

    def _take(self, message: PoseWithCovarianceStamped) -> None:
        at_ns = stamp_ns(message.header.stamp)
        orientation = message.pose.pose.orientation
        frame = message.header.frame_id
        said = () if frame == _MAP else (f'the frame is {frame!r}, not {_MAP!r}',)
        said += objections(
            Quaternion(w=orientation.w, x=orientation.x, y=orientation.y, z=orientation.z),
            np.reshape(message.pose.covariance, (6, 6)),
        )
        try:
            pose = pose_from_message(message.pose.pose, target='map', source='base')
        except GeometryError as error:
            self._heard(Initial(at_ns, None, (*said, str(error))))
            return
        spot = Spot.of(pose)
        if said or not all(map(math.isfinite, spot)):
            self._heard(Initial(at_ns, spot, said))
            return
        taken = self.laser.take(spot, self._past.at(at_ns).odometry)
        if taken is not Taken.LOST:
            self._astray, self._updated = False, self._past.now
        self._heard(Initial(at_ns, spot, (), taken))
