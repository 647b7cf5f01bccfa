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

from __future__ import annotations

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose as PoseMessage
import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Pose
from posenet_ros.nodes import conversions
import pytest
from scipy.spatial.transform import Rotation

STAMP = Time(sec=12, nanosec=34)
# Rotation by Euler (10, 20, 30) deg about x, y, z, worked out by hand once; the order matters.
W, X, Y, Z = 0.9515485246, 0.0381345765, 0.1893079024, 0.2392983377


def test_the_quaternion_lands_in_its_own_fields(truth):
    message = conversions.pose_message(truth.pose)
    assert message.orientation.w == pytest.approx(W)
    assert message.orientation.x == pytest.approx(X)
    assert message.orientation.y == pytest.approx(Y)
    assert message.orientation.z == pytest.approx(Z)
    assert (message.position.x, message.position.y, message.position.z) == (1.0, -2.0, 0.5)


def test_there_and_back(truth):
    message = conversions.pose_message(truth.pose)
    back = conversions.pose_from_message(message, target='map', source='camera')
    np.testing.assert_allclose(back.matrix(), truth.pose.matrix(), atol=1e-12)
    assert (back.target, back.source) == ('map', 'camera')


def test_a_quaternion_of_zeros_is_refused(refused):
    message = PoseMessage()
    message.orientation.w = 0.0
    with refused(GeometryError, 'no rotation'):
        conversions.pose_from_message(message, target='map', source='camera')


def test_pose_stamped_carries_stamp_and_frame(truth):
    message = conversions.pose_stamped(truth.pose, STAMP, 'map')
    assert message.header.stamp == STAMP
    assert message.header.frame_id == 'map'


def test_covariance_is_row_major_in_the_order_of_the_message(truth):
    covariance = np.arange(36.0).reshape(6, 6)
    message = conversions.pose_with_covariance(truth.pose, covariance, STAMP, 'map')
    assert message.pose.covariance[1] == 1.0
    assert message.pose.covariance[6] == 6.0
    assert message.pose.covariance[35] == 35.0


def test_a_transform_maps_points_of_the_child_to_the_parent(truth):
    message = conversions.transform_stamped(
        truth.pose, STAMP, parent='map', child='posenet_camera'
    )
    assert (message.header.frame_id, message.child_frame_id) == ('map', 'posenet_camera')
    rotation = message.transform.rotation
    matrix = Rotation.from_quat([rotation.x, rotation.y, rotation.z, rotation.w]).as_matrix()
    translation = message.transform.translation
    point = matrix @ [0, 0, 2] + [translation.x, translation.y, translation.z]
    np.testing.assert_allclose(point, truth.pose @ np.array([0, 0, 2.0]), atol=1e-12)


@pytest.mark.parametrize('nanoseconds', [0, 1, 999_999_999, 1_700_000_000_123_456_789])
def test_stamps_are_exact(nanoseconds):
    assert conversions.stamp_ns(conversions.stamp_message(nanoseconds)) == nanoseconds


def test_a_pose_keeps_its_numbers_and_not_its_frames():
    pose = Pose.identity('map', 'base')
    assert conversions.pose_message(pose) == PoseMessage()
