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

"""The stand-in for AMCL over DDS: what it takes, refuses, and broadcasts."""

from __future__ import annotations

import math
import time

from geometry_msgs.msg import PoseWithCovarianceStamped
import numpy as np
from posenet_ros.drill.amcl import AmclNode, TOLERANCE_NS
from posenet_ros.drill.mailbox import Mailbox, spinning
from posenet_ros.drill.past import Moment
from posenet_ros.geometry import NS_PER_S
from posenet_ros.nodes.conversions import (
    pose_with_covariance,
    stamp_message,
    stamp_ns,
    transform_parts,
)
from posenet_ros.nodes.transforms import tf_qos
from posenet_ros.recovery.rehearsal.floor import Spot
from posenet_ros.recovery.rehearsal.laser import Taken
import pytest
import rclpy
from std_srvs.srv import Empty

tf2 = pytest.importorskip('tf2_msgs.msg')

CALM = np.diag([0.1, 0.1, 0.1, 0.05, 0.05, 0.05])
TWISTED = CALM.copy()
TWISTED[0, 1] = TWISTED[1, 0] = -0.01


class Always:
    """Chances that are always the same: of nothing being lost, or everything."""

    def __init__(self, chance: float) -> None:
        self.chance = chance

    def random(self, count: int) -> list[float]:
        return [self.chance] * count

    def standard_normal(self, count: int) -> np.ndarray:
        return np.zeros(count)


class Bench:
    """The stand-in, what became of initial poses, and a node that sends them."""

    def __init__(self, past, until, chance: float = 0.5) -> None:
        self.past, self.until = past, until
        self.mailbox, self.initials, self.transforms = Mailbox(), [], []
        self.amcl = AmclNode(self.mailbox, past, Always(chance), self.initials.append)
        self.node = rclpy.create_node('tester')
        self.node.create_subscription(
            tf2.TFMessage, '/tf', lambda said: self.transforms.extend(said.transforms), tf_qos()
        )
        self.sender = self.node.create_publisher(PoseWithCovarianceStamped, 'initialpose', 5)
        self.client = self.node.create_client(Empty, 'request_nomotion_update')

    def open(self) -> None:
        self.mailbox.open_until(time.monotonic())

    def send(self, spot, at_ns=2 * NS_PER_S, *, frame='map', covariance=CALM, length=1.0):
        self.until(lambda: self.sender.get_subscription_count() == 1)
        heard = len(self.initials)
        pose = spot.pose('map', 'base')
        message = pose_with_covariance(pose, covariance, stamp_message(at_ns), frame)
        orientation = message.pose.pose.orientation
        orientation.w, orientation.z = length * orientation.w, length * orientation.z
        self.sender.publish(message)
        self.until(lambda: len(self.initials) > heard, self.open)
        return self.initials[-1]


@pytest.fixture
def make_bench(ros, past, until):
    contexts = []

    def make(chance: float = 0.5) -> Bench:
        bench = Bench(past, until, chance)
        contexts.append(spinning([bench.amcl, bench.node], bench.mailbox))
        contexts[-1].__enter__()
        return bench

    yield make
    for context in contexts:
        context.__exit__(None, None, None)


def test_a_pose_is_taken_for_its_stamp_and_moved_by_odometry_since(make_bench):
    bench = make_bench()
    # A second ago; a metre was driven since.
    taken = bench.send(Spot(3.0, 4.0, math.pi / 2), NS_PER_S)
    assert taken.taken is Taken.TAKEN
    assert bench.amcl.believed == pytest.approx((3.0, 5.0, math.pi / 2))


@pytest.mark.parametrize(
    ('wrong', 'word'),
    [
        ({'frame': 'odom'}, 'frame'),
        ({'length': 1.01}, 'length'),
        ({'covariance': TWISTED}, 'negative'),
        ({'covariance': np.full((6, 6), np.nan)}, 'finite'),
    ],
)
def test_what_amcl_refuses_is_refused_with_the_reason(make_bench, wrong, word):
    bench = make_bench()
    refused = bench.send(Spot(3.0, 4.0, 0.0), **wrong)
    assert word in '; '.join(refused.objections)
    assert refused.taken is None
    assert bench.amcl.believed is None


def test_some_poses_are_lost(make_bench):
    bench = make_bench(chance=0.0)
    assert bench.send(Spot(3.0, 4.0, 0.0)).taken is Taken.LOST
    assert bench.amcl.believed is None


def test_it_tells_nothing_before_it_has_a_pose_and_then_dates_it_ahead(make_bench, past):
    bench = make_bench()
    bench.until(lambda: bench.node.count_publishers('/tf') == 1)
    bench.amcl.step()
    bench.amcl.place()
    past.add(Moment(3 * NS_PER_S, past.now.truth, past.now.odometry))
    bench.amcl.step()
    bench.until(lambda: bench.transforms)
    (told,) = bench.transforms
    assert (told.header.frame_id, told.child_frame_id) == ('map', 'odom')
    assert stamp_ns(told.header.stamp) == 3 * NS_PER_S + TOLERANCE_NS
    assert transform_parts(told.transform)[0] == pytest.approx((-5.0, 2.0, 0.0))


def asked(bench) -> None:
    bench.until(bench.client.service_is_ready)
    before = bench.amcl.updates_asked
    bench.client.call_async(Empty.Request())
    bench.until(lambda: bench.amcl.updates_asked > before, bench.open)


def test_it_refines_when_it_is_asked_to_or_when_the_robot_moves(make_bench, past):
    bench = make_bench()
    bench.send(Spot(2.4, 2.0, 0.0))
    truth, odometry = past.now.truth, past.now.odometry
    bench.amcl.step()
    assert bench.amcl.believed.off(truth)[0] == pytest.approx(0.4), 'it stands'
    asked(bench)
    assert bench.amcl.believed.off(truth)[0] == pytest.approx(0.2)
    step = Spot(0.3, 0.0, 0.0)
    past.add(Moment(past.now.stamp_ns + 20_000_000, truth @ step, odometry @ step))
    bench.amcl.step()
    assert bench.amcl.believed.off(past.now.truth)[0] == pytest.approx(0.1)


def test_carried_away_it_does_not_find_back_by_itself(make_bench, past):
    bench = make_bench()
    bench.send(Spot(2.4, 2.0, 0.0))
    bench.amcl.carried()
    asked(bench)
    assert bench.amcl.believed.off(past.now.truth)[0] == pytest.approx(0.4)
    bench.send(Spot(2.2, 2.0, 0.0))
    asked(bench)
    assert bench.amcl.believed.off(past.now.truth)[0] == pytest.approx(0.1)
