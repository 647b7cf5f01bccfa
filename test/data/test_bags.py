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

"""Recordings of every format give the same images, cameras and messages."""

import shutil

import numpy as np
from posenet_ros.data.bags import Qos, Recording
from posenet_ros.errors import BagError
import pytest
from rosbags import rosbag1
from rosbags.interfaces import QosHistory
from rosbags.typesys import get_typestore, Stores

TYPES = get_typestore(Stores.ROS2_JAZZY)
FORMATS = [
    'mcap',
    'mcap file',
    'mcap storage',
    'mcap message',
    'mcap alone',
    'sqlite3',
    'sqlite3 file',
    'sqlite3 message',
    'sqlite3 alone',
    'ros1',
    'ros1 bz2',
    'ros1 lz4',
]


@pytest.fixture(scope='session')
def formats(tmp_path_factory, lap, write_bag, write_ros1_bag):
    """Return a function that gives the lap's recording in one of FORMATS."""
    root = tmp_path_factory.mktemp('formats')
    made = {}

    def make(name):
        storage, _, how = name.partition(' ')
        if storage == 'ros1':
            return write_ros1_bag(root / f'plain{how}.bag', lap.entries, compression=how or None)
        compression = how if how not in ('', 'alone') else None
        folder = root / f'{storage}_{how}'
        bag = write_bag(folder, lap.entries, storage=storage, compression=compression)
        return next(f for f in bag.iterdir() if f.suffix != '.yaml') if how == 'alone' else bag

    def get(name):
        if name not in made:
            made[name] = make(name)
        return made[name]

    return get


@pytest.mark.parametrize('name', FORMATS)
def test_every_format_is_read_alike(formats, messages, name):
    with Recording(formats(name)) as bag:
        assert bag.topics == {
            '/tf_static': 'tf2_msgs/msg/TFMessage',
            '/cam/image_raw': 'sensor_msgs/msg/Image',
            '/cam/camera_info': 'sensor_msgs/msg/CameraInfo',
            '/odom': 'nav_msgs/msg/Odometry',
            '/tf': 'tf2_msgs/msg/TFMessage',
        }
        stamps_ns = [messages.start_ns + index * messages.step_ns for index in range(6)]
        assert (bag.start_ns, bag.end_ns) == (stamps_ns[0], stamps_ns[-1])
        assert bag.count('/odom') == 6
        assert bag.count('/nothing') == 0
        topic = bag.image_topic()
        assert topic == '/cam/image_raw'
        images = list(bag.images(topic))
        assert [image.stamp_ns for image in images] == stamps_ns
        assert {image.frame_id for image in images} == {'camera'}
        assert [image.decode()[0, 0].tolist() for image in images] == [
            [10 * index] * 3 for index in range(6)
        ]
        camera = bag.camera(topic)
        assert (camera.width, camera.height, camera.fx, camera.cx) == (8, 6, 10, 4)
        assert len(bag.odometry()) == 6
        assert bag.transforms().frames == ('base', 'camera', 'odom')


@pytest.mark.parametrize('name', FORMATS)
def test_messages_for_replay_are_cdr_in_recorded_order(formats, lap, name):
    with Recording(formats(name)) as bag:
        replayed = list(bag.messages(['/odom', '/cam/image_raw', '/tf_static']))
    expected = [
        each for each in lap.entries if each[0] in ('/odom', '/cam/image_raw', '/tf_static')
    ]
    assert [each[0] for each in replayed] == [topic for topic, _, _ in expected]
    for (_, msgtype, recorded_ns, data), (_, expected_ns, message) in zip(
        replayed, expected, strict=True
    ):
        assert msgtype == message.__msgtype__
        assert recorded_ns == expected_ns
        assert bytes(data) == bytes(TYPES.serialize_cdr(message, msgtype))


def test_a_bag_is_read_as_often_as_one_likes(formats):
    with Recording(formats('mcap')) as bag:
        for _ in range(2):
            assert len(list(bag.images('/cam/image_raw'))) == 6
            assert len(list(bag.messages(['/tf']))) == 6


def test_definitions_inside_the_bag_are_not_needed(tmp_path, lap, write_bag):
    import sqlite3

    folder = write_bag(tmp_path / 'bag', lap.entries, storage='sqlite3')
    # As rosbag2 wrote it up to Humble: no message definitions.
    with sqlite3.connect(folder / 'bag.db3') as database:
        for table in ('message_definitions', 'schema', 'metadata'):
            database.execute(f'DROP TABLE {table}')
    with Recording(folder) as bag:
        assert len(list(bag.images('/cam/image_raw'))) == 6
    with Recording(folder / 'bag.db3') as bag:
        assert len(bag.odometry()) == 6


def test_a_recording_split_over_files_is_one(tmp_path, lap, messages, write_bag):
    parts = [
        write_bag(tmp_path / 'a', lap.entries[:9]),
        write_bag(tmp_path / 'b', lap.entries[9:]),
    ]
    whole = write_bag(tmp_path / 'whole', lap.entries)
    (whole / 'whole.mcap').unlink()
    for part in parts:
        shutil.copy(part / f'{part.name}.mcap', whole)
    metadata = whole / 'metadata.yaml'
    text = metadata.read_text()
    assert text.count('- whole.mcap\n') == 1
    metadata.write_text(text.replace('- whole.mcap\n', '- a.mcap\n  - b.mcap\n'))
    with Recording(whole) as bag:
        stamps_ns = [image.stamp_ns for image in bag.images('/cam/image_raw')]
    assert stamps_ns == [messages.start_ns + index * messages.step_ns for index in range(6)]


def stamped(messages, stamps_ns):
    """Return images whose headers have the stamps, recorded a second apart."""
    return [
        ('/image', messages.start_ns + index * 10**9, messages.image(stamp_ns, index))
        for index, stamp_ns in enumerate(stamps_ns)
    ]


def greys(path):
    with Recording(path) as bag:
        return [(image.stamp_ns, int(image.decode()[0, 0, 0])) for image in bag.images('/image')]


def test_headers_without_stamps_fall_back_to_the_time_of_recording(tmp_path, messages, write_bag):
    bag = write_bag(tmp_path / 'bag', stamped(messages, [0, 0, 0]))
    start_ns = messages.start_ns
    assert greys(bag) == [(start_ns, 0), (start_ns + 10**9, 1), (start_ns + 2 * 10**9, 2)]


@pytest.mark.parametrize('first', [5, 1_700_000_000 * 10**9])
def test_an_image_before_the_clock_is_set_is_left_out(
    tmp_path, messages, write_bag, caplog, first
):
    bag = write_bag(tmp_path / 'bag', stamped(messages, [0, first, first + 4]))
    assert greys(bag) == [(first, 1), (first + 4, 2)]
    assert 'left out 1 images of /image: no stamp' in caplog.text


def test_repeated_late_and_missing_stamps_are_left_out_and_counted(
    tmp_path, messages, write_bag, caplog
):
    second = 10**9
    stamps_ns = [7 * second, 8 * second, 8 * second, 8 * second - 1, 0, 9 * second]
    bag = write_bag(tmp_path / 'bag', stamped(messages, stamps_ns))
    assert greys(bag) == [(7 * second, 0), (8 * second, 1), (9 * second, 5)]
    assert 'left out 3 images of /image' in caplog.text


def test_late_subscribers_are_offered_what_the_publishers_offered(
    tmp_path, messages, write_bag, offered
):
    start_ns = messages.start_ns
    entries = [
        (topic, start_ns + index, messages.image(start_ns))
        for topic in ('/reliable', '/fast', '/latched', '/deep', '/plain')
        for index in range(3)
    ]
    profiles = {
        '/reliable': [offered(depth=5)],
        '/fast': [offered(reliable=False, depth=1)],
        '/latched': [offered(durable=True, depth=1)],
        '/deep': [offered(reliable=False, history=QosHistory.KEEP_ALL, depth=0)],
    }
    bag = write_bag(tmp_path / 'bag', sorted(entries, key=lambda e: e[1]), profiles=profiles)
    with Recording(bag) as recording:
        found = {topic: recording.qos(topic) for topic in recording.topics}
    assert found == {
        '/reliable': Qos(reliable=True, transient_local=False, depth=5, keep_all=False),
        '/fast': Qos(reliable=False, transient_local=False, depth=1, keep_all=False),
        # As deep as it has messages: each may be of another static broadcaster.
        '/latched': Qos(reliable=True, transient_local=True, depth=3, keep_all=False),
        '/deep': Qos(reliable=False, transient_local=False, depth=10, keep_all=True),
        '/plain': Qos(reliable=True, transient_local=False, depth=10, keep_all=False),
    }


def test_static_transforms_are_latched_even_where_no_profile_was_recorded(formats):
    with Recording(formats('sqlite3')) as bag:
        assert bag.qos('/tf_static').transient_local
        assert not bag.qos('/tf').transient_local


def test_latched_topics_of_ros1_stay_latched(tmp_path, messages, write_ros1_bag):
    start_ns = messages.start_ns
    entries = [
        ('/map_image', start_ns, messages.image(start_ns)),
        ('/image', start_ns, messages.image(start_ns)),
    ]
    bag = write_ros1_bag(tmp_path / 'latched.bag', entries, latched=['/map_image'])
    with Recording(bag) as recording:
        assert recording.qos('/map_image').transient_local
        assert not recording.qos('/image').transient_local


def test_ros1_messages_become_the_ros2_bytes_of_the_same_content(
    tmp_path, messages, write_ros1_bag
):
    image = messages.compressed(messages.start_ns, 99, size=(33, 17))
    bag = write_ros1_bag(tmp_path / 'one.bag', [('/cam/compressed', messages.start_ns, image)])
    with Recording(bag) as recording:
        ((_, msgtype, _, data),) = recording.messages(['/cam/compressed'])
        (decoded,) = (each.decode() for each in recording.images('/cam/compressed'))
    assert msgtype == 'sensor_msgs/msg/CompressedImage'
    assert bytes(data) == bytes(TYPES.serialize_cdr(image, msgtype))
    np.testing.assert_array_equal(decoded, np.full((17, 33, 3), 99))


@pytest.mark.parametrize('name', ['my_msgs/msg/Thing', 'visualization_msgs/msg/Marker'])
def test_ros1_messages_that_ros2_does_not_have_alike_are_refused(tmp_path, messages, name):
    path = tmp_path / 'foreign.bag'
    with rosbag1.Writer(path) as writer:
        connection = writer.add_connection('/foreign', name, msgdef='uint8 a', md5sum='0' * 32)
        writer.write(connection, messages.start_ns, b'\x05')
    with Recording(path) as bag, pytest.raises(BagError, match=f'/foreign of .* is {name}, which'):
        bag.messages(['/foreign'])
