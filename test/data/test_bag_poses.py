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

"""Odometry and transforms of a recording, with rotations where a wrong order would show."""

import numpy as np
from posenet_ros.data.bags import Recording
from posenet_ros.data.topics import only_odometry
from posenet_ros.errors import BagError
from posenet_ros.geometry import Pose
import pytest
from rosbags import rosbag2
from rosbags.typesys import get_typestore, Stores
from scipy.spatial.transform import Rotation

TYPES = get_typestore(Stores.ROS2_JAZZY)
TILT = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)


def pose(x, target, source):
    return Pose(TILT, [x, 2.0, 3.0], target, source)


@pytest.fixture
def recorded(tmp_path, messages, write_bag):
    """Return a function that opens a bag of (topic, message); one second apart."""
    opened = []

    def open_bag(*entries):
        stamped = [
            (topic, messages.start_ns + index * 10**9, message)
            for index, (topic, message) in enumerate(entries)
        ]
        opened.append(Recording(write_bag(tmp_path / f'bag{len(opened)}', stamped)))
        return opened[-1]

    yield open_bag
    for recording in opened:
        recording.close()


def test_odometry_keeps_frames_order_and_rotation(recorded, messages):
    bag = recorded(
        ('/odom', messages.odometry(20, pose(2, '/odom', '/base'))),
        ('/odom', messages.odometry(10, pose(1, '/odom', '/base'))),
    )
    odometry = bag.odometry()
    assert (odometry.target, odometry.source) == ('odom', 'base')
    np.testing.assert_array_equal(odometry.stamps_ns, [10, 20])
    np.testing.assert_allclose(odometry.translations, [[1, 2, 3], [2, 2, 3]])
    assert odometry[0].distance(pose(1, 'odom', 'base')) == pytest.approx((0, 0), abs=1e-9)


def test_the_odometry_topic_is_clear_or_listed(recorded, messages):
    a = ('/a', messages.odometry(1, pose(1, 'odom', 'base')))
    b = ('/b', messages.odometry(1, pose(2, 'odom', 'base')))
    odom = ('/odom', messages.odometry(1, pose(3, 'odom', 'base')))
    assert recorded(a).odometry().translations[0, 0] == 1
    assert recorded(a, b, odom).odometry().translations[0, 0] == 3
    both = recorded(a, b)
    assert both.odometry('/b').translations[0, 0] == 2
    assert both.odometry('b').translations[0, 0] == 2
    with pytest.raises(BagError, match=r'2 odometry topics; .* --odom-topic: /a, /b'):
        both.odometry()
    with pytest.raises(BagError, match=r'/c is no nav_msgs.*; odometry topics: /a, /b'):
        both.odometry('/c')
    with pytest.raises(BagError, match='no topic of type nav_msgs/msg/Odometry'):
        recorded(('/image', messages.image(1))).odometry()


@pytest.fixture
def announced(tmp_path, messages):
    """Return a bag with three odometry topics: a message on one of them, none on the others."""
    with rosbag2.Writer(tmp_path / 'announced', version=9) as writer:
        one = messages.odometry(1, pose(4, 'odom', 'base'))
        for topic in ('/a', '/odom', '/b'):
            connection = writer.add_connection(topic, one.__msgtype__, typestore=TYPES)
            if topic == '/b':
                writer.write(connection, 1, TYPES.serialize_cdr(one, one.__msgtype__))
    with Recording(tmp_path / 'announced') as recording:
        yield recording


def test_odometry_without_messages_is_none_to_choose(announced):
    assert announced.odometry_topic() == '/b'
    assert announced.odometry().translations[0, 0] == 4
    with pytest.raises(BagError, match='/odom has no messages; odometry topics: /b'):
        announced.odometry('/odom')


def test_only_odometry_without_messages_is_said_so():
    expected = r'no topic of type nav_msgs/msg/Odometry with messages; without: /a, /odom'
    with pytest.raises(BagError, match=expected):
        only_odometry(None, {'/odom': 0, '/a': 0})


def test_odometry_without_names_and_stamps_has_usual_names_and_recorded_times(recorded, messages):
    bag = recorded(
        ('/odom', messages.odometry(0, pose(1, '', ''))),
        ('/odom', messages.odometry(0, pose(2, '', ''))),
    )
    odometry = bag.odometry()
    assert (odometry.target, odometry.source) == ('odom', 'base_link')
    np.testing.assert_array_equal(odometry.stamps_ns - messages.start_ns, [0, 10**9])


def test_odometry_that_is_no_rotation_is_left_out_and_counted(recorded, messages, caplog):
    broken = [messages.odometry(stamp, pose(9, 'odom', 'base')) for stamp in (1, 2)]
    broken[0].pose.pose.orientation = messages.make(
        'geometry_msgs/msg/Quaternion', 0.0, 0.0, 0.0, 0.0
    )
    broken[1].pose.pose.position.x = float('nan')
    good = ('/odom', messages.odometry(3, pose(1, 'odom', 'base')))
    bag = recorded(*(('/odom', each) for each in broken), good)
    np.testing.assert_array_equal(bag.odometry().stamps_ns, [3])
    assert 'left out 2 of 3 transforms odom <- base' in caplog.text
    with pytest.raises(BagError, match=r'/odom of .* holds no poses'):
        recorded(*(('/odom', each) for each in broken)).odometry()


def test_transforms_of_all_messages_make_one_tree(recorded, messages):
    bag = recorded(
        ('/tf_static', messages.tf(0, pose(1, '/base', 'mast'))),
        ('/tf', messages.tf(10, pose(5, 'odom', '/base'), pose(7, 'map', 'odom'))),
        ('/tf_static', messages.tf(0, pose(2, 'mast', 'camera'))),
        ('/tf', messages.tf(20, pose(6, 'odom', 'base'))),
    )
    tree = bag.transforms()
    assert tree.frames == ('base', 'camera', 'map', 'mast', 'odom')
    expected = pose(1, 'base', 'mast') @ pose(2, 'mast', 'camera')
    assert tree.static('base', '/camera').distance(expected) == pytest.approx((0, 0), abs=1e-9)
    path = tree.trajectory('odom', 'camera')
    np.testing.assert_array_equal(path.stamps_ns, [10, 20])
    for index, x in enumerate((5, 6)):
        error = path[index].distance(pose(x, 'odom', 'base') @ expected)
        assert error == pytest.approx((0, 0), abs=1e-9)


def test_static_transforms_are_read_without_tf(recorded, messages):
    mount = pose(1, 'base', 'camera')
    bag = recorded(
        ('/tf', messages.tf(10, pose(5, 'odom', 'base'))),
        ('/tf_static', messages.tf(0, mount)),
        ('/robot/tf_static', messages.tf(0, pose(2, 'camera', 'lens'))),
        ('/tf', messages.tf(20, pose(5, 'base', 'lamp'))),
    )
    tree = bag.static_transforms()
    assert tree.frames == ('base', 'camera', 'lens')
    assert tree.static('base', 'camera').distance(mount) == pytest.approx((0, 0), abs=1e-9)
    assert recorded(('/image', messages.image(1))).static_transforms().frames == ()


def test_the_newest_of_repeated_static_transforms_counts(recorded, messages):
    bag = recorded(
        ('/tf_static', messages.tf(5, pose(1, 'base', 'camera'))),
        ('/robot/tf_static', messages.tf(9, pose(2, 'base', 'camera'))),
    )
    assert bag.transforms().static('base', 'camera').translation[0] == 2


def test_a_recording_without_transforms_has_an_empty_tree(recorded, messages):
    tree = recorded(('/image', messages.image(1))).transforms()
    assert tree.frames == ()
    assert tree.static('base', 'camera') is None
    assert tree.trajectory('odom', 'camera') is None
