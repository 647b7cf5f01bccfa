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

import numpy as np
from posenet_ros.geometry import Camera, Pose
from posenet_ros.simulation import messages
from scipy.spatial.transform import Rotation

TURN = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)


def test_a_transform_keeps_its_frames_and_its_quaternion_order():
    pose = Pose(TURN, np.array([1.0, 2.0, 3.0]), 'odom', 'base')
    sent = messages.transforms(1_500_000_000, pose).transforms[0]
    assert (sent.header.frame_id, sent.child_frame_id) == ('odom', 'base_link')
    assert (sent.header.stamp.sec, sent.header.stamp.nanosec) == (1, 500_000_000)
    turn = sent.transform.rotation
    back = Pose.from_quaternion(
        w=turn.w, x=turn.x, y=turn.y, z=turn.z, translation=[1, 2, 3], target='odom', source='base'
    )
    assert back.distance(pose)[1] < 1e-9
    assert turn.w > 0.9


def test_camera_info_tells_the_camera():
    camera = Camera(64, 48, 50.0, 51.0, 31.0, 23.0)
    info = messages.camera_info(0, camera)
    again = Camera.from_info(
        width=info.width, height=info.height, k=info.k, distortion_model='plumb_bob', d=info.d
    )
    assert again == camera
    np.testing.assert_allclose(info.p.reshape(3, 4)[:, :3], camera.matrix)
    assert info.header.frame_id == 'camera_optical_frame'


def test_a_raw_image_is_its_rows():
    rgb = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    image = messages.image(0, rgb)
    assert (image.height, image.width, image.step, image.encoding) == (2, 3, 9, 'rgb8')
    np.testing.assert_array_equal(image.data.reshape(2, 3, 3), rgb)


def test_odometry_puts_each_number_in_its_place():
    pose = Pose(TURN, np.array([1.0, 2.0, 0.0]), 'odom', 'base')
    report = messages.odometry(0, pose, (0.5, -0.1, 0.2), (0.04, 0.05, 0.06))
    assert (report.header.frame_id, report.child_frame_id) == ('odom', 'base_link')
    twist = report.twist.twist
    assert (twist.linear.x, twist.linear.y, twist.angular.z) == (0.5, -0.1, 0.2)
    spread = report.pose.covariance.reshape(6, 6)
    assert (spread[0, 0], spread[1, 1], spread[5, 5]) == (0.04, 0.05, 0.06)
    assert (np.diag(spread) > 0).all() and np.count_nonzero(spread - np.diag(np.diag(spread))) == 0
    assert (report.twist.covariance.reshape(6, 6).diagonal() > 0).all()
