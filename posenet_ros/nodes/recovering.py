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

"""The robot watched over: what images, odometry and localizer say together, and what is done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
import math
from typing import Any

from geometry_msgs.msg import TransformStamped
from posenet_ros.errors import ConfigError, InterfaceError
from posenet_ros.geometry import NS_PER_S
from posenet_ros.nodes.diagnostics import ERROR, Problem, WARNING, Watched
from posenet_ros.nodes.fix_outputs import FixOutputs
from posenet_ros.nodes.localizer_link import LocalizerLink, RunningLocalizer
from posenet_ros.nodes.map_relation import MapRelation, read_map_from_model, ServedMap
from posenet_ros.nodes.odometry_input import OdometryInput
from posenet_ros.nodes.own_transform import OwnTransform
from posenet_ros.nodes.parameters import Parameters
from posenet_ros.nodes.requests import Requests
from posenet_ros.nodes.transform_buffer import Sample
from posenet_ros.nodes.transform_input import TransformInput
from posenet_ros.nodes.watch_options import watch_options
from posenet_ros.recovery import (
    Advise,
    Decision,
    Fix,
    GiveUp,
    Kind,
    Mode,
    Observation,
    Outcome,
    Recovered,
    Report,
    RequestNoMotionUpdate,
    SendInitialPose,
    Stage,
    State,
    Watch,
)
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.task import Future
from rclpy.timer import Timer

_STEP_S = 0.1
_BROADCAST_S = 0.05
# Where nobody steps, what came first is too old first.
_MOST_OBSERVATIONS = 500
_JUMP_NS = NS_PER_S // 2
# Who says nothing on `map` for so long has to be told of.
_MAP_NS = 10 * NS_PER_S
_TROUBLED = (State.SUSPECT, State.KIDNAPPED, State.RECOVERING)


class Recovering:
    """
    Gives a `Watch` what the node hears, some times a second, and does what it decides.

    `observe` may be called in any thread, all else in the executor's. Without a base frame there
    is nothing to watch over.
    """

    def __init__(
        self,
        node: LifecycleNode,
        *,
        settings: Parameters,
        transforms: TransformInput,
        broadcast: Callable[[TransformStamped], None],
        clock_jumped: Callable[[], None],
    ) -> None:
        """
        Create topics and services; nothing is watched until `begin` and `start`.

        `clock_jumped` is called where the clock was set back without rclpy saying so.
        """
        self._node, self._log = node, node.get_logger()
        self._settings = settings
        self._clock_jumped = clock_jumped
        self._stepped_ns = 0
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._fixes = FixOutputs(node)
        self._odometry = OdometryInput(transforms)
        self._link = LocalizerLink(node, self._odometry)
        self._own = OwnTransform(
            settings=settings,
            broadcast=broadcast,
            now_ns=lambda: self._now_ns,
            others=self._odometry,
        )
        self._localizer: RunningLocalizer = self._link
        self._served = ServedMap(node)
        self._requests = Requests(node, self._begin_attempt)
        transforms.on_sample = self._heard
        self._observations: deque[Observation] = deque(maxlen=_MOST_OBSERVATIONS)
        self._timers: list[Timer] = []
        self._relation: MapRelation | None = None
        self._watch: Watch | None = None
        self._report: Report | None = None
        self._sent = self._recovered = 0
        self._elsewhere = ''

    # -- what is watched ------------------------------------------------------------------------

    @property
    def owns_odom(self) -> bool:
        """Whether map -> odom is ours to broadcast."""
        return self._settings['publish_tf'] == 'odom'

    def refusal(self, mode: str) -> str:
        """Return why recovery may not be set to this, or ''; before a model is there, all may."""
        return '' if self._relation is None else self._objection(mode, self._relation)

    def _objection(self, mode: str, relation: MapRelation) -> str:
        if mode != Mode.ACT.value:
            return ''
        if not self._settings['base_frame']:
            return "recovery 'act' needs base_frame: the frame of the robot, base_link say"
        return '' if relation.same_map else f"recovery 'act': {relation.doubt}"

    def begin(self, card: Any, map_frame: str) -> None:
        """
        Watch by the model of this card from now on.

        Raises ConfigError where the parameters ask for what cannot be done with it; then nothing
        is watched.
        """
        self._watch = None
        settings, base = self._settings, self._settings['base_frame']
        relation = MapRelation.of(card, read_map_from_model(settings['map_from_model']))
        self._relation = relation
        self._served.expect(relation.trained if base else None)
        if self.owns_odom and not (base and card.metric):
            why = relation.doubt if base else 'it needs base_frame: the frame of the robot'
            raise ConfigError(f'publish_tf: odom: {why}')
        if reason := self._objection(settings['recovery'], relation):
            raise ConfigError(reason)
        self._localizer = self._own if self.owns_odom else self._link
        self._localizer.map_frame = map_frame
        if base and card.metric:
            self._watch = Watch(
                watch_options(settings),
                mode=self._mode(),
                # Our own map -> odom is in whatever map the poses are.
                same_map=relation.same_map or self.owns_odom,
            )
            self._odometry.follow(odom=settings['odom_frame'], base=base, map_frame=map_frame)

    def _mode(self) -> Mode:
        # To set its own transform to a fix is what a node that owns it is there for.
        mode = Mode.ACT if self.owns_odom else Mode(self._settings['recovery'])
        return Mode.ADVISE if mode is Mode.ACT and self._served.other else mode

    def start(self) -> None:
        """Begin to step, and to broadcast where map -> odom is ours."""
        watch = self._watch
        reason = self._idle_reason() if watch is None else watch.monitor.status.reason
        self._fixes.tell_state(f'{State.UNKNOWN.value}: {reason}')
        if watch is not None and not self._timers:
            self._repeat(_STEP_S, self._step)
            if self.owns_odom:
                self._repeat(_BROADCAST_S, self._broadcast)

    def _repeat(self, period_s: float, action: Callable[[], None]) -> None:
        self._timers.append(self._node.create_timer(period_s, action, clock=self._steady))

    def stop(self, reason: str) -> None:
        """Step no more, and answer who waits."""
        for timer in self._timers:
            self._node.destroy_timer(timer)
        self._timers = []
        self.clear(reason)
        self._fixes.tell_state(f'{State.UNKNOWN.value}: {reason}')

    def close(self) -> None:
        """Let the model go."""
        self._served.close()
        self._own.alone()
        self._watch = self._relation = None

    def clear(self, reason: str) -> None:
        """Forget all that was seen: it is of another time, model or camera."""
        self._observations.clear()
        self._odometry.clear()
        self._own.clear()
        self._report, self._stepped_ns = None, 0
        # Fixes of another time are no answer to who asked in this.
        self._requests.end(reason)
        if self._watch is not None:
            self._watch.clear(self._now_ns, reason)

    # -- while it goes on -----------------------------------------------------------------------

    @property
    def urgent(self) -> bool:
        """Whether somebody waits for a pose to act on; any thread may ask."""
        watch, report = self._watch, self._report
        if watch is None or not self._timers:
            return False
        astray = report is None or report.status.state is not State.TRACKING
        acts = watch.mode is Mode.ACT and watch.recovery.stage is not Stage.GAVE_UP
        return self._requests.waiting or (acts and astray)

    def observe(self, observation: Observation) -> None:
        """Take what an image says; any thread may."""
        self._observations.append(observation)

    def _heard(self, sample: Sample, *, static: bool) -> None:
        if self.owns_odom and sample.child == self._settings['odom_frame']:
            self._own.heard(sample, static=static)
        self._odometry.heard(sample, static=static, now_ns=self._now_ns)

    @property
    def _now_ns(self) -> int:
        return self._node.get_clock().now().nanoseconds

    def _step(self) -> None:
        watch, now_ns = self._watch, self._now_ns
        # Before the first /clock there is no time to step in.
        if watch is None or now_ns == 0:
            return
        # rclpy tells of jumps of /clock alone, and not of a system's clock that was set right.
        before_ns, self._stepped_ns = self._stepped_ns, now_ns
        if now_ns < before_ns - _JUMP_NS:
            self._clock_jumped()
        watch.mode = self._mode()
        for stamp_ns, odom_from_base in self._odometry.drain():
            if (odd := watch.move(stamp_ns, odom_from_base)) is not None:
                self._log.warning(f'odometry: {odd}', throttle_duration_sec=5.0)
        while self._observations:
            watch.observe(self._observations.popleft())
        localizer = self._localizer
        belief = localizer.belief(watch.odometry, now_ns)
        self._report = report = watch.step(now_ns, belief, localizer.listeners)
        if isinstance(report.found, Fix):
            self._fixes.publish(report.found, localizer.map_frame)
            # What does not agree with it is for recovery.
            sure = report.found.kind is Kind.VERIFIED or self._settings['unverified_resets']
            if report.agreed and sure and report.status.state is State.TRACKING:
                localizer.follow(report.found)
        for decision in report.decisions:
            self._do(decision, watch)
        self._fixes.tell_state(f'{report.status.state.value}: {report.status.reason}')
        self._requests.judge(report, watch.mode)

    def _do(self, decision: Decision, watch: Watch) -> None:
        if isinstance(decision, SendInitialPose):
            try:
                done = self._localizer.send(decision.fix, watch)
                self._sent += 1
                self._log.info(f'attempt {decision.attempt}, {done}')
            except InterfaceError as error:
                self._log.error(str(error))
        elif isinstance(decision, RequestNoMotionUpdate):
            self._localizer.ask_for_update()
        elif isinstance(decision, Advise):
            apart = decision.difference
            there = '' if apart is None else f'; fix and localizer are {apart.text()}'
            self._log.warning(f'recovery: act would send {decision.fix.text()}{there}')
        elif isinstance(decision, Recovered):
            self._recovered += 1
            self._log.info(watch.recovery.told)
        elif isinstance(decision, GiveUp):
            self._log.error(f'recovery {decision.reason}')

    def _broadcast(self) -> None:
        if self._watch is not None:
            self._own.broadcast(self._watch)

    def _begin_attempt(self, future: Future) -> None:
        if self._watch is None or not self._timers:
            reason = 'the node is not active' if self._watch is not None else self._idle_reason()
            future.set_result(Outcome(False, reason))
            return
        self._watch.hurry()
        self._requests.wait(future, self._now_ns, self._settings['relocalize_timeout'])

    # -- how it is ------------------------------------------------------------------------------

    def _idle_reason(self) -> str:
        if not self._settings['base_frame']:
            return 'base_frame is not set: there is no robot to watch over'
        return 'there is no model' if self._relation is None else self._relation.doubt

    def watched(self) -> Watched:
        """Return what the diagnostics say of it."""
        watch, report = self._watch, self._report
        if watch is None or report is None:
            return Watched(reason=self._idle_reason() if watch is None else 'not yet')
        apart = report.difference
        return Watched(
            state=report.status.state.value,
            reason=report.status.reason,
            mode='map -> odom is ours' if self.owns_odom else watch.mode.value,
            told=report.told,
            fix=report.found.text(),
            apart_m=math.nan if apart is None else apart.metres,
            apart_rad=math.nan if apart is None else apart.radians,
            sent=self._sent,
            recovered=self._recovered,
        )

    def look_around(self) -> None:
        """Look for others in the graph that do what we are asked to; once a second will do."""
        wanted = self._settings['offer_global_localization'] and bool(self._timers)
        self._elsewhere = self._requests.stand_in(wanted)
        self._requests.expire()

    def problems(self) -> Iterator[Problem]:
        """Return what is wrong, or should be known, of robot, localizer and odometry."""
        if self._elsewhere:
            yield Problem(WARNING, f'{self._elsewhere} offers the global localization already')
        watch, report = self._watch, self._report
        if watch is None or report is None:
            return
        if report.status.state in _TROUBLED:
            yield Problem(WARNING, f'{report.status.state.value}: {report.status.reason}')
        if watch.recovery.stage is Stage.GAVE_UP:
            yield Problem(ERROR, f'recovery {watch.recovery.told} (~/relocalize tries again)')
        if missing := self._odometry.missing():
            yield Problem(WARNING if watch.mode is not Mode.ACT else ERROR, missing)
        if other := self._served.other:
            asked = self.owns_odom or self._settings['recovery'] == Mode.ACT.value
            yield Problem(ERROR if asked else WARNING, f'{other}; recovery does not act')
        if self._served.silent_for(_MAP_NS):
            yield Problem(WARNING, 'nothing is served on map: nobody knows whether it is the same')
        if self.owns_odom and self._own.contested:
            told = f'{self._own.edge} is broadcast by somebody else too: ours is not sent'
            yield Problem(ERROR, f'{told} meanwhile')
