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

"""The node with a map over real DDS: which poses are verified, and when none is."""

from __future__ import annotations

from dataclasses import replace
import threading
import time

from lifecycle_msgs.msg import Transition
import numpy as np
from posenet_ros.geometry import Camera, NS_PER_S
from posenet_ros.nodes.conversions import pose_from_message, stamp_message
import pytest
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo

CAMERA = Camera(32, 24, 30.0, 30.0, 15.5, 11.5)
START_NS = 1_700_000_000 * NS_PER_S


def counted(**counts):
    """Return what diagnostics say where these became of images at the map."""
    return {f'verification, {name.replace("_", " ")}': str(n) for name, n in counts.items()}


@pytest.fixture
def bench(make_bench, verifying):
    bench = make_bench(answered_by=verifying).until_active()
    yield bench
    # No thread is left waiting for what a test has not opened.
    if verifying.map_gate is not None:
        verifying.map_gate.set()


def test_each_kind_of_pose_has_its_own_topics_and_the_stamp_of_its_image(bench, truth):
    sent = [START_NS + index * 66_666_667 for index in range(4)]
    for stamp in sent:
        bench.answer(stamp)
        bench.graph.until(lambda stamp=stamp: stamp in bench.stamps(bench.verified))
    bench.graph.until(lambda: len(bench.covariances) == len(bench.verified_covariances) == 4)
    for messages in (bench.poses, bench.covariances, bench.verified, bench.verified_covariances):
        assert bench.stamps(messages) == sent
        assert {message.header.frame_id for message in messages} == {'map'}
    for messages, pose in ((bench.poses, truth.pose), (bench.verified, truth.verified)):
        told = pose_from_message(messages[0].pose, target='map', source='camera')
        np.testing.assert_allclose(told.matrix(), pose.matrix(), atol=1e-12)
    covariance = np.reshape(bench.verified_covariances[0].pose.covariance, (6, 6))
    np.testing.assert_array_equal(covariance, truth.verified_covariance)
    covariance = np.reshape(bench.covariances[0].pose.covariance, (6, 6))
    np.testing.assert_array_equal(covariance, truth.covariance)


def test_answers_go_out_while_the_map_is_busy_and_the_newest_of_them_is_next(bench, verifying):
    verifying.map_gate = threading.Event()
    bench.answer(START_NS)
    # The map's thread comes second to all others: it has the first image before there is a next.
    bench.graph.until(lambda: verifying.asked)
    for index in range(1, 5):
        bench.answer(START_NS + index)
    bench.until_diagnosed(**counted(received=5, dropped=3, pending=2, verified=0))
    assert bench.verified == []
    verifying.map_gate.set()
    bench.until_diagnosed(**counted(received=5, dropped=3, pending=0, verified=2, not_verified=0))
    bench.graph.until(lambda: len(bench.verified) == 2)
    assert bench.stamps(bench.verified) == [START_NS, START_NS + 4]
    assert bench.stamps(bench.poses) == [START_NS + index for index in range(5)]


def test_what_the_map_does_not_confirm_is_counted_and_told(bench):
    bench.answer(START_NS)
    bench.until_diagnosed(**counted(verified=1))
    bench.answer(START_NS + 1, grey=9)
    bench.until_diagnosed(**counted(received=2, verified=1, not_verified=1, pending=0))
    values = bench.values()[2]
    assert values['verification, last reason why not'] == 'not verified: no points'
    assert values['verification, verified of those looked for [%]'] == '50'
    assert values['refused'] == '0'
    assert bench.stamps(bench.verified) == [START_NS]


def test_an_image_that_the_network_refused_can_be_verified(bench, verifying, truth):
    bench.send(START_NS, grey=0)
    bench.graph.until(lambda: bench.verified)
    assert bench.stamps(bench.verified) == [START_NS]
    assert bench.poses == []
    assert verifying.asked == [(0, False, 0.0, truth.pose, None)]
    bench.until_diagnosed(refused='1', published='0', **counted(verified=1))


def test_images_that_are_verified_are_not_said_to_be_unanswered(make_bench, verifying):
    bench = make_bench(answered_by=verifying, silence_timeout=0.5).until_active()
    end = time.monotonic() + 0.7
    for index in range(10_000):
        bench.send(START_NS + index, grey=0)
        # One after the other: the map's thread comes second to who floods the node.
        bench.graph.until(lambda index=index: len(bench.verified) > index)
        if time.monotonic() > end:
            break
    assert not any('none was answered' in each.status[0].message for each in bench.diagnostics)


def test_an_image_that_was_not_decoded_is_not_looked_for(bench, verifying):
    bench.send(START_NS, grey=1)
    bench.until_diagnosed(refused='1', **counted(received=0))
    assert verifying.asked == []


def test_the_map_is_told_what_the_network_saw(bench, verifying, truth):
    bench.answer(START_NS, grey=77)
    bench.graph.until(lambda: bench.verified)
    assert verifying.asked == [(77, True, 77.0, truth.pose, None)]
    # No CameraInfo came.
    assert verifying.any_focal


@pytest.mark.parametrize(
    'transition', [Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVE_SHUTDOWN]
)
def test_leaving_the_active_state_drops_the_image_at_the_map(bench, verifying, transition):
    verifying.map_gate = threading.Event()
    bench.answer(START_NS)
    bench.until_diagnosed(**counted(received=1, pending=1))
    threading.Timer(0.2, verifying.map_gate.set).start()
    assert bench.change(transition)
    bench.graph.until(lambda: verifying.map_gate.is_set())
    if transition == Transition.TRANSITION_DEACTIVATE:
        bench.until_diagnosed(**counted(received=1, dropped=1, verified=0, pending=0))
    assert bench.verified == []


def test_after_cleanup_the_node_begins_anew(bench, verifying):
    verifying.map_gate = threading.Event()
    bench.answer(START_NS)
    bench.until_diagnosed(**counted(received=1, pending=1))
    assert bench.change(Transition.TRANSITION_DEACTIVATE)
    verifying.map_gate.set()
    assert bench.change(Transition.TRANSITION_CLEANUP)
    bench.until_diagnosed(state='unconfigured', verification='')
    assert bench.change(Transition.TRANSITION_CONFIGURE)
    assert bench.change(Transition.TRANSITION_ACTIVATE)
    bench.until_active().answer(START_NS + 1)
    bench.graph.until(lambda: bench.verified)
    assert bench.stamps(bench.verified) == [START_NS + 1]


def test_a_map_that_does_not_let_go_is_left_behind_and_told(bench, verifying, monkeypatch):
    monkeypatch.setattr('posenet_ros.nodes.model_keeper._WORKERS_PATIENCE_S', 0.05)
    verifying.map_gate = threading.Event()
    bench.answer(START_NS)
    bench.until_diagnosed(**counted(received=1, pending=1))
    assert not bench.node.close()


def test_a_clock_that_jumps_back_drops_the_image_at_the_map(make_bench, graph, verifying):
    bench = make_bench(answered_by=verifying, use_sim_time=True).until_active()
    clock = graph.node.create_publisher(Clock, '/clock', 1)

    def tell(seconds):
        def told():
            clock.publish(Clock(clock=stamp_message(seconds * NS_PER_S)))
            return bench.node.get_clock().now().nanoseconds == seconds * NS_PER_S

        graph.until(told)

    tell(100)
    verifying.map_gate = threading.Event()
    bench.answer(100 * NS_PER_S)
    bench.until_diagnosed(**counted(received=1, pending=1))
    tell(10)
    bench.until_diagnosed(**counted(dropped=1, pending=0))
    verifying.map_gate.set()
    bench.answer(10 * NS_PER_S)
    graph.until(lambda: bench.verified)
    assert bench.stamps(bench.verified) == [10 * NS_PER_S]


def test_off_leaves_the_node_as_it_was(make_bench, verifying):
    bench = make_bench(answered_by=verifying, refine='off', method='retrieval').until_active()
    bench.answer(START_NS)
    assert (bench.refine, bench.method) == ('off', 'retrieval')
    bench.until_diagnosed(verification='none: refine is off', **counted(received=0))
    assert bench.verified == []
    assert verifying.asked == []


def test_a_model_without_a_map_is_told_and_answered_as_before(make_bench):
    bench = make_bench().until_active()
    bench.answer(START_NS)
    assert (bench.refine, bench.method) == ('auto', 'auto')
    bench.until_diagnosed(verification='none: the model has no landmarks', published='1')
    assert bench.verified == []


def test_a_defect_at_the_map_is_handed_over(bench, verifying):
    verifying.verify = lambda *_, **__: 1 / 0
    bench.send(START_NS)
    bench.graph.until(lambda: bench.defects)
    assert isinstance(bench.defects.pop(), ZeroDivisionError)


@pytest.mark.parametrize(('fx', 'other'), [(30.0, False), (40.0, True)])
def test_another_camera_than_that_of_training_is_measured_by(
    make_bench, verifying, graph, fx, other
):
    verifying.card.camera = CAMERA
    bench = make_bench(answered_by=verifying).until_active()
    seen = replace(CAMERA, fx=fx)
    publisher = graph.node.create_publisher(CameraInfo, '/camera_info', 1)
    graph.until(lambda: publisher.get_subscription_count() == 1)

    def compared():
        publisher.publish(CameraInfo(width=32, height=24, k=seen.matrix.ravel()))
        return bench.node._camera._newest is not None

    graph.until(compared)
    bench.send(START_NS)
    graph.until(lambda: bench.verified)
    assert verifying.asked[-1][-1] == (seen if other else None)
    assert not verifying.any_focal
    # The network has no answer to its images, and the map is measured by them all the same.
    assert verifying.asked[-1][1] is not other
    assert bool(bench.poses) is not other


def test_the_trail_and_tf_are_of_the_network_alone(make_bench, graph, verifying, truth):
    tf2_msgs = pytest.importorskip(
        'tf2_msgs.msg', reason='tf2_msgs is missing: test/tools/build_tf2_msgs.py builds it'
    )
    heard = graph.listen(tf2_msgs.TFMessage, '/tf')
    bench = make_bench(answered_by=verifying).until_active()
    graph.until(lambda: bench.node.count_subscribers('/tf') == 1)
    for stamp in (START_NS, START_NS + 1):
        bench.answer(stamp)
        graph.until(lambda stamp=stamp: stamp in bench.stamps(bench.verified))
    graph.until(lambda: len(heard) == 2)
    found = [message.transforms[0].transform.translation.x for message in heard]
    assert found == [truth.pose.translation[0]] * 2
