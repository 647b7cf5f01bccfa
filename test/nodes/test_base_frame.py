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

"""Poses of the robot in place of its camera's: the arithmetic, and the node over real DDS."""

from __future__ import annotations

import importlib.util
import time

from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Path as PathMessage
import numpy as np
from posenet_ros.errors import TransformError
from posenet_ros.geometry import covariance_at_lever, NS_PER_S, Pose
from posenet_ros.localization.estimate import PoseEstimate
from posenet_ros.nodes.body import Body
from posenet_ros.nodes.conversions import pose_from_message, stamp_message, transform_stamped
from posenet_ros.nodes.transforms import static_tf_qos
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header

START_NS = 1_700_000_000 * NS_PER_S
# A camera 0.2 m ahead of the base and 0.5 m above it, that looks to the front: z of an optical
# frame is the base's x, its x the base's -y.
FORWARD = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
BASE_FROM_CAMERA = Pose(FORWARD, [0.2, 0, 0.5], 'base_link', 'camera_optical')


class Table:
    """Transforms that hold at one stamp."""

    def __init__(self, *poses):
        self.poses = {(pose.target, pose.source): pose for pose in poses}

    def look_up(self, target, source, at_ns=None):
        assert at_ns == START_NS
        if (target, source) not in self.poses:
            raise TransformError(f'no transform {target} <- {source}: nobody broadcasts {source}')
        return self.poses[target, source]


def header(frame='camera_optical'):
    return Header(stamp=stamp_message(START_NS), frame_id=frame)


@pytest.fixture
def ahead():
    """Return where a robot's camera is that stands at (3, 4), turned to the map's y."""
    map_from_base = Pose(Rotation.from_euler('z', 90, degrees=True), [3, 4, 0], 'map', 'base_link')
    camera = (map_from_base @ BASE_FROM_CAMERA).renamed(source='camera')
    covariance = np.diag([0.01, 0.01, 0.01, 1e-6, 1e-6, 0.04])
    return PoseEstimate(camera, covariance, 'test')


def test_without_a_frame_the_body_is_the_camera(ahead):
    placed = Body(Table()).place(ahead, header(''))
    assert placed.map_from_body is ahead.map_from_camera
    assert placed.covariance is ahead.covariance


def test_the_base_is_where_it_is(ahead):
    body = Body(Table(BASE_FROM_CAMERA))
    body.frame = 'base_link'
    placed = body.place(ahead, header('/camera_optical'))
    np.testing.assert_allclose(placed.map_from_body.translation, [3, 4, 0], atol=1e-12)
    turn = placed.map_from_body.rotation.as_euler('xyz', degrees=True)
    np.testing.assert_allclose(turn, [0, 0, 90], atol=1e-9)
    assert (placed.map_from_body.target, placed.map_from_body.source) == ('map', 'body')


def test_an_unsure_turn_moves_the_base_aside_in_the_axes_of_the_map(ahead):
    body = Body(Table(BASE_FROM_CAMERA))
    body.frame = 'base_link'
    covariance = body.place(ahead, header()).covariance
    # The base is 0.2 m behind a camera that looks along the map's y: 0.2 rad move it along x.
    assert covariance[0, 0] == pytest.approx(0.01 + 0.04 * 0.2**2 + 1e-6 * 0.5**2)
    assert covariance[1, 1] == pytest.approx(0.01 + 1e-6 * 0.5**2)
    assert covariance[0, 5] == pytest.approx(0.04 * 0.2)
    np.testing.assert_allclose(covariance[3:, 3:], np.diag([1e-6, 1e-6, 0.04]))


@pytest.mark.parametrize(
    ('frame', 'words'),
    [('other', ('base_link <- other',)), ('', ('base_link', 'header.frame_id'))],
)
def test_what_is_missing_is_named_and_counted(ahead, refused, frame, words):
    body = Body(Table(BASE_FROM_CAMERA))
    body.frame = 'base_link'
    with refused(TransformError, *words):
        body.place(ahead, header(frame))
    now_ns = time.monotonic_ns()
    assert body.unplaced == 1
    assert body.missing(now_ns, patience_ns=3600 * NS_PER_S) == ''
    told = body.missing(now_ns + 1, patience_ns=0)
    assert told.startswith('no pose of base_link is published: no transform base_link <-')
    body.place(ahead, header())
    assert body.missing(now_ns + NS_PER_S, patience_ns=0) == ''
    assert body.unplaced == 1


def test_a_camera_that_looks_up_may_have_named_the_wrong_frame(ahead):
    upright = Pose(Rotation.identity(), [0.2, 0, 0.5], 'base_link', 'camera_link')
    body = Body(Table(BASE_FROM_CAMERA, upright))
    body.frame = 'base_link'
    body.place(ahead, header())
    assert body.doubt() == ''
    body.place(ahead, header('camera_link'))
    assert 'base_link <- camera_link' in body.doubt()
    assert 'optical' in body.doubt()


needs_tf = pytest.mark.skipif(
    importlib.util.find_spec('tf2_msgs') is None,
    reason='tf2_msgs is missing: test/tools/build_tf2_msgs.py builds it',
)


@pytest.fixture
def tell_static(graph):
    """Return a function that broadcasts a transform on /tf_static."""
    from tf2_msgs.msg import TFMessage

    publisher = graph.node.create_publisher(TFMessage, '/tf_static', static_tf_qos())

    def tell(pose):
        stamp = stamp_message(START_NS - NS_PER_S)
        transform = transform_stamped(pose, stamp, parent=pose.target, child=pose.source)
        publisher.publish(TFMessage(transforms=[transform]))

    return tell


@needs_tf
def test_all_poses_and_the_trail_are_of_the_base_and_tf_of_the_camera(
    make_bench, graph, verifying, truth, tell_static
):
    from tf2_msgs.msg import TFMessage

    tell_static(BASE_FROM_CAMERA)
    transforms = graph.listen(TFMessage, '/tf')
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    trails = graph.listen(PathMessage, '/posenet/trail', latched)
    bench = make_bench(answered_by=verifying, base_frame='base_link').until_active()
    graph.until(lambda: bench.node.count_subscribers('/tf') == 2)

    def placed():
        bench.send(START_NS)
        return bench.covariances and bench.verified_covariances and transforms and trails

    graph.until(placed)
    for messages, with_covariance, camera, covariance in (
        (bench.poses, bench.covariances, truth.pose, truth.covariance),
        (bench.verified, bench.verified_covariances, truth.verified, truth.verified_covariance),
    ):
        base = camera @ BASE_FROM_CAMERA.inverse().renamed(target='camera')
        told = pose_from_message(messages[0].pose, target='map', source='base_link')
        np.testing.assert_allclose(told.matrix(), base.matrix(), atol=1e-12)
        assert with_covariance[0].pose.pose == messages[0].pose
        np.testing.assert_allclose(
            np.reshape(with_covariance[0].pose.covariance, (6, 6)),
            covariance_at_lever(covariance, base.translation - camera.translation),
        )
    assert trails[-1].poses[0].pose == bench.poses[0].pose
    (transform,) = transforms[-1].transforms
    assert transform.child_frame_id == 'posenet_camera'
    assert transform.transform.translation.x == truth.pose.translation[0]
    bench.until_diagnosed(**{'poses of': 'base_link'})


@needs_tf
def test_until_the_transform_is_known_nothing_of_the_base_goes_out(
    make_bench, graph, verifying, tell_static, monkeypatch
):
    from tf2_msgs.msg import TFMessage

    monkeypatch.setattr(Body.missing, '__defaults__', (0,))
    transforms = graph.listen(TFMessage, '/tf')
    bench = make_bench(answered_by=verifying, base_frame='base_link').until_active()
    graph.until(lambda: bench.node.count_subscribers('/tf') == 2)
    bench.send(START_NS)
    level = bench.until_problem('no transform base_link <- camera_optical', 'nobody broadcasts')
    assert level == DiagnosticStatus.ERROR
    bench.until_diagnosed(**{'not sent, transform missing': '2', 'published': '1'})
    assert bench.values()[2]['published [Hz]'] == '0.0'
    assert bench.poses == bench.covariances == bench.verified == []
    # Where the camera is, is known all the same.
    graph.until(lambda: transforms)
    tell_static(BASE_FROM_CAMERA)

    def answered():
        bench.send(START_NS + 1)
        return bench.poses and bench.verified

    graph.until(answered)
    graph.until(lambda: 'no transform' not in bench.values()[1])


@needs_tf
def test_two_that_broadcast_the_camera_are_told(make_bench, graph, tell_static):
    tell_static(BASE_FROM_CAMERA)
    bench = make_bench(base_frame='base_link').until_active()
    # Another node with the same camera_frame, under another map.
    other = Pose.identity('other_map', 'posenet_camera')
    from tf2_msgs.msg import TFMessage

    publisher = graph.node.create_publisher(TFMessage, '/tf', 10)
    sent = iter(range(1_000_000))

    def told():
        stamp_ns = START_NS + next(sent)
        stamp = stamp_message(stamp_ns)
        transform = transform_stamped(other, stamp, parent=other.target, child=other.source)
        publisher.publish(TFMessage(transforms=[transform]))
        bench.send(stamp_ns)
        return bench.diagnostics and 'posenet_camera has two parents' in bench.values()[1]

    graph.until(told)
    assert bench.values()[0] == DiagnosticStatus.WARN


def test_without_a_base_frame_tf_is_left_alone(make_bench, graph):
    bench = make_bench(publish_tf='none').until_active()
    bench.answer(START_NS)
    assert bench.node.count_subscribers('/tf_static') == 0
