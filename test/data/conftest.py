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

"""Messages with known content, and writers of tiny bags."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from rosbags import rosbag1, rosbag2
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.typesys import get_typestore, Stores

TYPES = get_typestore(Stores.ROS2_JAZZY)
ROS1_TYPES = get_typestore(Stores.ROS1_NOETIC)
# Not part of rosbags' ROS 1 types: definition and checksum of tf2_msgs in Noetic.
ROS1_TF = {
    'msgdef': 'geometry_msgs/TransformStamped[] transforms\n',
    'md5sum': '94810edda583a504dfda3829e70d7eec',
}
START_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000


class Messages:
    """Make messages of the types that recordings hold."""

    start_ns = START_NS
    step_ns = STEP_NS

    @staticmethod
    def make(name, *fields):
        return TYPES.types[name](*fields)

    def header(self, stamp_ns, frame_id):
        stamp = self.make('builtin_interfaces/msg/Time', *divmod(int(stamp_ns), 10**9))
        return self.make('std_msgs/msg/Header', stamp, frame_id)

    def image(self, stamp_ns, grey=0, *, encoding='rgb8', frame_id='camera', size=(8, 6)):
        width, height = size
        bytes_a_pixel = {'rgb8': 3, 'mono8': 1, '16UC1': 2, '32FC1': 4}[encoding]
        data = np.full(width * height * bytes_a_pixel, grey, dtype=np.uint8)
        return self.make(
            'sensor_msgs/msg/Image',
            self.header(stamp_ns, frame_id),
            height,
            width,
            encoding,
            0,
            width * bytes_a_pixel,
            data,
        )

    def compressed(self, stamp_ns, grey=0, *, name='jpeg', frame_id='camera', size=(8, 6)):
        pixels = np.full((size[1], size[0], 3), grey, dtype=np.uint8)
        data = cv2.imencode('.jpg', pixels)[1].ravel()
        header = self.header(stamp_ns, frame_id)
        return self.make('sensor_msgs/msg/CompressedImage', header, name, data)

    def info(
        self,
        stamp_ns=START_NS,
        *,
        focal=10.0,
        size=(8, 6),
        frame_id='camera',
        model='plumb_bob',
        d=(0.0,) * 5,
        binning=(0, 0),
        roi=(0, 0, 0, 0),
    ):
        width, height = size
        k = np.array([focal, 0, 4.0, 0, focal, 3.0, 0, 0, 1])
        p = np.array([focal / 2, 0, 2.0, 0, 0, focal / 2, 1.0, 0, 0, 0, 1, 0])
        region = self.make(
            'sensor_msgs/msg/RegionOfInterest', roi[0], roi[1], roi[3], roi[2], False
        )
        return self.make(
            'sensor_msgs/msg/CameraInfo',
            self.header(stamp_ns, frame_id),
            height,
            width,
            model,
            np.array(d, dtype=float),
            k,
            np.eye(3).ravel(),
            p,
            *binning,
            region,
        )

    def vector(self, pose, name='Vector3'):
        return self.make(f'geometry_msgs/msg/{name}', *map(float, pose.translation))

    def quaternion(self, pose):
        part = pose.quaternion()
        return self.make('geometry_msgs/msg/Quaternion', part.x, part.y, part.z, part.w)

    def transform(self, stamp_ns, pose):
        """Return one edge `pose.target` from `pose.source`."""
        return self.make(
            'geometry_msgs/msg/TransformStamped',
            self.header(stamp_ns, pose.target),
            pose.source,
            self.make('geometry_msgs/msg/Transform', self.vector(pose), self.quaternion(pose)),
        )

    def tf(self, stamp_ns, *poses):
        edges = [self.transform(stamp_ns, pose) for pose in poses]
        return self.make('tf2_msgs/msg/TFMessage', edges)

    def odometry(self, stamp_ns, pose):
        zero = self.make('geometry_msgs/msg/Vector3', 0.0, 0.0, 0.0)
        twist = self.make('geometry_msgs/msg/Twist', zero, zero)
        covariance = np.zeros(36)
        at = self.make('geometry_msgs/msg/Pose', self.vector(pose, 'Point'), self.quaternion(pose))
        return self.make(
            'nav_msgs/msg/Odometry',
            self.header(stamp_ns, pose.target),
            pose.source,
            self.make('geometry_msgs/msg/PoseWithCovariance', at, covariance),
            self.make('geometry_msgs/msg/TwistWithCovariance', twist, covariance),
        )


@pytest.fixture(scope='session')
def messages():
    return Messages()


def qos(*, durable=False, reliable=True, depth=10, history=QosHistory.KEEP_LAST):
    zero = QosTime(0, 0)
    return Qos(
        history,
        depth,
        QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
        QosDurability.TRANSIENT_LOCAL if durable else QosDurability.VOLATILE,
        zero,
        zero,
        QosLiveliness.AUTOMATIC,
        zero,
        False,
    )


@pytest.fixture(scope='session')
def offered():
    return qos


def write_ros2(path, entries, *, storage='mcap', compression=None, profiles=None):
    """Write (topic, recorded stamp, message) to a rosbag2 folder."""
    plugin = StoragePlugin.MCAP if storage == 'mcap' else StoragePlugin.SQLITE3
    writer = rosbag2.Writer(path, version=9, storage_plugin=plugin)
    if compression:
        writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for topic, recorded_ns, message in entries:
            name = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(
                    topic,
                    name,
                    typestore=TYPES,
                    offered_qos_profiles=(profiles or {}).get(topic, ()),
                )
            writer.write(connections[topic], recorded_ns, TYPES.serialize_cdr(message, name))
    return path


def write_ros1(path, entries, *, compression=None, latched=()):
    """Write the same to a ROS 1 bag."""
    writer = rosbag1.Writer(path)
    if compression:
        writer.set_compression(rosbag1.Writer.CompressionFormat[compression.upper()])
    with writer:
        connections = {}
        for topic, recorded_ns, message in entries:
            name = message.__msgtype__
            if topic not in connections:
                how = ROS1_TF if 'tf2' in name else {'typestore': ROS1_TYPES}
                connections[topic] = writer.add_connection(
                    topic, name, latching=1 if topic in latched else None, **how
                )
            cdr = TYPES.serialize_cdr(message, name)
            writer.write(connections[topic], recorded_ns, TYPES.cdr_to_ros1(cdr, name))
    return path


@pytest.fixture(scope='session')
def write_bag():
    return write_ros2


@pytest.fixture(scope='session')
def write_ros1_bag():
    return write_ros1


@pytest.fixture(scope='session')
def lap(messages):
    """Six images, their CameraInfo, odometry and transforms of a robot that moves along x."""
    from posenet_ros.geometry import Pose

    base_from_camera = Pose.from_quaternion(
        w=0.5, x=-0.5, y=0.5, z=-0.5, translation=[0.1, 0, 0.3], target='base', source='camera'
    )
    entries = [('/tf_static', START_NS, messages.tf(START_NS, base_from_camera))]
    for index in range(6):
        stamp_ns = START_NS + index * STEP_NS
        odom_from_base = Pose.from_quaternion(
            w=1, x=0, y=0, z=0.1, translation=[index, 0, 0], target='odom', source='base'
        )
        entries += [
            ('/cam/image_raw', stamp_ns, messages.image(stamp_ns, 10 * index)),
            ('/cam/camera_info', stamp_ns, messages.info(stamp_ns)),
            ('/odom', stamp_ns, messages.odometry(stamp_ns, odom_from_base)),
            ('/tf', stamp_ns, messages.tf(stamp_ns, odom_from_base)),
        ]
    return SimpleNamespace(entries=entries, base_from_camera=base_from_camera)
