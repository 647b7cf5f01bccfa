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

"""All that is around the node under test, and the one loop in which time passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
import math
import time
from typing import NamedTuple

from posenet_ros.drill.amcl import AmclNode, Initial
from posenet_ros.drill.camera import Camera, looks
from posenet_ros.drill.leg import Leg, RATE_HZ
from posenet_ros.drill.mailbox import Mailbox, spinning
from posenet_ros.drill.motion import Motion
from posenet_ros.drill.options import DrillOptions
from posenet_ros.drill.pace import Pace
from posenet_ros.drill.past import Moment, Past
from posenet_ros.drill.plan import Look, rng_of
from posenet_ros.drill.record import Off, Record, right
from posenet_ros.drill.robot import RobotNode
from posenet_ros.drill.site import Site
from posenet_ros.drill.subject import Subject
from posenet_ros.drill.witness import Witness
from posenet_ros.errors import InterfaceError
from posenet_ros.geometry import NS_PER_S
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.simulation.mipmaps import Texture
from posenet_ros.simulation.parallel import opencv_threads
from posenet_ros.simulation.simulate import START_NS
from posenet_ros.simulation.world import World
from rclpy.node import Node

TICK_S = 1 / RATE_HZ
TICK_NS = round(TICK_S * NS_PER_S)
# A model loads within this on the wall.
_START_S = 120.0
# A transform of the node that moves the robot by more is a reset.
_JUMP_M, _JUMP_RAD = 0.5, math.radians(15)
_NEAR_M = 1.0


class Due(NamedTuple):
    """An image that was begun, and by which of the robot's motions."""

    stamp_ns: int
    changes: int
    image: Future[Texture]


class Stage:
    """
    A robot in a world, driving or carried, with its localizer and the node under test.

    `step` is one tick; everything that is heard is handled in it. What happens is told to
    `record`, where there is one.
    """

    def __init__(self, site: Site, options: DrillOptions, subject: Subject) -> None:
        """Take the place, and the node that is not started yet."""
        self.site, self.subject = site, subject
        self.pace = Pace(options.pace)
        self.past = Past()
        self.record: Record | None = None
        self.world: World = site.world
        self.motion = Motion()
        self.state = ''
        self.placed: list[bool] = []
        self.images = 0
        self.mailbox = Mailbox()
        self._period_ns = round(NS_PER_S / options.rate_hz)
        self._looks = looks(options.spoilt, options.rate_hz, rng_of(options, 0, 'looks'))
        self.camera = Camera(site.options, rng_of(options, 0, 'sensor'))
        self.robot = RobotNode(site.options.camera, site.options.robot.base_from_camera)
        self._own_map_from_odom: Spot | None = None
        own = options.publish_tf_odom
        self.witness = Witness(
            self.mailbox,
            self.pace,
            changed=self._changed,
            placed=self._placed,
            moved=self._moved if own else None,
        )
        rng = rng_of(options, 0, 'amcl')
        self.amcl = None if own else AmclNode(self.mailbox, self.past, rng, self._initial)
        self._look = Look.CLEAR
        self._due: Due | None = None
        self._dropped_before = 0
        self._image_ns = 0
        self._now_ns = START_NS

    @property
    def nodes(self) -> list[Node]:
        """The nodes of this process."""
        nodes: list[Node | None] = [self.robot, self.witness, self.amcl]
        return [node for node in nodes if node is not None]

    @property
    def now_s(self) -> float:
        """Seconds since the drill began, by its own clock."""
        return (self._now_ns - START_NS) / NS_PER_S

    @property
    def dropped(self) -> int:
        """How many images nodes have dropped, as far as they have told."""
        return self._dropped_before + int(self.witness.values.get('dropped', 0))

    @property
    def off(self) -> Off | None:
        """How far the localizer's pose is from the truth; None where either is in no map."""
        if self.world is not self.site.world:
            return None
        now = self.past.now
        if self.amcl is not None:
            believed = self.amcl.believed
        elif self._own_map_from_odom is not None:
            believed = self._own_map_from_odom @ now.odometry
        else:
            believed = None
        return None if believed is None else believed.off(now.truth)

    @property
    def agreed(self) -> bool:
        """Whether the localizer is right, and the node says that it follows it."""
        return right(self.off) and self.state == 'tracking'

    def put(self, leg: Leg, world: World) -> None:
        """Set the robot down at the beginning of a leg, in a world."""
        self.motion.put(leg)
        self.world, self._look = world, Look.CLEAR

    def carry(self, seconds: float, goal: Spot, look: Look) -> None:
        """Carry the robot through the air until it can be put down."""
        self.motion.lift(goal, seconds)
        self._look = look
        if self.amcl is not None:
            self.amcl.carried()
        self.go(seconds)

    def place_localizer(self) -> None:
        """Put the localizer right by hand; nothing where the node is the localizer."""
        if self.amcl is not None:
            self.amcl.place()

    def go(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let so much time pass at most; tell whether it happened what was waited for."""
        end_s = self.now_s + seconds
        while self.now_s < end_s - TICK_S / 2:
            self.step()
            if until():
                return True
        return False

    def start_node(self) -> None:
        """Start the node, anew where it runs, and wait until it takes images."""
        self.subject.stop()
        self._wait(lambda: self.robot.watchers == 0, 'the old node does not leave')
        self._dropped_before, self.witness.values = self.dropped, {}
        self.state, self._own_map_from_odom = '', None
        self.subject.start()
        self._wait(lambda: self.robot.watchers > 0, 'the node does not subscribe to image')

    def _wait(self, happened: Callable[[], bool], otherwise: str) -> None:
        end_s = time.monotonic() + _START_S
        while not happened():
            if time.monotonic() > end_s:
                log = self.subject.logs[-1] if self.subject.logs else ''
                raise InterfaceError(f'{otherwise} after {_START_S:.0f} s; see {log}')
            self.step()

    def step(self) -> None:
        """Let one tick pass."""
        self.mailbox.open_until(self.pace.due(time.monotonic(), TICK_S))
        self._now_ns += TICK_NS
        self.motion.advance(TICK_S)
        truth, odometry = self.motion.spot(), self.motion.odometry
        self.past.add(Moment(self._now_ns, truth, odometry))
        self.robot.tell_time(self._now_ns)
        self.robot.move(self._now_ns, odometry.pose('odom', 'base'), truth.pose('map', 'base'))
        if self.amcl is not None:
            self.amcl.step()
        if self._now_ns >= self._image_ns + self._period_ns:
            self._image_ns = self._now_ns - (self._now_ns - START_NS) % self._period_ns
            self._show()
            self.subject.check()
        if self.record is not None:
            self.record.see(self.now_s, truth, self.off, in_the_air=self.motion.in_the_air)

    def _show(self) -> None:
        """Send the image that is due, when the one before is answered; begin with the next."""
        if self._look is Look.NOTHING or not self.robot.watchers:
            self._due = None
            return
        due = self._due
        if due is None or (due.stamp_ns, due.changes) != (self._image_ns, self.motion.changes):
            due = self._begun(self._image_ns)
        last_ns = self.witness.last_sent_ns
        self.mailbox.open_until(
            self.witness.last_sent_s + self.pace.wait_s,
            lambda: self.witness.answered_ns >= last_ns,
        )
        rgb = due.image.result()
        self.witness.sent(due.stamp_ns)
        self.robot.show(due.stamp_ns, rgb)
        self.images += 1
        self._due = self._begun(self._image_ns + self._period_ns)

    def _begun(self, stamp_ns: int) -> Due:
        """Begin the image of a moment, which may be ahead: where the robot will be is known."""
        spot = self.motion.spot((stamp_ns - self._now_ns) / NS_PER_S)
        drawn = next(self._looks)
        look = drawn if self._look is Look.CLEAR else self._look
        image = self.camera.take(self.world, spot, look)
        return Due(stamp_ns, self.motion.changes, image)

    def _changed(self, state: str, reason: str) -> None:
        if self.record is not None:
            self.record.said.append((self.now_s, f'{state}: {reason}'))
            if state != self.state:
                self.record.hear_state(self.now_s, state)
        self.state = state

    def _placed(self, at_ns: int, spot: Spot) -> None:
        self.placed.append(spot.off(self.past.at(at_ns).truth)[0] <= _NEAR_M)

    def _initial(self, initial: Initial) -> None:
        if self.record is None:
            return
        if initial.objections:
            self.record.refused.append('; '.join(initial.objections))
        if initial.map_from_base is not None:
            what = 'refused' if initial.taken is None else initial.taken.value
            self._judge(initial.map_from_base, initial.stamp_ns, f'sent, {what}')

    def _moved(self, map_from_odom: Spot) -> None:
        """Note the node's own transform; a jump of the robot is a reset."""
        before, self._own_map_from_odom = self._own_map_from_odom, map_from_odom
        now = self.past.now
        there = map_from_odom @ now.odometry
        if before is not None:
            metres, radians = (before @ now.odometry).off(there)
            if metres < _JUMP_M and radians < _JUMP_RAD:
                return
        if self.record is not None:
            self._judge(there, now.stamp_ns, 'jump')

    def _judge(self, spot: Spot, stamp_ns: int, what: str) -> None:
        assert self.record is not None
        truth = self.past.at(stamp_ns).truth
        metres, radians = spot.off(truth)
        if self.world is not self.site.world:
            metres = math.inf
        self.record.hear_reset(self.now_s, (metres, radians), what)


@contextmanager
def on_stage(site: Site, options: DrillOptions, subject: Subject) -> Iterator[Stage]:
    """Give a stage whose nodes are in the graph; rclpy has been started."""
    with opencv_threads(1), subject:
        stage = Stage(site, options, subject)
        try:
            with spinning(stage.nodes, stage.mailbox):
                yield stage
        finally:
            stage.camera.close()
