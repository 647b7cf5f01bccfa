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

"""Fits of points to points."""

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import fit_similarity, Sim3, Trajectory
import pytest
from scipy.spatial.transform import Rotation

TILT = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)
TRUTH = Sim3(2.5, TILT, np.array([1.0, -2, 3]), 'map', 'sfm')


def cloud(count=20):
    return np.random.default_rng(1).normal(size=(count, 3))


def fit(source, target, **options):
    return fit_similarity(source, target, target='map', source='sfm', **options)


def angle(one, other):
    return (one.inv() * other).magnitude()


@pytest.mark.parametrize('count', [3, 4, 20])
def test_an_exact_similarity_is_recovered(count):
    found = fit(cloud(count), TRUTH.apply(cloud(count)))
    assert found.scale == pytest.approx(2.5)
    assert angle(found.rotation, TILT) < 1e-9
    np.testing.assert_allclose(found.translation, [1, -2, 3], atol=1e-9)
    assert (found.target, found.source) == ('map', 'sfm')


def test_points_in_a_plane_still_fix_the_rotation():
    flat = cloud() * [1, 1, 0]
    found = fit(flat, TRUTH.apply(flat))
    assert angle(found.rotation, TILT) < 1e-9


def test_a_rigid_fit_leaves_the_scale_at_one():
    found = fit(cloud(), TILT.apply(cloud()) + [1, -2, 3], with_scale=False)
    assert found.scale == 1
    pose = found.pose()
    assert (pose.target, pose.source) == ('map', 'sfm')
    np.testing.assert_allclose(pose.translation, [1, -2, 3], atol=1e-9)
    assert fit(cloud(), TRUTH.apply(cloud()), with_scale=False).scale == 1


def test_noise_is_averaged_in_the_least_squares_sense():
    noisy = TRUTH.apply(cloud(200)) + np.random.default_rng(2).normal(scale=0.05, size=(200, 3))
    found = fit(cloud(200), noisy)
    best = np.square(found.apply(cloud(200)) - noisy).sum()
    assert best < np.square(TRUTH.apply(cloud(200)) - noisy).sum()
    for nudge in (0.999, 1.001):
        other = Sim3(found.scale * nudge, found.rotation, found.translation, 'map', 'sfm')
        assert best < np.square(other.apply(cloud(200)) - noisy).sum()


def test_a_mirrored_cloud_gives_a_rotation_and_no_reflection():
    found = fit(cloud(), cloud() * [1, 1, -1])
    assert np.linalg.det(found.rotation.as_matrix()) == pytest.approx(1)


def test_a_mirrored_cloud_is_scaled_by_what_a_rotation_can_follow():
    # The variances along the axes are 2, 0.5 and 0.25; the last, mirrored, speaks against.
    flat = np.array([[2, 0, 0.5], [-2, 0, 0.5], [0, 1, -0.5], [0, -1, -0.5]])
    found = fit(flat, 4 * flat * [1, 1, -1])
    assert found.scale == pytest.approx(4 * (2 + 0.5 - 0.25) / (2 + 0.5 + 0.25))
    assert found.rotation.magnitude() < 1e-9


@pytest.mark.parametrize(
    ('points', 'complaint'),
    [
        (np.zeros((2, 3)), 'at least 3 pairs'),
        (np.zeros((5, 3)), 'one line or in one place'),
        (np.outer(np.arange(5), [1.0, 2, 3]), 'one line or in one place'),
        (np.zeros((5, 2)), 'two arrays'),
        (np.full((5, 3), np.nan), 'finite'),
    ],
)
def test_points_that_fix_no_rotation_are_refused(points, complaint):
    with pytest.raises(GeometryError, match=complaint):
        fit(points, points)


def test_unpaired_points_are_refused():
    with pytest.raises(GeometryError, match='paired'):
        fit(cloud(5), cloud(6))


def test_applied_to_poses_it_turns_and_scales_the_path_but_not_the_camera():
    path = Trajectory([1, 2], Rotation.identity(2), [[0, 0, 0], [1, 0, 0]], 'sfm', 'camera')
    moved = TRUTH.apply_to(path)
    assert (moved.target, moved.source) == ('map', 'camera')
    np.testing.assert_allclose(moved.translations[0], [1, -2, 3])
    step = moved.translations[1] - moved.translations[0]
    np.testing.assert_allclose(step, 2.5 * TILT.apply([1, 0, 0]))
    assert angle(moved[1].rotation, TILT) < 1e-9
    with pytest.raises(GeometryError, match='does not meet'):
        TRUTH.apply_to(moved)


def test_a_similarity_of_another_scale_is_no_pose():
    with pytest.raises(GeometryError, match=r'scale 2\.5'):
        TRUTH.pose()


def test_read_only_points_are_good_enough():
    points = cloud()
    points.flags.writeable = False
    assert TRUTH.apply(points).shape == (20, 3)
