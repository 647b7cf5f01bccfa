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

"""A recording over DDS again: the same bytes, offered as they were recorded."""

from __future__ import annotations

import signal

from posenet_ros.__main__ import main
from posenet_ros.data.bags import Recording
from posenet_ros.errors import InterfaceError
from posenet_ros.geometry import NS_PER_S
from posenet_ros.nodes.conversions import stamp_ns
from posenet_ros.nodes.player import Player
import pytest
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_types_from_msg, get_typestore, Stores
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import String

START_NS = 1_700_000_000 * NS_PER_S
STEP_NS = 100_000_000
IMAGES = 5
BEST_EFFORT = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=50, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def offer(reliability, durability):
    zero = QosTime(0, 0)
    return Qos(
        QosHistory.KEEP_LAST,
        1,
        reliability,
        durability,
        zero,
        zero,
        QosLiveliness.AUTOMATIC,
        zero,
        False,
    )


@pytest.fixture
def bag(tmp_path, make_image):
    """Five images, best effort; two latched texts; and a message of a type nobody has."""
    types = get_typestore(Stores.ROS2_JAZZY)
    types.register(get_types_from_msg('uint32 a', 'nobody_msgs/msg/Odd'))
    images = offer(QosReliability.BEST_EFFORT, QosDurability.VOLATILE)
    latched = offer(QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL)
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:

        def connect(topic, kind, *profiles):
            return writer.add_connection(
                topic, kind, typestore=types, offered_qos_profiles=profiles
            )

        camera = connect('/camera/image_raw', 'sensor_msgs/msg/Image', images)
        texts = connect('/description', 'std_msgs/msg/String', latched)
        odd = connect('/odd', 'nobody_msgs/msg/Odd')
        for text in ('first', 'second'):
            writer.write(texts, START_NS, serialize_message(String(data=text)))
        writer.write(odd, START_NS, b'\x00\x01\x00\x00\x07\x00\x00\x00')
        for index in range(IMAGES):
            stamp = START_NS + index * STEP_NS
            writer.write(camera, stamp, serialize_message(make_image(stamp, grey=index)))
    return tmp_path / 'bag'


@pytest.fixture
def make_player(graph, bag):
    with Recording(bag) as recording:
        yield lambda topics=recording.topics, clock=False: Player(
            graph.node, recording, topics, clock=clock
        )


def test_the_same_messages_in_the_same_order(graph, make_player, make_image):
    player = make_player()
    heard = graph.listen(Image, '/camera/image_raw', BEST_EFFORT)
    sent = list(player.play(rate=1000))
    assert sent == ['/description'] * 2 + ['/camera/image_raw'] * IMAGES
    assert player.message_count == len(sent)
    graph.until(lambda: len(heard) == IMAGES)
    for index, message in enumerate(heard):
        assert message == make_image(START_NS + index * STEP_NS, grey=index)


def test_a_type_that_is_not_installed_is_left_out_and_named(make_player, refused):
    assert make_player().left_out == {'/odd': 'nobody_msgs/msg/Odd'}
    with refused(InterfaceError, '/odd'):
        make_player(topics=['/odd'])


def test_topics_are_offered_as_they_were_recorded(graph, make_player):
    make_player()
    ((camera,), (texts,)) = (
        graph.node.get_publishers_info_by_topic(topic)
        for topic in ('/camera/image_raw', '/description')
    )
    assert camera.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    assert camera.qos_profile.durability == DurabilityPolicy.VOLATILE
    assert texts.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    assert texts.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL


def test_who_comes_late_hears_all_that_was_latched(graph, make_player):
    player = make_player()
    list(player.play(rate=1000))
    player.finish(1.0)
    heard = graph.listen(String, '/description', LATCHED)
    graph.until(lambda: len(heard) == 2)
    assert [message.data for message in heard] == ['first', 'second']


def test_the_pace_is_the_recordings_times_the_rate(make_player, monkeypatch):
    # A clock of our own, that sleeping moves: nothing here depends on the machine.
    now = {'ns': 0}
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        now['ns'] += round(seconds * NS_PER_S)

    monkeypatch.setattr('posenet_ros.nodes.player.time.monotonic_ns', lambda: now['ns'])
    monkeypatch.setattr('posenet_ros.nodes.player.time.sleep', sleep)
    times = [now['ns'] for topic in make_player().play(rate=2.0) if topic != '/description']
    assert times == pytest.approx([index * STEP_NS / 2 for index in range(IMAGES)], abs=10)
    assert len(slept) == IMAGES - 1


def test_the_clock_runs_through_the_recording_and_never_back(graph, make_player):
    qos = QoSProfile(depth=500, history=HistoryPolicy.KEEP_LAST)
    heard = graph.listen(Clock, '/clock', qos)
    player = make_player(clock=True)
    for _ in player.play(rate=4.0):
        graph.executor.spin_once(timeout_sec=0)
    end = START_NS + (IMAGES - 1) * STEP_NS
    times = graph.until(lambda: heard and stamp_ns(heard[-1].clock) == end and heard)
    times = [stamp_ns(message.clock) for message in times]
    assert times == sorted(times)
    assert times[0] >= START_NS - STEP_NS
    # More often than there are messages.
    assert len(times) > IMAGES + 2


def test_waiting_for_subscribers_that_never_come(make_player, refused):
    with refused(InterfaceError, '/camera/image_raw has 0 of 2 subscribers'):
        make_player().wait_for_subscribers(2, ['/camera/image_raw'], timeout_s=0.1)


def test_the_command_waits_plays_and_tells_what_it_left_out(command, graph, bag):
    replay = command(
        '-m', 'posenet_ros', 'replay', '--bag', str(bag), '--rate', '4', '--wait-for-subscribers',
        '1', '--ros-args', '-r', '/camera/image_raw:=/image',
    )  # fmt: skip
    replay.until_says('left out /odd: nobody_msgs/msg/Odd is not installed')
    heard = graph.listen(Image, '/image', BEST_EFFORT)
    graph.until(lambda: replay.process.poll() is not None)
    assert replay.process.returncode == 0
    assert f'replayed {IMAGES + 2} messages of 2 topics' in replay.output
    # Best effort: on a busy machine one may get lost, but what comes is the recording's.
    graph.until(lambda: heard)
    stamps = [stamp_ns(message.header.stamp) for message in heard]
    assert set(stamps) <= {START_NS + index * STEP_NS for index in range(IMAGES)}
    assert stamps == sorted(stamps)


def test_of_the_named_topics_the_images_are_waited_for(command, graph, bag):
    graph.listen(Image, '/camera/image_raw', BEST_EFFORT)
    replay = command(
        *('-m', 'posenet_ros', 'replay', '--bag', str(bag), '--rate', '1000'),
        *('--topics', '/camera/image_raw', '/description', '--wait-for-subscribers', '1'),
    )
    # Nobody subscribes to the other topic.
    graph.until(lambda: replay.process.poll() is not None)
    assert replay.process.returncode == 0
    assert 'waiting for 1 subscribers of /camera/image_raw\n' in replay.output


def test_every_topic_is_waited_for_where_none_has_images(command, graph, bag):
    replay = command(
        *('-m', 'posenet_ros', 'replay', '--bag', str(bag), '--rate', '1000'),
        *('--topics', '/description', '--wait-for-subscribers', '1'),
        *('--ros-args', '-r', '/description:=/text'),
    )
    replay.until_says('waiting for 1 subscribers of /text\n')
    graph.listen(String, '/text', LATCHED)
    graph.until(lambda: replay.process.poll() is not None)
    assert replay.process.returncode == 0


def test_ctrl_c_ends_a_loop_with_130(command, graph, bag):
    heard = graph.listen(Image, '/camera/image_raw', BEST_EFFORT)
    replay = command('-m', 'posenet_ros', 'replay', '--bag', str(bag), '--rate', '8', '--loop')
    graph.until(lambda: len(heard) > IMAGES)
    assert replay.stop(signal.SIGINT) == 130
    assert 'Traceback' not in replay.output


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--bag', 'nowhere'], 'nowhere'),
        (['--rate', '0'], '--rate 0.0'),
        (['--topics', '/imgae'], 'no topic /imgae; its topics: /camera/image_raw'),
    ],
)
def test_what_a_user_can_get_wrong_is_one_line(bag, capsys, arguments, words):
    assert main(['replay', '--bag', str(bag), *arguments]) == 2
    said = capsys.readouterr().err.strip()
    assert '\n' not in said
    assert words in said
