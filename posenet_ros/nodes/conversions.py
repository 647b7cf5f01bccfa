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

"""
Between ROS messages and this package's own types.

The only place under `nodes` where quaternions appear: messages hold them as fields x y z w, and
they cross by name.
"""

from __future__ import annotations

from builtin_interfaces.msg import Time
from geometry_msgs.msg import (
    Pose as PoseMessage,
)
from geometry_msgs.msg import (
    PoseStamped,
    PoseWithCovarianceStamped,
    Transform,
    TransformStamped,
)
import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Pose, Quaternion
from std_msgs.msg import Header


def stamp_ns(stamp: Time) -> int:
    """Return a message's stamp as nanoseconds."""
    return stamp.sec * NS_PER_S + stamp.nanosec


def stamp_message(nanoseconds: int) -> Time:
    """Return nanoseconds as a message's stamp."""
    return Time(sec=nanoseconds // NS_PER_S, nanosec=nanoseconds % NS_PER_S)


def pose_message(pose: Pose) -> PoseMessage:
    """Return a pose as geometry_msgs/Pose; its frames are for the header to name."""
    message = PoseMessage()
    message.position.x, message.position.y, message.position.z = map(float, pose.translation)
    quaternion = pose.quaternion()
    message.orientation.w, message.orientation.x = quaternion.w, quaternion.x
    message.orientation.y, message.orientation.z = quaternion.y, quaternion.z
    return message


def pose_from_message(message: PoseMessage, *, target: str, source: str) -> Pose:
    """Read geometry_msgs/Pose; raise GeometryError for numbers that are no pose."""
    position, orientation = message.position, message.orientation
    return Pose.from_quaternion(
        w=orientation.w,
        x=orientation.x,
        y=orientation.y,
        z=orientation.z,
        translation=[position.x, position.y, position.z],
        target=target,
        source=source,
    )


def pose_stamped(pose: Pose, stamp: Time, frame: str) -> PoseStamped:
    """Return a pose as PoseStamped in a frame, at an image's own stamp."""
    return PoseStamped(header=Header(stamp=stamp, frame_id=frame), pose=pose_message(pose))


def pose_with_covariance(
    pose: Pose, covariance: NDArray[np.float64], stamp: Time, frame: str
) -> PoseWithCovarianceStamped:
    """
    Return a pose and its covariance as PoseWithCovarianceStamped.

    `covariance` (6, 6) is x y z rotX rotY rotZ about the fixed axes of `frame`, as REP-103 has it.
    """
    message = PoseWithCovarianceStamped(header=Header(stamp=stamp, frame_id=frame))
    message.pose.pose = pose_message(pose)
    message.pose.covariance = np.asarray(covariance, dtype=np.float64).reshape(36)
    return message


def transform_stamped(pose: Pose, stamp: Time, *, parent: str, child: str) -> TransformStamped:
    """
    Return a pose as the transform that TF calls parent -> child.

    The numbers are `parent_from_child`, as those of a pose of the child in the parent.
    """
    message = TransformStamped(header=Header(stamp=stamp, frame_id=parent), child_frame_id=child)
    plain = pose_message(pose)
    translation = message.transform.translation
    translation.x, translation.y, translation.z = (
        plain.position.x,
        plain.position.y,
        plain.position.z,
    )
    message.transform.rotation = plain.orientation
    return message


def transform_parts(message: Transform) -> tuple[tuple[float, float, float], Quaternion]:
    """Return translation and rotation of geometry_msgs/Transform, whatever numbers they are."""
    moved, turned = message.translation, message.rotation
    return (moved.x, moved.y, moved.z), Quaternion(w=turned.w, x=turned.x, y=turned.y, z=turned.z)
