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

"""Poses from points and pixels, against poses that are known."""

from __future__ import annotations

import numpy as np
from posenet_ros.geometry import Camera, rays_of
from posenet_ros.landmarks.resection import (
    _linearised,
    Attitude,
    FEWEST_MATCHES,
    refine,
    resect,
)
import pytest
from scipy.spatial.transform import Rotation

FOCAL = 500.0
TRUE = Attitude(
    Rotation.from_euler('xyz', [0.3, -0.2, 1.1]).as_matrix(), np.array([2.0, -1.0, 0.5])
)
LENSES = [
    Camera(640, 480, 525.0, 520.0, 321.0, 238.0),
    Camera(640, 480, 400.0, 410.0, 321.0, 238.0, 'plumb_bob', (-0.28, 0.07, 1e-3, -2e-3, 0.01)),
    Camera(
        640, 480, 400.0, 410.0, 321.0, 238.0, 'rational_polynomial',
        (0.1, -0.05, 1e-3, 1e-3, 0.01, 0.12, 0.02, 0.001),
    ),
    Camera(640, 480, 280.0, 281.0, 321.0, 238.0, 'equidistant', (0.02, -0.01, 0.003, -0.001)),
]  # fmt: skip


def scene(count=60, *, seed=0, noise=0.0, flat=False):
    """Return points ahead of the true pose and where they are seen on the plane ahead."""
    rng = np.random.default_rng(seed)
    depth = np.full(count, 4.0) if flat else rng.uniform(2, 8, count)
    plane = rng.uniform(-0.5, 0.5, (count, 2))
    own = np.column_stack([plane, np.ones(count)]) * depth[:, None]
    points = own @ TRUE.map_from_image.T + TRUE.centre
    return points, plane + rng.normal(0, noise / FOCAL, plane.shape)


def apart(one, other):
    turn = Rotation.from_matrix(one.map_from_image @ other.map_from_image.T)
    return np.concatenate([one.centre - other.centre, turn.as_rotvec()])


def nudged(attitude, step):
    turn = Rotation.from_rotvec(step[3:]).as_matrix()
    return Attitude(turn @ attitude.map_from_image, attitude.centre + step[:3])


@pytest.mark.parametrize('camera', LENSES, ids=lambda camera: camera.distortion)
def test_rays_are_where_points_are_whatever_the_lens(camera, project_points):
    rng = np.random.default_rng(0)
    plane = rng.uniform(-0.6, 0.6, (50, 2))
    points = np.column_stack([plane, np.ones(50)]) * rng.uniform(1, 9, (50, 1))
    pixels = project_points(camera, points)
    np.testing.assert_allclose(rays_of(camera, pixels), plane, atol=2e-4)
    middle = rays_of(camera, np.array([[camera.cx, camera.cy]]))
    np.testing.assert_allclose(middle, [[0, 0]], atol=1e-9)
    assert rays_of(camera, np.zeros((0, 2))).shape == (0, 2)


def test_points_are_turned_into_the_axes_of_the_image():
    # Looks along the map's x, its right is the map's -y, and its down is the map's -z.
    attitude = Attitude(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(attitude.into_image([[4.0, 1.0, 1.0]]), [[1, 2, 3]])


@pytest.mark.parametrize('flat', [False, True])
def test_the_pose_of_exact_matches_is_found(flat):
    points, rays = scene(flat=flat)
    attitude, agree = resect(points, rays, FOCAL)
    assert agree.tolist() == list(range(60))
    assert np.abs(apart(attitude, TRUE)).max() < 1e-3
    refined = refine(points, rays, attitude, FOCAL)
    assert np.abs(apart(refined.attitude, TRUE)).max() < 1e-8
    assert refined.error_px < 1e-6


def test_matches_that_are_wrong_do_not_agree():
    points, rays = scene(noise=0.5)
    wrong = np.arange(60) % 3 != 0
    rays[wrong] = np.random.default_rng(1).uniform(-0.5, 0.5, (wrong.sum(), 2))
    attitude, agree = resect(points, rays, FOCAL)
    assert set(np.flatnonzero(~wrong)) <= set(agree.tolist())
    assert len(agree) <= (~wrong).sum() + 2
    assert np.linalg.norm(apart(attitude, TRUE)[:3]) < 0.05


def test_the_same_matches_give_the_same_pose():
    points, rays = scene(noise=2.0)
    rays[::2] = np.random.default_rng(1).uniform(-0.5, 0.5, (30, 2))
    (one, first), (other, second) = (resect(points, rays, FOCAL) for _ in range(2))
    np.testing.assert_array_equal(one.map_from_image, other.map_from_image)
    np.testing.assert_array_equal(one.centre, other.centre)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize('count', range(FEWEST_MATCHES))
def test_too_few_matches_have_no_pose(count):
    points, rays = scene(count)
    assert resect(points, rays, FOCAL) is None
    assert refine(points, rays, TRUE, FOCAL) is None


def test_few_matches_that_agree_have_one():
    points, rays = scene(FEWEST_MATCHES)
    attitude, _ = resect(points, rays, FOCAL)
    assert np.abs(apart(attitude, TRUE)).max() < 1e-3


def test_matches_without_a_pose_have_none():
    points, _ = scene(12)
    rays = np.random.default_rng(5).uniform(-0.5, 0.5, (12, 2))
    found = resect(points, rays, FOCAL)
    assert found is None or len(found[1]) < 9


@pytest.mark.parametrize(
    'points',
    [np.zeros((20, 3)), np.full((20, 3), np.nan), np.full((20, 3), 1e30)],
    ids=['one place', 'nan', 'far beyond'],
)
def test_points_that_are_no_scene_end_in_no_pose(points):
    _, rays = scene(20)
    found = resect(points, rays, FOCAL)
    if found is not None:
        refined = refine(points, rays, found[0], FOCAL)
        assert refined is None or np.linalg.matrix_rank(refined.information) != 6


def test_the_jacobian_is_that_of_differences():
    points, rays = scene(20, noise=3.0)
    jacobian, error, weight = _linearised(points, rays, TRUE, FOCAL)
    assert jacobian.shape == (40, 6)
    step = 1e-6
    for column in range(6):
        ahead, behind = (
            _linearised(points, rays, nudged(TRUE, sign * step * np.eye(6)[column]), FOCAL)[1]
            for sign in (1, -1)
        )
        slope = (ahead - behind) / (2 * step)
        np.testing.assert_allclose(jacobian[:, column], slope, rtol=1e-5, atol=1e-4)
    sizes = np.repeat((error.reshape(-1, 2) ** 2).sum(axis=1), 2)
    np.testing.assert_allclose(weight, 1 / (1 + sizes))


def test_errors_are_told_in_pixels():
    points, rays = scene()
    _, error, _ = _linearised(points, rays + [3 / FOCAL, 0], TRUE, FOCAL)
    # In units of 1.5 pixels.
    np.testing.assert_allclose(error.reshape(-1, 2), [[-2, 0]] * 60, atol=1e-9)


def test_a_rough_start_is_refined():
    points, rays = scene(noise=0.3)
    start = nudged(TRUE, np.array([0.1, -0.1, 0.08, 0.02, -0.03, 0.02]))
    refined = refine(points, rays, start, FOCAL)
    assert np.linalg.norm(apart(refined.attitude, TRUE)[:3]) < 0.01
    assert 0.1 < refined.error_px < 0.6


def test_large_errors_count_for_little():
    points, rays = scene(noise=0.3)
    rays[:12] += 0.1
    refined = refine(points, rays, TRUE, FOCAL)
    assert np.linalg.norm(apart(refined.attitude, TRUE)[:3]) < 0.015


@pytest.mark.parametrize('depth', [0.04, 0.0, -3.0])
def test_a_point_that_is_not_ahead_holds_no_pose(depth):
    points, rays = scene()
    points[7] = TRUE.centre + depth * TRUE.map_from_image[:, 2]
    assert refine(points, rays, TRUE, FOCAL) is None


def test_the_information_is_what_errors_scatter_by():
    """Mahalanobis distances of many noisy trials have the mean of a chi-square of 6: 6."""
    noise = 0.5
    distances = []
    for seed in range(300):
        points, exact = scene(80)
        rng = np.random.default_rng(1000 + seed)
        rays = exact + rng.normal(0, noise / FOCAL, exact.shape)
        refined = refine(points, rays, TRUE, FOCAL)
        error = apart(refined.attitude, TRUE)
        # It is told for noise of 1.5 pixels.
        distances.append(error @ refined.information @ error * (1.5 / noise) ** 2)
    # Weights that are below one tell a little less than there is.
    assert 4.5 < np.mean(distances) < 6.6
    # A chi-square of 6 is above 12.6 in a twentieth of the cases.
    assert 0.01 < np.mean(np.array(distances) > 12.6) < 0.09


def test_information_grows_with_points_and_falls_with_distance():
    few, many = (
        np.linalg.inv(refine(*scene(count), TRUE, FOCAL).information) for count in (40, 160)
    )
    assert np.trace(many[:3, :3]) < np.trace(few[:3, :3]) / 2
    points, rays = scene(40)
    twice = refine(TRUE.centre + 2 * (points - TRUE.centre), rays, TRUE, FOCAL)
    far = np.linalg.inv(twice.information)
    np.testing.assert_allclose(far[:3, :3], 4 * few[:3, :3], rtol=1e-6)
    np.testing.assert_allclose(far[3:, 3:], few[3:, 3:], rtol=1e-6)
