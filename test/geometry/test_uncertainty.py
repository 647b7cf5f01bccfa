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

"""What happens to small errors of a pose, tried with small errors."""

from __future__ import annotations

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import (
    check_covariance,
    covariance_at_lever,
    covariance_in_axes,
    covariance_of,
    Pose,
    pose_error,
)
import pytest
from scipy.spatial.transform import Rotation

BODY = Pose(
    Rotation.from_euler('xyz', (10, 20, 30), degrees=True), np.array([1.0, 2, 3]), 'map', 'camera'
)
MOUNT = Pose(
    Rotation.from_euler('xyz', (-40, 5, 70), degrees=True),
    np.array([0.3, -0.2, 1]),
    'camera',
    'base',
)
ERROR = 1e-6 * np.array([3.0, -2, 1, 0.5, -4, 2])


def off_by(pose, error):
    return Pose(
        Rotation.from_rotvec(error[3:]) * pose.rotation,
        pose.translation + error[:3],
        pose.target,
        pose.source,
    )


def test_an_error_is_along_and_about_the_axes_of_the_map():
    np.testing.assert_allclose(pose_error(off_by(BODY, ERROR), BODY), ERROR, atol=1e-15)
    with pytest.raises(GeometryError, match='no estimate of'):
        pose_error(BODY, BODY @ MOUNT)


def test_another_point_of_the_body_swings_with_errors_of_rotation():
    # The same error seen at the other point, by composing the poses themselves.
    there = BODY @ MOUNT
    moved = pose_error(off_by(BODY, ERROR) @ MOUNT, there)
    lever = there.translation - BODY.translation
    found = covariance_at_lever(np.outer(ERROR, ERROR), lever)
    np.testing.assert_allclose(found, np.outer(moved, moved), rtol=1e-3, atol=1e-17)
    # A yaw error of 0.1 rad at 2 m ahead is 0.2 m aside.
    found = covariance_at_lever(np.diag([0, 0, 0, 0, 0, 0.01]), [2.0, 0, 0])
    assert found[1, 1] == pytest.approx(0.04)
    assert found[1, 5] == pytest.approx(0.02)
    assert found[0, 0] == 0


def test_levers_come_in_stacks():
    covariances = np.stack([np.diag([1.0, 2, 3, 4, 5, 6]), np.eye(6)])
    levers = np.array([[1.0, 2, 3], [-1, 0, 2]])
    found = covariance_at_lever(covariances, levers)
    for each, covariance, lever in zip(found, covariances, levers, strict=True):
        np.testing.assert_allclose(each, covariance_at_lever(covariance, lever))


def test_axes_turn_both_parts():
    turn = Rotation.from_euler('z', 90, degrees=True)
    found = covariance_in_axes(np.diag([1.0, 2, 3, 4, 5, 6]), turn)
    np.testing.assert_allclose(found, np.diag([2.0, 1, 3, 5, 4, 6]), atol=1e-12)


@pytest.mark.parametrize(
    ('covariance', 'message'),
    [
        (np.eye(5), '6x6'),
        (np.full((6, 6), np.nan), 'finite'),
        (np.diag([1.0, 1, 1, 1, 1, 0]), 'positive definite'),
        (np.eye(6) + np.eye(6, k=1), 'symmetric'),
    ],
)
def test_what_is_no_covariance_is_refused(covariance, message):
    with pytest.raises(GeometryError, match=message):
        check_covariance(covariance)


def test_a_covariance_is_copied_for_reading():
    given = np.eye(6)
    kept = check_covariance(given)
    given[0, 0] = -1
    assert kept[0, 0] == 1
    with pytest.raises(ValueError, match='read-only'):
        kept[0, 0] = 2


def test_a_covariance_is_the_inverse_of_an_information():
    mixed = np.random.default_rng(0).normal(size=(5, 6, 6))
    # Metres and radians, of which much and little is known.
    scale = np.array([1, 30, 1e3, 1e2, 1e4, 1])
    information = scale[:, None] * (mixed @ mixed.transpose(0, 2, 1) + np.eye(6)) * scale
    expected = np.linalg.inv(information)
    np.testing.assert_allclose(covariance_of(information), expected, rtol=1e-6)


def test_an_information_that_rounding_made_negative_is_still_one():
    direction = np.ones(6) / np.sqrt(6)
    information = 1e5 * (np.eye(6) - (1 + 1e-9) * np.outer(direction, direction))
    assert np.linalg.eigvalsh(information)[0] < 0
    covariance = check_covariance(covariance_of(information))
    # Of that direction nothing is known; of the others all.
    assert direction @ covariance @ direction > 1
    assert np.linalg.eigvalsh(covariance)[-2] == pytest.approx(1e-5, rel=0.01)


def test_no_information_at_all_is_a_large_covariance():
    covariance = check_covariance(covariance_of(np.zeros((6, 6))))
    assert (np.diag(covariance) > 1e10).all()
