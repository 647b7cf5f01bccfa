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
