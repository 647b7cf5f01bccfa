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

"""A robot, its localizer and its clock over real DDS; the clock is the test's own, and fast."""

from __future__ import annotations

from collections.abc import Callable
import importlib.util
from typing import Any

import numpy as np
from posenet_ros.geometry import NS_PER_S, Pose
import pytest
from scipy.spatial.transform import Rotation

HAS_TF = importlib.util.find_spec('tf2_msgs') is not None
collect_ignore_glob = [] if HAS_TF else ['test_*.py']

START_NS = 1_700_000_000 * NS_PER_S
STEP_NS = NS_PER_S // 5
SPEED_M_S = 1.0
FORWARD = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
BASE_FROM_CAMERA = Pose(FORWARD, [0.2, 0.05, 0.5], 'base', 'camera')


def pytest_report_header() -> str:
    """Say that all of this is skipped without tf2_msgs."""
    return '' if HAS_TF else 'test/nodes/recovering: skipped, tf2_msgs is missing'


def at(x: float, y: float, degrees: float, target: str = 'map', source: str = 'base') -> Pose:
    return Pose(Rotation.from_euler('z', degrees, degrees=True), [x, y, 0.0], target, source)


class Robot:
    """
    Drives, and is carried away; `step` is a fifth of a second.

    `map_from_odom` is where odometry truly began. `believed` is what its localizer broadcasts for
    it, None for none; a localizer that is `obedient` goes where it is sent.
    """

    def __init__(self, graph: Any, eyes: Any, make_bench: Any, **parameters: Any) -> None:
        from geometry_msgs.msg import PoseWithCovarianceStamped
        from posenet_ros.nodes.transforms import static_tf_qos
        from rclpy.qos import DurabilityPolicy, QoSProfile
        from rosgraph_msgs.msg import Clock
        from std_msgs.msg import String
        from std_srvs.srv import Empty
        from tf2_msgs.msg import TFMessage

        self.graph, self.eyes = graph, eyes
        self.now_ns = START_NS
        self.odom_from_base = Pose.identity('odom', 'base')
        self.map_from_odom = at(1, 2, 30, source='odom')
        self.believed: Pose | None = self.map_from_odom
        self.obedient, self.moving, self.mapped, self.seeing = True, True, True, True
        self.confirmed = True
        self._driven: dict[int, Pose] = {}
        self._clock = graph.node.create_publisher(Clock, '/clock', 10)
        self._tf = graph.node.create_publisher(TFMessage, '/tf', 100)
        self._static = graph.node.create_publisher(TFMessage, '/tf_static', static_tf_qos())
        self._tell(BASE_FROM_CAMERA, 'base_link', 'camera_optical', self._static)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        # Every state is heard, not the last of a burst.
        latched.depth = 100
        self.states = graph.listen(String, '/posenet/state', latched)
        self.fixes = graph.listen(PoseWithCovarianceStamped, '/posenet/fix')
        self.sent: list[Any] = []
        graph.node.create_subscription(PoseWithCovarianceStamped, '/initialpose', self._take, 10)
        self.updates = 0
        graph.node.create_service(Empty, '/request_nomotion_update', self._update)
        usual = {'base_frame': 'base_link', 'use_sim_time': True, 'map_from_model': '0 0 0 0 0 0'}
        self.bench = make_bench(answered_by=eyes, **{**usual, **parameters}).until_active()
        for topic in ('/clock', '/tf', '/tf_static'):
            graph.until(lambda topic=topic: self.bench.node.count_subscribers(topic) >= 1)
        for topic in ('/initialpose', '/posenet/state', '/posenet/fix'):
            graph.until(lambda topic=topic: self.bench.node.count_publishers(topic) == 1)
        graph.until(lambda: self.states)

    @property
    def map_from_base(self) -> Pose:
        """Where the robot truly is."""
        return self.map_from_odom @ self.odom_from_base

    def then(self, message: Any) -> Pose:
        """Return where the robot was at the stamp of a message, if not carried since."""
        from posenet_ros.nodes.conversions import stamp_ns

        return self.map_from_odom @ self._driven[stamp_ns(message.header.stamp)]

    @property
    def state(self) -> str:
        return self.states[-1].data.partition(':')[0]

    def _tell(self, pose: Pose, parent: str, child: str, publisher: Any) -> None:
        from posenet_ros.nodes.conversions import stamp_message, transform_stamped
        from tf2_msgs.msg import TFMessage

        stamp = stamp_message(self.now_ns)
        transform = transform_stamped(pose, stamp, parent=parent, child=child)
        publisher.publish(TFMessage(transforms=[transform]))

    def _take(self, message: Any) -> None:
        from posenet_ros.nodes.conversions import pose_from_message, stamp_ns

        self.sent.append(message)
        if self.obedient:
            there = pose_from_message(message.pose.pose, target='map', source='base')
            then = self._driven[stamp_ns(message.header.stamp)]
            self.believed = there @ then.inverse()

    def _update(self, request: Any, response: Any) -> Any:
        self.updates += 1
        return response

    def step(self) -> None:
        """Drive on for a moment, take an image, and wait until it is answered."""
        from rosgraph_msgs.msg import Clock

        self.now_ns += STEP_NS
        if self.moving:
            onward = at(SPEED_M_S * STEP_NS / NS_PER_S, 0.0, 6.0, 'base', 'base')
            self.odom_from_base = self.odom_from_base @ onward
        self._driven[self.now_ns] = self.odom_from_base
        pose = self.map_from_base @ BASE_FROM_CAMERA
        self.eyes.network.pose = pose
        self.eyes.map_pose = pose if self.mapped and self.confirmed else None
        self._tell(self.odom_from_base, 'odom', 'base_link', self._tf)
        if self.believed is not None:
            self._tell(self.believed, 'map', 'odom', self._tf)
        clock = Clock()
        clock.clock.sec, clock.clock.nanosec = divmod(self.now_ns, NS_PER_S)
        self._clock.publish(clock)
        node = self.bench.node
        self.graph.until(lambda: node.get_clock().now().nanoseconds == self.now_ns)
        done = self._answered(node)
        if self.seeing:
            self.bench.send(self.now_ns, grey=200 if self.mapped else 0)
            self.graph.until(lambda: self._answered(node) > done)
        # Some steps of the node, which are many in a moment of ours.
        for _ in range(12):
            self.graph.executor.spin_once(timeout_sec=0.01)

    @staticmethod
    def _answered(node: Any) -> int:
        counts = node._keeper.running.pipeline.counts
        return counts.published + counts.refused

    def drive_until(self, happened: Callable[[], Any], steps: int = 150) -> Any:
        """Drive until something is true, and return it."""
        for _ in range(steps):
            if result := happened():
                return result
            self.step()
        raise AssertionError(f'in {steps} steps it did not happen; {self.states[-1].data}')

    def carried_to(self, map_from_base: Pose) -> None:
        """Put the robot elsewhere; odometry does not notice."""
        self.map_from_odom = map_from_base @ self.odom_from_base.inverse()


@pytest.fixture
def make_robot(
    graph: Any, verifying: Any, make_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Robot]:
    """Return a maker of robots with these parameters of the node."""
    from posenet_ros.nodes import recovering

    monkeypatch.setattr(recovering, '_STEP_S', 0.01)
    monkeypatch.setattr(recovering, '_BROADCAST_S', 0.01)
    return lambda **parameters: Robot(graph, verifying, make_bench, **parameters)


@pytest.fixture
def place() -> Callable[..., Pose]:
    """Return a maker of poses on the floor: x, y, degrees."""
    return at


@pytest.fixture
def near() -> Callable[[Any, Pose, float], bool]:
    """Return what tells whether a pose message is within so many metres of a pose."""

    def tell(message: Any, pose: Pose, metres: float) -> bool:
        position = message.pose.pose.position
        there = np.array([position.x, position.y, position.z])
        return bool(np.linalg.norm(there - pose.translation) <= metres)

    return tell
