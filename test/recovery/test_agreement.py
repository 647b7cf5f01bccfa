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

import math

import numpy as np
from posenet_ros.recovery.agreement import pairwise, robust_mean, rotation_vectors, Stack
import pytest
from scipy.spatial.transform import Rotation


def mean_of(stack):
    return robust_mean(stack, stack.positions_N3[0], stack.matrices_N33[0])


def test_rotation_vectors_are_those_of_scipy():
    rng = np.random.default_rng(0)
    axes = rng.normal(size=(200, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = np.concatenate([[0, 1e-9, 1e-5, np.pi - 1e-9, np.pi], rng.uniform(0, np.pi, 195)])
    matrices = Rotation.from_rotvec(angles[:, None] * axes).as_matrix()
    found = rotation_vectors(matrices)
    back = Rotation.from_rotvec(found).as_matrix()
    np.testing.assert_allclose(back, matrices, atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), angles, atol=1e-7)


def test_pairs_are_apart_by_their_joint_covariance(pose, covariance):
    stack = Stack.of(
        [pose(0), pose(0.5), pose(0, 0, 10)],
        [covariance(0.3, 3), covariance(0.4, 4), covariance(0.3, 4)],
    )
    found = pairwise(stack)
    assert found[0, 1] == found[1, 0] == pytest.approx(1.0)
    assert found[0, 2] == pytest.approx(100 / 25)
    np.testing.assert_array_equal(np.diag(found), 0)


def test_the_mean_of_two_is_where_their_covariances_have_it(pose, covariance):
    # Informations 1 : 4, and both so near that both count.
    stack = Stack.of([pose(0), pose(0.01)], [covariance(0.2, 4), covariance(0.1, 2)])
    mean = mean_of(stack)
    assert mean.position[0] == pytest.approx(0.008, abs=1e-5)
    mean = mean_of(Stack.of([pose(0, 0, 170), pose(0, 0, -170)], [covariance(1, 30)] * 2))
    turned = Rotation.from_matrix(mean.matrix).as_euler('ZYX', degrees=True)
    assert abs(turned[0]) == pytest.approx(180, abs=1e-3)


@pytest.mark.parametrize('count', [1, 2, 30])
def test_no_number_of_frames_makes_the_mean_surer_than_one(pose, covariance, count):
    mean = mean_of(Stack.of([pose(1, 2, 30)] * count, [covariance(0.1, 2)] * count))
    np.testing.assert_allclose(mean.covariance, covariance(0.1, 2), rtol=1e-9)


def test_a_sure_frame_among_unsure_ones_counts_for_its_share(pose, covariance):
    # Covariance intersection of one sure and one unsure frame of the same weight.
    mean = mean_of(Stack.of([pose()] * 2, [covariance(0.1, 1), covariance(10, 100)]))
    assert math.sqrt(mean.covariance[0, 0]) == pytest.approx(0.1 * math.sqrt(2), rel=1e-3)


def test_what_frames_scatter_is_not_hidden_by_what_they_tell(pose, covariance):
    # They tell 1 cm, and lie 10 cm apart.
    stack = Stack.of([pose(-0.1), pose(0.1)], [covariance(0.01, 1)] * 2)
    mean = mean_of(stack)
    assert mean.covariance[0, 0] >= 0.009
    assert mean.spread[0] >= 0.1
    assert mean.intersection[0, 0] == pytest.approx(1e-4)


def test_one_far_away_hardly_pulls(pose, covariance):
    poses = [pose(0.01 * index) for index in range(5)] + [pose(5.0)]
    mean = mean_of(Stack.of(poses, [covariance(0.05, 2)] * 6))
    assert mean.position[0] == pytest.approx(0.02, abs=0.01)
    assert mean.weights_N[-1] < 1e-3


def test_intersection_holds_for_errors_that_are_all_the_same(pose, covariance):
    # Each frame is off by the same draw of its own covariance: 95 % must lie in the 95 % region.
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        error = rng.normal(0, 0.1, 2)
        poses = [pose(*error)] * 10
        mean = mean_of(Stack.of(poses, [covariance(0.1, 2)] * 10))
        plane = mean.covariance[:2, :2]
        inside += mean.position[:2] @ np.linalg.solve(plane, mean.position[:2]) < 5.99
    assert inside >= 180
