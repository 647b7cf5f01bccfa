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

from contextlib import nullcontext
import json
from queue import SimpleQueue
import struct

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, Quaternion
import numpy as np
from posenet_ros.__main__ import main
from posenet_ros.errors import InterfaceError
from posenet_ros.geometry import NS_PER_S, read_tum
from posenet_ros.nodes import record as record_command
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
        graph.until(lambda index=index: len(recorder.log) == index + 1)
    # A pose whose image was never seen is kept, and not timed.
    poses.publish(pose_stamped(truth.pose, stamp_message(START_NS + 9), 'map'))
    graph.until(lambda: len(recorder.log) == 4)
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


@pytest.fixture
def send(graph, truth):
    """Publish a pose in a frame at a stamp, or what is none."""
    publisher = graph.node.create_publisher(PoseStamped, '/posenet/pose', 100)

    def send(stamp_ns, frame='map', orientation=None):
        message = pose_stamped(truth.pose, stamp_message(stamp_ns), frame)
        if orientation is not None:
            message.pose.orientation = Quaternion(**orientation)
        publisher.publish(message)

    send.publisher = publisher
    return send


ZERO = {'w': 0.0, 'x': 0.0, 'y': 0.0, 'z': 0.0}
NAN = {'w': float('nan')}


def test_what_is_no_pose_is_left_out_and_counted(graph, make_recorder, send):
    recorder = make_recorder()
    graph.until(lambda: send.publisher.get_subscription_count() == 1)
    for index, orientation in enumerate([None, ZERO, None, NAN, None]):
        send(START_NS + index, orientation=orientation)
    graph.until(lambda: len(recorder.log) == 3)
    assert recorder.trajectory().stamps_ns.tolist() == [START_NS + index for index in (0, 2, 4)]
    assert recorder.log.left_out() == {'no pose': 2}


def test_of_several_frames_the_most_frequent_is_kept(graph, make_recorder, send):
    recorder = make_recorder()
    graph.until(lambda: send.publisher.get_subscription_count() == 1)
    for index, frame in enumerate(['old', 'map', 'map', '', 'odom']):
        send(START_NS + index, frame)
    graph.until(lambda: sum(recorder.log.left_out().values()) == 2)
    # An empty name means map.
    assert recorder.trajectory().stamps_ns.tolist() == [START_NS + index for index in (1, 2, 3)]
    assert recorder.trajectory().target == 'map'
    assert recorder.log.left_out() == {'in frame old': 1, 'in frame odom': 1}


def test_repeated_stamps_are_one_row_and_counted(graph, make_recorder, send):
    recorder = make_recorder()
    graph.until(lambda: send.publisher.get_subscription_count() == 1)
    for index in range(6):
        send(START_NS + index % 4)
    graph.until(lambda: sum(recorder.log.left_out().values()) == 2)
    assert len(recorder.trajectory()) == 4
    assert recorder.statistics()['poses'] == 4
    assert recorder.log.left_out() == {'with the stamp of a later one': 2}


def test_messages_without_one_pose_are_told_in_the_error(graph, make_recorder, send, refused):
    recorder = make_recorder()
    graph.until(lambda: send.publisher.get_subscription_count() == 1)
    send(START_NS, orientation=ZERO)
    graph.until(lambda: recorder.log.left_out() == {'no pose': 1})
    with refused(InterfaceError, 'none of 1 messages on /posenet/pose holds a pose'):
        recorder.trajectory()
    json.dumps(recorder.statistics())


def test_the_command_makes_the_folders_and_writes_what_there_is(command, graph, send, tmp_path):
    record = command(
        *('-m', 'posenet_ros', 'record', '--output', 'new/deep/out.tum'),
        *('--json', 'other/out.json'),
    )
    graph.until(lambda: send.publisher.get_subscription_count() == 1)
    stamps = iter(range(START_NS, START_NS + 10_000))

    def recording():
        send(next(stamps))
        return 'the first pose is here' in record.output

    graph.until(recording)
    for frame, orientation in (('map', ZERO), ('elsewhere', None)):
        send(next(stamps), frame, orientation)
    record.until_says('a pose in frame elsewhere')
    assert record.stop() == 0
    rows = len(read_tum(tmp_path / 'new' / 'deep' / 'out.tum'))
    figures = json.loads((tmp_path / 'other' / 'out.json').read_text())
    assert figures['poses'] == rows > 0
    assert figures['left_out'] == {'no pose': 1, 'in frame elsewhere': 1}
    last = record.output.splitlines()[-1]
    assert last.startswith(f'new/deep/out.tum: {rows} poses in ')
    assert last.endswith('left out: 1 no pose, 1 in frame elsewhere')


def test_a_defect_loses_no_pose(graph, make_recorder, send, tmp_path, monkeypatch, capsys):
    recorder = make_recorder()
    graph.until(lambda: send.publisher.get_subscription_count() == 1)
    send(START_NS)
    graph.until(lambda: len(recorder.log) == 1)

    def run_node(make, ros_arguments, stops):
        make(stops.put)
        raise ZeroDivisionError('a defect in a callback')

    monkeypatch.setattr(record_command, '_make_recorder', lambda args, stop: recorder)
    monkeypatch.setattr(record_command, 'run_node', run_node)
    monkeypatch.setattr(record_command, 'stops_on_signals', lambda: nullcontext(SimpleQueue()))
    with pytest.raises(ZeroDivisionError):
        main(['record', '--output', str(tmp_path / 'out.tum')])
    assert len(read_tum(tmp_path / 'out.tum')) == 1


@pytest.mark.parametrize(
    ('option', 'place', 'words'),
    [
        ('--output', 'folder', 'is a folder'),
        ('--output', 'file/out.tum', 'cannot write'),
        ('--json', '/proc/nowhere/out.json', 'cannot write'),
    ],
)
def test_what_cannot_be_written_is_told_before_the_start(
    tmp_path, monkeypatch, capsys, option, place, words
):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'file').write_text('')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(record_command, 'run_node', lambda *_: pytest.fail('it has started'))
    assert main(['record', option, place]) == 2
    said = capsys.readouterr().err.strip()
    assert '\n' not in said
    assert words in said
    assert place in said


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


@pytest.mark.parametrize('option', ['--topic', '--image'])
def test_a_name_that_is_none_is_one_line_and_code_2(option, command, tmp_path):
    output = str(tmp_path / 'out.tum')
    record = command('-m', 'posenet_ros', 'record', '--output', output, option, '/bad topic')
    record.until_says('bad topic')
    assert record.stop() == 2
    assert 'Traceback' not in record.output
