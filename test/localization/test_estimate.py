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
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import Pose
from posenet_ros.localization.estimate import PoseEstimate
import pytest
from scipy.spatial.transform import Rotation

POSE = Pose.identity('map', 'camera')


def test_an_answer_has_a_pose_and_a_covariance_nobody_can_change():
    covariance = np.eye(6)
    estimate = PoseEstimate(POSE, covariance, 'posenet')
    covariance[0, 0] = 7
    assert estimate.answered
    assert estimate.covariance[0, 0] == 1
    with pytest.raises(ValueError, match='read-only'):
        estimate.covariance[0, 0] = 0


def test_a_refusal_has_no_pose_but_a_reason():
    estimate = PoseEstimate.refused('posenet', 'too dark', 'not this place')
    assert not estimate.answered
    assert estimate.map_from_camera is None
    assert estimate.covariance is None
    assert estimate.reasons == ('too dark', 'not this place')
    with pytest.raises(GeometryError, match='reasons'):
        PoseEstimate.refused('posenet')


@pytest.mark.parametrize(
    ('covariance', 'message'),
    [
        (np.zeros((6, 6)), 'positive definite'),
        (np.diag([1, 1, 1, 1, 1, 0]), 'positive definite'),
        (np.diag([1, 1, 1, 1, 1, -1]), 'positive definite'),
        (np.eye(6) + np.eye(6, k=1), 'symmetric'),
        (np.diag([1, 1, 1, 1, 1, np.nan]), 'finite'),
        (np.eye(3), '6x6'),
    ],
)
def test_a_covariance_that_lies_is_refused(covariance, message):
    with pytest.raises(GeometryError, match=message):
        PoseEstimate(POSE, covariance, 'posenet')


def test_half_an_answer_is_refused():
    with pytest.raises(GeometryError, match='both'):
        PoseEstimate(POSE, None, 'posenet')
    with pytest.raises(GeometryError, match='both'):
        PoseEstimate(None, np.eye(6), 'posenet')


def test_it_is_referred_to_another_map_axes_and_all():
    turned = [Rotation.from_euler('z', angle, degrees=True) for angle in (30, 90)]
    estimate = PoseEstimate(
        Pose(turned[0], np.array([2.0, 0, 0]), 'map', 'camera'),
        np.diag([1.0, 2, 3, 4, 5, 6]),
        'posenet',
    )
    map_from_model = Pose(turned[1], np.array([10.0, 0, 0]), 'map', 'model')
    there = estimate.referred(map_from_model)
    np.testing.assert_allclose(there.map_from_camera.translation, [10, 2, 0], atol=1e-12)
    assert there.map_from_camera.rotation.as_euler('zyx', degrees=True)[0] == pytest.approx(120)
    np.testing.assert_allclose(np.diag(there.covariance), [2, 1, 3, 5, 4, 6])
    refused = PoseEstimate.refused('posenet', 'too dark')
    assert refused.referred(map_from_model) is refused
