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

"""Writes a drive through a world as a rosbag2 recording, with its true camera poses."""

from __future__ import annotations

from collections.abc import Callable
import heapq
from operator import itemgetter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Trajectory
from posenet_ros.simulation import messages
from posenet_ros.simulation.mipmaps import Texture
from posenet_ros.simulation.odometry import drifting, Odometry
from posenet_ros.simulation.options import SimulationOptions
from posenet_ros.simulation.parallel import in_order, opencv_threads
from posenet_ros.simulation.render import render
from posenet_ros.simulation.sensor import Sensor
from posenet_ros.simulation.world import World
from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer

IMAGE_TOPIC = '/camera/image_raw'
# Odometry runs before the first image and after the last, so that each image has its pose.
LEAD_NS = NS_PER_S // 10
# Format 8 is read by Humble as well as by what came after.
BAG_FORMAT = 8


def record(
    bag: Path,
    world: World,
    map_from_base: Trajectory,
    options: SimulationOptions,
    rng: np.random.Generator,
    *,
    jobs: int,
    frame_done: Callable[[], object],
) -> Trajectory:
    """
    Write the recording of a drive to the folder `bag`, which must not exist yet.

    Returns the true `map_from_camera` at the stamps of the images. `frame_done` is called after
    each image.
    """
    truth = camera_poses(map_from_base, options)
    sensor = Sensor(options.width, options.height, len(truth), options.sensor, rng)
    odometry = drifting(map_from_base, options.odometry, rng)

    def taken(frame: int) -> Texture | NDArray[np.uint8]:
        image = render(world, options.camera, truth[frame])
        exposed = sensor.expose(image, frame)
        return jpeg(exposed, options.jpeg_quality) if options.compressed else exposed

    with (
        opencv_threads(1),
        Writer(bag, version=BAG_FORMAT, storage_plugin=StoragePlugin.MCAP) as writer,
    ):
        topics = _Topics(writer, options)
        topics.write_static(int(map_from_base.stamps_ns[0]))
        images = zip(truth.stamps_ns.tolist(), in_order(taken, range(len(truth)), jobs))
        poses = zip(odometry.odom_from_base.stamps_ns.tolist(), range(len(map_from_base)))
        for stamp_ns, item in heapq.merge(poses, images, key=itemgetter(0)):
            if isinstance(item, int):
                topics.write_odometry(stamp_ns, odometry, item)
            else:
                topics.write_image(stamp_ns, item)
                frame_done()
    return truth


def camera_poses(map_from_base: Trajectory, options: SimulationOptions) -> Trajectory:
    """Return the camera's true poses at the instants at which images are taken."""
    first, last = map_from_base.stamps_ns[[0, -1]] + [LEAD_NS, -LEAD_NS]
    period_ns = NS_PER_S / options.rate_hz
    count = int((last - first) / period_ns) + 1
    stamps = first + np.rint(np.arange(count) * period_ns).astype(np.int64)
    return map_from_base.at(stamps).of_body(options.robot.base_from_camera)


def jpeg(rgb: Texture, quality: int) -> NDArray[np.uint8]:
    """Return an RGB image as JPEG bytes."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].reshape(-1)


def _qos(depth: int, *, reliable: bool = True, latched: bool = False) -> Qos:
    unset = QosTime(0, 0)
    return Qos(
        QosHistory.KEEP_LAST,
        depth,
        QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
        QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        unset,
        unset,
        QosLiveliness.AUTOMATIC,
        unset,
        avoid_ros_namespace_conventions=False,
    )


class _Topics:
    """The topics of one recording, offered as drivers and tf2 offer them."""

    def __init__(self, writer: Writer, options: SimulationOptions) -> None:
        self._writer = writer
        self._options = options
        sensor_data = _qos(5, reliable=False)
        kind = 'CompressedImage' if options.compressed else 'Image'
        name = IMAGE_TOPIC + ('/compressed' if options.compressed else '')
        self._images = self._add(name, f'sensor_msgs/msg/{kind}', sensor_data)
        info = '/camera/camera_info'
        self._infos = self._add(info, 'sensor_msgs/msg/CameraInfo', sensor_data)
        self._odometry = self._add('/odom', 'nav_msgs/msg/Odometry', _qos(10))
        self._tf = self._add('/tf', 'tf2_msgs/msg/TFMessage', _qos(100))
        latched = _qos(1, latched=True)
        self._static = self._add('/tf_static', 'tf2_msgs/msg/TFMessage', latched)

    def _add(self, topic: str, msgtype: str, qos: Qos) -> Connection:
        return self._writer.add_connection(
            topic, msgtype, typestore=messages.TYPES, offered_qos_profiles=[qos]
        )

    def _write(self, connection: Connection, stamp_ns: int, message: Any) -> None:
        data = messages.TYPES.serialize_cdr(message, connection.msgtype)
        self._writer.write(connection, stamp_ns, data)

    def write_static(self, stamp_ns: int) -> None:
        """Write where the camera sits on the robot."""
        placed = messages.transforms(stamp_ns, self._options.robot.base_from_camera)
        self._write(self._static, stamp_ns, placed)

    def write_image(self, stamp_ns: int, image: NDArray[np.uint8]) -> None:
        """Write an image, encoded or not, with its CameraInfo."""
        encode = messages.compressed_image if self._options.compressed else messages.image
        self._write(self._images, stamp_ns, encode(stamp_ns, image))
        info = messages.camera_info(stamp_ns, self._options.camera)
        self._write(self._infos, stamp_ns, info)

    def write_odometry(self, stamp_ns: int, odometry: Odometry, index: int) -> None:
        """Write one of the odometry's poses, as a report and as a transform."""
        pose = odometry.odom_from_base[index]
        velocity, variance = odometry.velocity[index], odometry.variance[index]
        report = messages.odometry(stamp_ns, pose, velocity, variance)
        self._write(self._odometry, stamp_ns, report)
        self._write(self._tf, stamp_ns, messages.transforms(stamp_ns, pose))
