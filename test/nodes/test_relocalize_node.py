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

"""The node over real DDS, with a localizer whose answer is known."""

from __future__ import annotations

from dataclasses import replace
import threading

from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from nav_msgs.msg import Path as PathMessage
import numpy as np
from posenet_ros.geometry import Camera, NS_PER_S
from posenet_ros.nodes.conversions import pose_from_message, stamp_message, stamp_ns
import pytest
import rclpy
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, qos_profile_sensor_data, QoSProfile
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

CAMERA = Camera(32, 24, 30.0, 30.0, 15.5, 11.5)
START_NS = 1_700_000_000 * NS_PER_S


def stamps(messages):
    return [stamp_ns(message.header.stamp) for message in messages]


def test_every_pose_has_the_stamp_of_its_image_and_the_answer(make_bench, truth):
    bench = make_bench().until_active()
    sent = [START_NS + index * 33_333_333 for index in range(5)]
    for stamp in sent:
        bench.answer(stamp)
    bench.graph.until(lambda: len(bench.covariances) == 5)
    assert stamps(bench.poses) == stamps(bench.covariances) == sent
    assert {message.header.frame_id for message in bench.poses} == {'map'}
    pose = pose_from_message(bench.poses[0].pose, target='map', source='camera')
    np.testing.assert_allclose(pose.matrix(), truth.pose.matrix(), atol=1e-12)
    covariance = np.reshape(bench.covariances[0].pose.covariance, (6, 6))
    np.testing.assert_array_equal(covariance, truth.covariance)


def test_the_network_sees_the_pixels_that_were_sent(make_bench):
    bench = make_bench().until_active()
    bench.answer(START_NS, grey=77)
    (seen,) = bench.localizer.seen
    assert seen.shape == (24, 32, 3)
    assert (seen == 77).all()


def test_the_newest_image_wins_and_all_are_accounted_for(make_bench):
    bench = make_bench().until_active()
    bench.localizer.gate = threading.Event()
    for index in range(6):
        bench.send(START_NS + index)
        bench.until_diagnosed(received=str(index + 1))
    bench.localizer.gate.set()
    bench.until_diagnosed(received='6', published='2', dropped='4', refused='0', pending='0')
    assert stamps(bench.poses) == [START_NS, START_NS + 5]


def test_refused_images_are_counted_and_the_reason_told(make_bench):
    bench = make_bench().until_active()
    bench.send(START_NS, grey=0)
    bench.until_diagnosed(refused='1')
    assert bench.values()[2]['last refusal'] == 'the image is black'
    bench.send(START_NS + 1, grey=1)
    bench.until_diagnosed(refused='2', received='2', published='0', pending='0')
    assert bench.poses == []


def test_images_that_are_all_refused_are_an_error_with_the_last_reason(make_bench):
    bench = make_bench(silence_timeout=0.3).until_active()
    message = bench.make_image(START_NS)
    message.encoding = '32FC1'

    def told():
        bench.camera.publish(message)
        return bench.diagnostics and 'none was answered' in bench.values()[1]

    bench.graph.until(told)
    level, text, values = bench.values()
    assert level == DiagnosticStatus.ERROR
    assert '32FC1' in text
    assert values['published'] == '0'


def test_all_is_well_where_images_are_answered_and_the_camera_is_that_of_training(make_bench):
    bench = make_bench(silence_timeout=0.5)
    bench.localizer.card.camera = CAMERA
    bench.until_active()
    publisher = bench.graph.node.create_publisher(CameraInfo, '/camera_info', 1)
    bench.graph.until(lambda: publisher.get_subscription_count() == 1)
    bench.until_problem('no image', 'camera not checked: no CameraInfo on /camera_info')
    info = CameraInfo(width=32, height=24, k=CAMERA.matrix.ravel())

    def well():
        publisher.publish(info)
        bench.send(START_NS)
        return bench.values()[:2] == (DiagnosticStatus.OK, 'active')

    bench.graph.until(well)
    assert bench.poses


def test_a_model_that_knows_no_camera_is_a_warning(make_bench):
    bench = make_bench().until_active()
    level = bench.until_problem('camera not checked: the model knows no camera')
    assert level == DiagnosticStatus.WARN


def test_an_image_that_cannot_be_decoded_is_refused(make_bench):
    bench = make_bench().until_active()
    message = bench.make_image(START_NS)
    message.encoding = '32FC1'
    bench.camera.publish(message)
    bench.until_diagnosed(refused='1')
    assert '32FC1' in bench.values()[2]['last refusal']
    bench.answer(START_NS + 1)


def test_compressed_images_are_taken_where_image_transport_puts_them(make_bench):
    import cv2

    bench = make_bench(image_transport='compressed')
    publisher = bench.graph.node.create_publisher(
        CompressedImage, '/image/compressed', qos_profile_sensor_data
    )
    bench.graph.until(lambda: publisher.get_subscription_count() == 1)
    pixels = np.full((24, 32, 3), (10, 20, 250), dtype=np.uint8)
    message = CompressedImage(format='png', data=cv2.imencode('.png', pixels)[1].tobytes())
    message.header.stamp = stamp_message(START_NS)
    publisher.publish(message)
    bench.graph.until(lambda: bench.poses)
    assert bench.localizer.seen[0][0, 0].tolist() == [250, 20, 10]


@pytest.mark.parametrize(('size', 'seen'), [((128, 96), (32, 24)), ((32, 24), (32, 24))])
def test_the_network_is_shown_a_jpeg_no_larger_than_it_needs_and_the_map_all_of_it(
    make_bench, verifying, size, seen
):
    import cv2

    bench = make_bench(answered_by=verifying, image_transport='compressed')
    searched = []
    verifying.verify = lambda rgb, estimate, *rest, **more: searched.append(rgb) or estimate
    publisher = bench.graph.node.create_publisher(
        CompressedImage, '/image/compressed', qos_profile_sensor_data
    )
    bench.graph.until(lambda: publisher.get_subscription_count() == 1)
    pixels = np.full((size[1], size[0], 3), (10, 20, 250), dtype=np.uint8)
    message = CompressedImage(format='jpeg', data=cv2.imencode('.jpg', pixels)[1].tobytes())
    message.header.stamp = stamp_message(START_NS)
    publisher.publish(message)
    bench.graph.until(lambda: bench.poses and searched)
    assert verifying.network.seen[0].shape == (seen[1], seen[0], 3)
    np.testing.assert_allclose(verifying.network.seen[0][0, 0], [250, 20, 10], atol=4)
    assert searched[0].shape == pixels.shape


def test_how_long_each_stage_took_is_told(make_bench):
    bench = make_bench().until_active()
    bench.answer(START_NS)
    bench.graph.until(
        lambda: 'publish' in bench.values()[2]['latency by stage, median [ms]'],
    )
    told = bench.values()[2]['latency by stage, median [ms]']
    stages = dict(stage.split() for stage in told.split(', '))
    assert list(stages) == ['wait', 'decode', 'prepare', 'publish']
    assert all(float(taken_ms) >= 0 for taken_ms in stages.values())
    # This localizer has no network: all is beyond it.
    beyond = bench.values()[2]['latency beyond the network, median [ms]']
    assert beyond == bench.values()[2]['latency, image received to pose sent, median [ms]']


def test_a_silent_topic_is_told_with_what_is_there_instead(make_bench, graph):
    elsewhere = graph.node.create_publisher(Image, '/front/image_raw', 1)
    bench = make_bench(silence_timeout=0.1)
    graph.node.destroy_publisher(bench.camera)
    level = bench.until_problem('no image on /image', 'nobody publishes it', '/front/image_raw')
    assert level == DiagnosticStatus.ERROR
    graph.node.destroy_publisher(elsewhere)


def test_a_camera_that_is_only_compressed_is_told_with_what_to_set(make_bench, graph):
    bench = make_bench(silence_timeout=0.1)
    graph.node.destroy_publisher(bench.camera)
    graph.node.create_publisher(CompressedImage, '/image/compressed', 1)
    bench.until_problem('only /image/compressed', 'set image_transport to compressed')


def test_silence_ends_with_the_next_image(make_bench):
    bench = make_bench(silence_timeout=1.5).until_active()
    assert bench.until_problem('publisher that sends nothing') == DiagnosticStatus.ERROR
    bench.answer(START_NS)
    bench.graph.until(lambda: 'no image' not in bench.values()[1])


def test_the_wrong_transport_is_told(make_bench, graph):
    bench = make_bench(silence_timeout=0.1)
    graph.node.destroy_publisher(bench.camera)
    # Another participant: one cannot have two types on a topic.
    elsewhere = rclpy.Context()
    rclpy.init(context=elsewhere)
    camera = rclpy.create_node('camera', context=elsewhere)
    camera.create_publisher(CompressedImage, '/image', 1)
    bench.until_problem('sends compressed', 'image_transport is raw')
    camera.destroy_node()
    rclpy.shutdown(context=elsewhere)


@pytest.fixture
def tell_camera(graph):
    """Return a function that sends a CameraInfo until the node has it."""
    publisher = graph.node.create_publisher(CameraInfo, '/camera_info', 1)

    def tell(bench, camera, **fields):
        message = CameraInfo(width=camera.width, height=camera.height, k=camera.matrix.ravel())
        for name, value in fields.items():
            setattr(message, name, value)
        graph.until(lambda: publisher.get_subscription_count() == 1)

        def heard():
            publisher.publish(message)
            return bench.node._camera._newest == message

        graph.until(heard)

    return tell


def test_images_of_another_camera_than_that_of_training_are_refused(
    make_bench, localizer, tell_camera
):
    localizer.card.camera = CAMERA
    bench = make_bench().until_active()
    tell_camera(bench, replace(CAMERA, fx=40.0))
    assert bench.until_problem('fx 40.0 instead of 30.0') == DiagnosticStatus.ERROR
    bench.send(START_NS)
    bench.until_diagnosed(refused='1', published='0')
    assert 'fx 40.0 instead of 30.0' in bench.values()[2]['last refusal']
    assert bench.poses == []
    # The right one is put back.
    tell_camera(bench, CAMERA)
    bench.answer(START_NS + 1)
    bench.graph.until(lambda: 'instead of' not in bench.values()[1])


def test_they_are_answered_where_the_guard_only_warns(make_bench, localizer, tell_camera):
    localizer.card.camera = CAMERA
    bench = make_bench(camera_guard='warn').until_active()
    tell_camera(bench, replace(CAMERA, fx=40.0))
    assert bench.until_problem('fx 40.0 instead of 30.0') == DiagnosticStatus.WARN
    bench.answer(START_NS)
    (result,) = bench.node.set_parameters([Parameter('camera_guard', value='refuse')])
    assert result.successful
    bench.send(START_NS + 1)
    bench.until_diagnosed(refused='1', published='1')


def test_images_that_show_more_are_cut_to_those_of_training(make_bench, localizer, tell_camera):
    localizer.card.camera = CAMERA
    bench = make_bench().until_active()
    tell_camera(bench, Camera(48, 24, 30.0, 30.0, 23.5, 11.5))
    bench.answer(START_NS, size=(48, 24))
    assert [seen.shape for seen in localizer.seen] == [(24, 32, 3)]
    bench.until_diagnosed(
        images='cut to that of training: columns 8 to 40 and rows 0 to 24 of 48x24'
    )
    assert 'not that of training' not in bench.values()[1]


def test_an_image_that_is_not_as_its_camera_info_says_is_refused(
    make_bench, localizer, tell_camera
):
    localizer.card.camera = CAMERA
    bench = make_bench().until_active()
    tell_camera(bench, CAMERA)
    bench.send(START_NS, size=(48, 24))
    bench.until_problem('images are 48x24, and the CameraInfo is of 32x24')
    assert bench.poses == []


def test_a_model_that_cannot_load_is_told_and_tried_again(make_bench, graph):
    bench = make_bench(model='broken')
    level = bench.until_problem('cannot load the model', 'truncated')
    assert level == DiagnosticStatus.ERROR
    assert bench.values()[2]['state'] == 'unconfigured'
    (result,) = bench.node.set_parameters([Parameter('model', value='mended')])
    assert result.successful
    assert bench.change(Transition.TRANSITION_CONFIGURE)
    assert bench.change(Transition.TRANSITION_ACTIVATE)
    bench.until_active().answer(START_NS)


def test_no_model_is_told(make_bench):
    bench = make_bench(model='')
    bench.until_problem('no model given', '--model')


def test_the_life_cycle_step_by_step(make_bench):
    bench = make_bench(autostart=False)
    bench.until_diagnosed(state='unconfigured')
    assert bench.change(Transition.TRANSITION_CONFIGURE)
    bench.until_diagnosed(state='inactive')
    assert bench.camera.get_subscription_count() == 0
    assert bench.change(Transition.TRANSITION_ACTIVATE)
    bench.until_active().answer(START_NS)
    assert bench.change(Transition.TRANSITION_DEACTIVATE)
    bench.graph.until(lambda: bench.camera.get_subscription_count() == 0)
    assert bench.change(Transition.TRANSITION_CLEANUP)
    bench.until_diagnosed(state='unconfigured', device='')
    assert bench.change(Transition.TRANSITION_CONFIGURE)
    assert bench.change(Transition.TRANSITION_ACTIVATE)
    bench.until_active().answer(START_NS + 1)


def test_deactivating_drops_the_image_in_work(make_bench):
    bench = make_bench().until_active()
    bench.localizer.gate = threading.Event()
    bench.send(START_NS)
    bench.until_diagnosed(received='1', pending='1')
    assert bench.change(Transition.TRANSITION_DEACTIVATE)
    bench.localizer.gate.set()
    bench.until_diagnosed(received='1', dropped='1', published='0', pending='0')
    assert bench.poses == []


def test_a_clock_that_jumps_back_clears_what_is_in_work(make_bench, graph):
    bench = make_bench(use_sim_time=True).until_active()
    clock = graph.node.create_publisher(Clock, '/clock', 1)

    def tell(seconds):
        def told():
            clock.publish(Clock(clock=stamp_message(seconds * NS_PER_S)))
            return bench.node.get_clock().now().nanoseconds == seconds * NS_PER_S

        graph.until(told)

    tell(100)
    bench.answer(100 * NS_PER_S)
    bench.localizer.gate = threading.Event()
    bench.send(101 * NS_PER_S)
    bench.until_diagnosed(received='2', pending='1')
    tell(10)
    bench.until_diagnosed(dropped='1', pending='0')
    bench.localizer.gate.set()
    bench.answer(10 * NS_PER_S)
    assert stamps(bench.poses) == [100 * NS_PER_S, 10 * NS_PER_S]


def test_diagnostics_go_on_while_the_simulated_clock_stands_still(make_bench):
    bench = make_bench(use_sim_time=True)
    bench.graph.until(lambda: len(bench.diagnostics) > 2)


def test_the_trail_is_there_for_who_comes_late(make_bench, graph):
    bench = make_bench(trail_length=2).until_active()
    for index in range(3):
        bench.answer(START_NS + index)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    trails = graph.listen(PathMessage, '/posenet/trail', latched)
    graph.until(lambda: trails)
    assert stamps(trails[-1].poses) == [START_NS + 1, START_NS + 2]


def test_a_defect_in_the_localizer_is_handed_over(make_bench):
    bench = make_bench().until_active()
    bench.localizer.locate = lambda rgb: rgb.no_such_thing
    bench.send(START_NS)
    bench.graph.until(lambda: bench.defects)
    assert isinstance(bench.defects.pop(), AttributeError)


def test_the_pose_goes_out_on_tf(make_bench, graph, truth):
    tf2_msgs = pytest.importorskip(
        'tf2_msgs.msg', reason='tf2_msgs is missing: test/tools/build_tf2_msgs.py builds it'
    )
    heard = graph.listen(tf2_msgs.TFMessage, '/tf')
    bench = make_bench(camera_frame='left_estimate').until_active()
    graph.until(lambda: bench.node.count_subscribers('/tf') == 1)
    bench.answer(START_NS)
    graph.until(lambda: heard)
    ((transform,),) = [message.transforms for message in heard]
    assert stamps([transform]) == [START_NS]
    assert (transform.header.frame_id, transform.child_frame_id) == ('map', 'left_estimate')
    assert transform.transform.translation.y == truth.pose.translation[1]
    assert transform.transform.rotation.w == pytest.approx(truth.pose.quaternion().w)


def test_tf2_finds_the_camera_at_the_stamp_of_the_image(make_bench, graph, truth):
    tf2_ros = pytest.importorskip('tf2_ros', reason='tf2_ros is missing; it comes with ROS 2')
    buffer = tf2_ros.Buffer()
    tf2_ros.TransformListener(buffer, graph.node, spin_thread=False)
    bench = make_bench().until_active()
    graph.until(lambda: bench.node.count_subscribers('/tf') == 1)
    bench.answer(START_NS)
    stamp = Time(nanoseconds=START_NS)
    graph.until(lambda: buffer.can_transform('map', 'posenet_camera', stamp))
    found = buffer.lookup_transform('map', 'posenet_camera', stamp).transform
    point = [found.translation.x, found.translation.y, found.translation.z]
    assert point == pytest.approx(truth.pose.translation.tolist())
    assert found.rotation.x == pytest.approx(truth.pose.quaternion().x)


def test_tf_stays_empty_where_it_is_turned_off(make_bench, graph):
    tf2_msgs = pytest.importorskip(
        'tf2_msgs.msg', reason='tf2_msgs is missing: test/tools/build_tf2_msgs.py builds it'
    )
    heard = graph.listen(tf2_msgs.TFMessage, '/tf')
    bench = make_bench(publish_tf='none').until_active()
    for index in range(3):
        bench.answer(START_NS + index)
    assert heard == []
