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

"""The ROS messages of a simulated recording."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from posenet_ros.geometry import Camera, NS_PER_S, Pose
from posenet_ros.simulation.mipmaps import Texture
from rosbags.typesys import get_typestore, Stores

TYPES = get_typestore(Stores.ROS2_JAZZY)
_MESSAGES = TYPES.types

# What the frames of the core are called in a recording.
FRAMES = {'odom': 'odom', 'base': 'base_link', 'camera': 'camera_optical_frame'}

# A robot on a floor hardly leaves it: variance of z, roll and pitch, and of their rates.
OFF_FLOOR_VARIANCE = 1e-6
TWIST_DEVIATION = (0.03, 0.01, OFF_FLOOR_VARIANCE**0.5, OFF_FLOOR_VARIANCE**0.5, 1e-3, 0.04)


def header(stamp_ns: int, frame: str) -> Any:
    """Return a std_msgs/Header; `frame` is a name of the core."""
    time = _MESSAGES['builtin_interfaces/msg/Time'](
        sec=int(stamp_ns // NS_PER_S), nanosec=int(stamp_ns % NS_PER_S)
    )
    return _MESSAGES['std_msgs/msg/Header'](stamp=time, frame_id=FRAMES[frame])


def image(stamp_ns: int, rgb: Texture) -> Any:
    """Return a sensor_msgs/Image, rgb8."""
    height, width = rgb.shape[:2]
    return _MESSAGES['sensor_msgs/msg/Image'](
        header=header(stamp_ns, 'camera'),
        height=height,
        width=width,
        encoding='rgb8',
        is_bigendian=0,
        step=3 * width,
        data=rgb.reshape(-1),
    )


def compressed_image(stamp_ns: int, jpeg: NDArray[np.uint8]) -> Any:
    """Return a sensor_msgs/CompressedImage as image_transport labels one made from rgb8."""
    return _MESSAGES['sensor_msgs/msg/CompressedImage'](
        header=header(stamp_ns, 'camera'), format='rgb8; jpeg compressed bgr8', data=jpeg
    )


def camera_info(stamp_ns: int, camera: Camera) -> Any:
    """Return the sensor_msgs/CameraInfo of a camera without distortion."""
    projection = np.hstack([camera.matrix, np.zeros((3, 1))])
    return _MESSAGES['sensor_msgs/msg/CameraInfo'](
        header=header(stamp_ns, 'camera'),
        height=camera.height,
        width=camera.width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=camera.matrix.ravel(),
        r=np.eye(3).ravel(),
        p=projection.ravel(),
        binning_x=0,
        binning_y=0,
        roi=_MESSAGES['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False),
    )


def transforms(stamp_ns: int, target_from_source: Pose) -> Any:
    """Return a tf2_msgs/TFMessage with one transform: parent is the target, child the source."""
    stamped = _MESSAGES['geometry_msgs/msg/TransformStamped'](
        header=header(stamp_ns, target_from_source.target),
        child_frame_id=FRAMES[target_from_source.source],
        transform=_MESSAGES['geometry_msgs/msg/Transform'](
            translation=_vector(target_from_source.translation),
            rotation=_quaternion(target_from_source),
        ),
    )
    return _MESSAGES['tf2_msgs/msg/TFMessage'](transforms=[stamped])


def odometry(stamp_ns: int, odom_from_base: Pose, velocity: ArrayLike, variance: ArrayLike) -> Any:
    """
    Return a nav_msgs/Odometry of a robot on a floor.

    `velocity` is forward, sideways (m/s) and turning (rad/s) in the base, `variance` that of x,
    y and heading in odom.
    """
    ahead, across, turning = np.asarray(velocity, dtype=np.float64)
    x, y, heading = np.asarray(variance, dtype=np.float64)
    spread = np.diag([x, y, *[OFF_FLOOR_VARIANCE] * 3, heading])
    position = _MESSAGES['geometry_msgs/msg/Point'](*odom_from_base.translation.tolist())
    pose = _MESSAGES['geometry_msgs/msg/Pose'](position, _quaternion(odom_from_base))
    twist = _MESSAGES['geometry_msgs/msg/Twist'](
        linear=_vector([ahead, across, 0.0]), angular=_vector([0.0, 0.0, turning])
    )
    twist_spread = np.diag(np.square(TWIST_DEVIATION))
    return _MESSAGES['nav_msgs/msg/Odometry'](
        header=header(stamp_ns, 'odom'),
        child_frame_id=FRAMES['base'],
        pose=_MESSAGES['geometry_msgs/msg/PoseWithCovariance'](pose, spread.ravel()),
        twist=_MESSAGES['geometry_msgs/msg/TwistWithCovariance'](twist, twist_spread.ravel()),
    )


def _vector(values: ArrayLike) -> Any:
    return _MESSAGES['geometry_msgs/msg/Vector3'](*map(float, np.asarray(values)))


def _quaternion(pose: Pose) -> Any:
    w, x, y, z = pose.quaternion()
    return _MESSAGES['geometry_msgs/msg/Quaternion'](x=x, y=y, z=z, w=w)
