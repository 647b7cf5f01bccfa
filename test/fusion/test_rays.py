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

"""Two rays and where they meet, by hand."""

import math

import numpy as np
from posenet_ros.fusion.rays import angles_off, cross, widest_angle
import pytest

X, Y, Z = np.eye(3)


def test_two_rays_meet_where_they_cross():
    found = cross(np.array([[0, 0, 0], [3, -2, 0.0]]), np.array([X, Y]))
    np.testing.assert_allclose(found.points_P3, [[3, 0, 0]])
    assert found.ahead_P.all()
    assert found.angles_P == pytest.approx([math.pi / 2])


def test_skew_rays_meet_in_the_middle_of_the_common_perpendicular():
    found = cross(np.array([[0, 0, 0], [3, -2, 1.0]]), np.array([X, Y]))
    np.testing.assert_allclose(found.points_P3, [[3, 0, 0.5]])


def test_what_is_behind_a_camera_is_not_ahead():
    found = cross(np.array([[0, 0, 0], [3, 2, 0.0]]), np.array([X, Y]))
    np.testing.assert_allclose(found.points_P3, [[3, 0, 0]])
    assert not found.ahead_P.any()


@pytest.mark.parametrize('second', [X, -X])
def test_parallel_lines_have_no_point(second):
    found = cross(np.array([[0, 0, 0], [0, 1, 0.0]]), np.array([X, second]))
    assert np.isnan(found.points_P3).all()
    assert found.angles_P == pytest.approx([0])
    assert not found.ahead_P.any()


def test_every_pair_is_there_once():
    found = cross(np.zeros((4, 3)), np.array([X, Y, Z, (X + Y) / math.sqrt(2)]))
    # 0 and 1, 0 and 2, 0 and 3, and so on.
    assert len(found.points_P3) == 6
    assert found.angles_P[2] == pytest.approx(math.pi / 4)
    assert len(cross(np.zeros((1, 3)), X[None]).points_P3) == 0


def test_angles_are_exact_where_they_are_small_and_where_they_are_pi():
    points = np.array([[1, 1e-9, 0], [1, 1, 0], [-1, 0, 0], [0, 0, 0]])
    (off,) = angles_off(points, np.zeros((1, 3)), X[None]).T
    assert off == pytest.approx([1e-9, math.pi / 4, math.pi, 0], rel=1e-6)
    assert np.isnan(angles_off(np.full((1, 3), np.nan), np.zeros((1, 3)), X[None])).all()


def test_the_widest_angle_is_that_of_lines():
    turned = np.array([math.cos(3), math.sin(3), 0])
    assert widest_angle(np.array([X, turned])) == pytest.approx(math.pi - 3)
    assert widest_angle(np.array([X, X, Y])) == pytest.approx(math.pi / 2)
    assert widest_angle(X[None]) == 0
