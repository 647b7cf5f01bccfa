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

"""A pose topic written to a TUM file, with the time from image to pose."""

from __future__ import annotations

import json
import struct

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
import numpy as np
from posenet_ros.errors import InterfaceError
from posenet_ros.geometry import NS_PER_S, read_tum
from posenet_ros.nodes.conversions import pose_stamped, stamp_message
from posenet_ros.nodes.recorder import PoseRecorder, stamp_of_cdr
import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

START_NS = 1_700_000_000 * NS_PER_S


@pytest.fixture
def make_recorder(graph):
    def make(**options):
        defaults = {'image_topic': None, 'until_silent_s': None, 'stop': lambda reason: None}
        return graph.add(PoseRecorder('/posenet/pose', **{**defaults, **options}))

    return make


def test_the_stamp_is_read_from_the_bytes(make_image):
    stamp = 1_700_000_000_123_456_789
    assert stamp_of_cdr(serialize_message(make_image(stamp))) == stamp
    compressed = CompressedImage(format='jpeg')
    compressed.header.stamp = stamp_message(stamp)
    assert stamp_of_cdr(serialize_message(compressed)) == stamp
    assert stamp_of_cdr(b'\x00\x00\x00\x00' + struct.pack('>iI', 5, 7)) == 5 * NS_PER_S + 7


def test_poses_and_latency(graph, make_recorder, make_image, truth):
    recorder = make_recorder(image_topic='/image')
    images = graph.node.create_publisher(Image, '/image', 10)
    poses = graph.node.create_publisher(PoseStamped, '/posenet/pose', 10)
    for index in range(3):
        stamp = START_NS + index
        images.publish(make_image(stamp))
        graph.until(lambda stamp=stamp: stamp in recorder._images_ns)
        poses.publish(pose_stamped(truth.pose, stamp_message(stamp), 'map'))
        graph.until(lambda index=index: len(recorder._poses) == index + 1)
    # A pose whose image was never seen is kept, and not timed.
    poses.publish(pose_stamped(truth.pose, stamp_message(START_NS + 9), 'map'))
    graph.until(lambda: len(recorder._poses) == 4)
    trajectory = recorder.trajectory()
    assert trajectory.stamps_ns.tolist() == [START_NS + index for index in (0, 1, 2, 9)]
    np.testing.assert_allclose(trajectory[3].matrix(), truth.pose.matrix(), atol=1e-12)
    figures = recorder.statistics()
    assert figures['poses'] == 4
    assert figures['latency_ms']['poses'] == 3
    assert 0 < figures['latency_ms']['p50'] <= figures['latency_ms']['max']
    json.dumps(figures)


def test_silence_ends_a_recording_but_not_before_the_first_pose(graph, make_recorder, truth):
    stopped = []
    recorder = make_recorder(until_silent_s=0.1, stop=stopped.append)
    heard = graph.node.create_publisher(PoseStamped, '/posenet/pose', 10)
    for _ in range(20):
        graph.executor.spin_once(timeout_sec=0.02)
    assert stopped == []
    heard.publish(pose_stamped(truth.pose, Time(), 'map'))
    graph.until(lambda: stopped)
    assert stopped[0] is None
    assert len(recorder.trajectory()) == 1


def test_no_pose_at_all_is_an_error(make_recorder, refused):
    recorder = make_recorder()
    with refused(InterfaceError, 'no pose came on /posenet/pose'):
        recorder.trajectory()


def test_the_command_writes_on_ctrl_c_and_ends_with_zero(command, graph, truth, tmp_path):
    record = command('-m', 'posenet_ros', 'record', '--output', 'out.tum', '--json', 'out.json')
    poses = graph.node.create_publisher(PoseStamped, '/posenet/pose', 10)
    graph.until(lambda: poses.get_subscription_count() == 1)
    sent = []

    def recording():
        sent.append(START_NS + len(sent))
        poses.publish(pose_stamped(truth.pose, stamp_message(sent[-1]), 'map'))
        return 'the first pose is here' in record.output

    graph.until(recording)
    assert record.stop() == 0
    written = read_tum(tmp_path / 'out.tum')
    # The first may go out before the two know each other, the last after the signal.
    assert set(written.stamps_ns.tolist()) <= set(sent)
    np.testing.assert_allclose(written[0].matrix(), truth.pose.matrix(), atol=1e-8)
    figures = json.loads((tmp_path / 'out.json').read_text())
    assert figures['poses'] == len(written)
    assert figures['latency_ms'] is None


def test_the_command_without_poses_is_one_line_and_code_2(command):
    record = command('-m', 'posenet_ros', 'record', '--topic', '/nobody/pose')
    record.until_says('waiting for poses on /nobody/pose')
    assert record.stop() == 2
    assert 'no pose came on /nobody/pose' in record.output
    assert 'Traceback' not in record.output
