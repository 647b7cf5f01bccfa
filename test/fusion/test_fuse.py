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

"""Poses of neighbours: exact ones, wrong ones, and those that say nothing."""

from dataclasses import replace
import math

import numpy as np
from posenet_ros.errors import ConfigError, GeometryError
from posenet_ros.fusion import (
    fuse,
    fuse_as_published,
    FusionOptions,
    Neighbours,
    Noise,
    PositionOptions,
)
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation

SIZE_M = 5.0
TWO = FusionOptions(PositionOptions(least=2))
ONE = FusionOptions(PositionOptions(least=1))
IMAGE = Pose(
    Rotation.from_euler('xyz', (10, 20, 30), degrees=True), [1.0, -2.0, 0.5], 'map', 'camera'
)


def scene(seed, count=10):
    """Known cameras around a room of 5 m, and where each has the image, exactly."""
    rng = np.random.default_rng(seed)
    known = [
        Pose(rotation, centre, 'map', 'neighbour')
        for rotation, centre in zip(
            Rotation.random(count, random_state=rng),
            rng.uniform(-SIZE_M / 2, SIZE_M / 2, (count, 3)),
            strict=True,
        )
    ]
    return known, [pose.inverse() @ IMAGE for pose in known]


def spoilt(relative, wrong, seed, degrees=0.0):
    """Turn some relative poses into any, and all others by about so many degrees."""
    rng = np.random.default_rng(seed)
    found = []
    for index, pose in enumerate(relative):
        direction = pose.translation / np.linalg.norm(pose.translation)
        turns = Rotation.from_rotvec(np.radians(degrees) * rng.standard_normal((2, 3)))
        rotation, direction = turns[0] * pose.rotation, turns[1].apply(direction)
        if index in wrong:
            rotation = Rotation.random(random_state=rng)
            direction = rng.standard_normal(3)
        found.append(Pose(rotation, direction, 'neighbour', 'camera'))
    return found


def off(found):
    metres, radians = found.distance(IMAGE)
    return metres, math.degrees(radians)


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('distances', [False, True])
def test_exact_relative_poses_give_the_exact_pose(seed, distances):
    neighbours = Neighbours.from_relative(*scene(seed), distances=distances)
    fused = fuse(neighbours)
    assert off(fused.map_from_camera) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    assert fused.agree_N.all()
    assert fused.turned_N.all()
    assert off(fuse_as_published(neighbours)) == (
        pytest.approx(0, abs=1e-6),
        pytest.approx(0, abs=1e-6),
    )


def test_four_of_ten_may_be_wrong():
    """A thousand seeded trials: within 1 % of the scene and 1 deg in 99 %."""
    good = 0
    for seed in range(1000):
        known, relative = scene(seed)
        wrong = np.random.default_rng(seed).choice(10, 4, replace=False)
        relative = spoilt(relative, wrong, seed)
        fused = fuse(Neighbours.from_relative(known, relative, distances=False))
        if fused.map_from_camera is not None:
            metres, degrees = off(fused.map_from_camera)
            good += metres < 0.01 * SIZE_M and degrees < 1
    assert good >= 990


def test_the_covariance_is_as_large_as_errors_are():
    """Directions and rotations off by what the noise is said to be: chi2 of 3 each."""
    noise = Noise(angle_rad=math.radians(2), rotation_rad=math.radians(2), floor_m=1e-3)
    options = FusionOptions(PositionOptions(noise=noise))
    position, rotation = [], []
    for seed in range(300):
        known, relative = scene(seed)
        fused = fuse(
            Neighbours.from_relative(known, spoilt(relative, [], seed, 2.0), distances=False),
            options,
        )
        error = fused.map_from_camera.translation - IMAGE.translation
        turn = (fused.map_from_camera.rotation * IMAGE.rotation.inv()).as_rotvec()
        position.append(error @ np.linalg.solve(fused.covariance[:3, :3], error))
        rotation.append(turn @ np.linalg.solve(fused.covariance[3:, 3:], turn))
    # Directions are turned about three axes, of which two move them.
    assert 2.0 < np.mean(position) < 4.0
    # One neighbour's, although these are wrong each in its own way.
    assert np.mean(rotation) < 1.0


@pytest.mark.parametrize('spread_m', [0.005, 0.02, 0.1, 0.2, 0.5, 1.0, 2.0])
@pytest.mark.parametrize('count', [5, 10])
def test_noisy_rays_from_nearly_one_place_are_no_crossing(spread_m, count):
    """Whatever is answered is as wrong as its covariance says, and from one place nothing is."""
    answered, squared = 0, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        centres = IMAGE.translation + [2.0, 0, 0] + spread_m * rng.standard_normal((count, 3))
        rays = IMAGE.translation - centres
        turns = Rotation.from_rotvec(math.radians(6) * rng.standard_normal((count, 3)))
        rotations = np.repeat(IMAGE.rotation.as_matrix()[None], count, axis=0)
        fused = fuse(Neighbours.of(centres, turns.apply(rays), rotations))
        if fused.map_from_camera is not None:
            answered += 1
            error = fused.map_from_camera.translation - IMAGE.translation
            squared.append(error @ np.linalg.solve(fused.covariance[:3, :3], error))
    if spread_m <= 0.1:
        assert answered <= 2
    if spread_m >= 2.0:
        assert answered > 50
    # 16.3: one in a thousand, were errors normal. Rays that are barely not parallel cross too
    # near; few of those are answered.
    assert sum(each > 16.3 for each in squared) <= 3


def test_who_agrees_on_the_position_must_agree_on_the_rotation():
    known, relative = scene(7, 12)
    turned = [
        replace(pose, rotation=pose.rotation * Rotation.random(random_state=number))
        if number < 4
        else pose
        for number, pose in enumerate(relative)
    ]
    rays = [
        replace(pose, translation=-pose.translation) if number >= 5 else pose
        for number, pose in enumerate(turned)
    ]
    fused = fuse(Neighbours.from_relative(known, rays, distances=False))
    assert fused.map_from_camera is None
    assert fused.agree_N.sum() == 5
    assert 'agree on both' in fused.reasons[0]


@pytest.mark.parametrize('count', [5, 10, 20])
def test_random_directions_are_hardly_ever_taken_for_a_place(count):
    taken = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rotations = np.repeat(np.eye(3)[None], count, axis=0)
        directions = rng.standard_normal((count, 3))
        centres = rng.uniform(-2.5, 2.5, (count, 3))
        taken += fuse(Neighbours.of(centres, directions, rotations)).map_from_camera is not None
    assert taken <= 2


def test_distances_help_and_a_wrong_one_hardly_harms():
    known, relative = scene(3)
    noisy = spoilt(relative, [], 3, 3.0)
    lengths = [np.linalg.norm(pose.translation) for pose in relative]
    told = [
        Pose(pose.rotation, length * pose.translation, 'neighbour', 'camera')
        for pose, length in zip(noisy, lengths, strict=True)
    ]
    assert off(fuse(Neighbours.from_relative(known, told)).map_from_camera)[0] < 0.15
    worse = told[:]
    worse[0] = replace(told[0], translation=20 * told[0].translation)
    assert off(fuse(Neighbours.from_relative(known, worse)).map_from_camera)[0] < 0.2


def test_two_neighbours_do_where_that_is_allowed():
    known, relative = scene(1, 2)
    neighbours = Neighbours.from_relative(known, relative, distances=False)
    fused = fuse(neighbours, TWO)
    assert off(fused.map_from_camera) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    refused = fuse(neighbours)
    assert refused.map_from_camera is refused.covariance is None
    assert refused.reasons == ('2 of 2 neighbours agree, and 3 must',)
    # Where to look is known all the same.
    assert off(refused.guess)[0] == pytest.approx(0, abs=1e-6)


def test_one_neighbour_does_with_a_distance_alone():
    known, relative = scene(1, 1)
    fused = fuse(Neighbours.from_relative(known, relative), ONE)
    assert off(fused.map_from_camera) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    # Along the ray it is less sure than across.
    ray = IMAGE.translation - known[0].translation
    along = ray @ fused.covariance[:3, :3] @ ray / (ray @ ray)
    assert along == pytest.approx(np.linalg.eigvalsh(fused.covariance[:3, :3])[-1])
    refused = fuse(Neighbours.from_relative(known, relative, distances=False), ONE)
    assert refused.reasons == ('no rays cross ahead of their cameras',)
    assert off(refused.guess)[0] == pytest.approx(np.linalg.norm(ray))


def on_a_line(*at):
    known = [
        Pose(Rotation.identity(), IMAGE.translation + [x, 0, 0], 'map', 'neighbour') for x in at
    ]
    return known, [pose.inverse() @ IMAGE for pose in known]


@pytest.mark.parametrize('at', [(-3, -2, -1), (-2, 1, 2), (-2, -2, -2)])
def test_cameras_on_one_line_with_the_image_or_all_the_same_leave_it_open(at):
    known, relative = on_a_line(*at)
    fused = fuse(Neighbours.from_relative(known, relative, distances=False))
    assert fused.map_from_camera is None
    assert fused.reasons == ('no rays cross ahead of their cameras',)
    np.testing.assert_array_equal(fused.guess.translation, known[0].translation)
    assert off(fused.guess)[1] == pytest.approx(0, abs=1e-6)
    # With distances it is known, and surer across the line than along it.
    fused = fuse(Neighbours.from_relative(known, relative))
    assert off(fused.map_from_camera)[0] == pytest.approx(0, abs=1e-6)
    variances = np.diag(fused.covariance)[:3]
    assert variances[0] > 4 * variances[1]


def test_rays_nearly_parallel_do_not_pass_for_a_crossing():
    known = [
        Pose(Rotation.identity(), IMAGE.translation + [-4, y, 0], 'map', 'neighbour')
        for y in (-0.1, 0.0, 0.1)
    ]
    relative = [pose.inverse() @ IMAGE for pose in known]
    fused = fuse(Neighbours.from_relative(known, relative, distances=False))
    assert fused.map_from_camera is None


def test_a_map_turned_and_moved_turns_and_moves_the_answer():
    known, relative = scene(4)
    relative = spoilt(relative, [1, 5], 4, 3.0)
    moved = Pose(Rotation.from_euler('xyz', (40, -20, 70), degrees=True), [7, 8, 9], 'new', 'map')
    there = [(moved @ pose).renamed(target='map') for pose in known]
    one = fuse(Neighbours.from_relative(known, relative, distances=False))
    other = fuse(Neighbours.from_relative(there, relative, distances=False))
    expected = (moved @ one.map_from_camera).renamed(target='map')
    metres, radians = expected.distance(other.map_from_camera)
    assert metres < 1e-6
    assert radians < 1e-6
    turn = np.kron(np.eye(2), moved.rotation.as_matrix())
    np.testing.assert_allclose(turn @ one.covariance @ turn.T, other.covariance, atol=1e-9)


def telling(ends_N3, deviations_N3, centres_N3=None, rotations_N33=None):
    """Neighbours at 0 (or elsewhere) whose ways end at such points, as sure of it as told."""
    ends = np.array(ends_N3, dtype=float)
    centres = np.zeros_like(ends) if centres_N3 is None else np.array(centres_N3, dtype=float)
    ways = ends - centres
    if rotations_N33 is None:
        rotations_N33 = np.repeat(np.eye(3)[None], len(ends), axis=0)
    return Neighbours.of(centres, ways, rotations_N33, np.linalg.norm(ways, axis=1), deviations_N3)


def test_what_tells_its_errors_counts_by_them():
    """Two of one way: along it the mean weighs them by their variances, and so does across it."""
    sure, unsure = [0.1, 0.05, 0.02], [0.2, 0.1, 0.04]
    found = fuse(telling([[1.0, 0, 0], [1.1, 0, 0]], [sure, unsure]), TWO)
    assert found.map_from_camera.translation == pytest.approx([1.02, 0, 0], abs=1e-9)
    across, along = 1 / (1 / 0.1**2 + 1 / (0.2 * 1.02) ** 2), 1 / (1 / 0.05**2 + 1 / 0.1**2)
    variances = np.diag(found.covariance)
    assert variances[0] == pytest.approx(along, rel=1e-6)
    # Of the sure one the point lies beyond its end, where its ray is wider, as it is of a ray.
    assert variances[1:3] == pytest.approx([across, across], rel=0.03)
    # As unsure as one of the two, and rather the sure one.
    assert found.covariance[3, 3] == pytest.approx(2 / (0.02**-2 + 0.04**-2))


def test_directions_that_are_not_known_leave_the_middle():
    """Cameras all around, each sure of being near and of nothing else: no ray says where."""
    rng = np.random.default_rng(0)
    centres = 0.3 * Rotation.random(8, random_state=rng).as_matrix()[:, 0]
    anywhere = 0.05 * Rotation.random(8, random_state=rng).as_matrix()[:, 0]
    found = fuse(telling(centres + anywhere, np.full((8, 3), 0.3), centres))
    assert found.agree_N.all()
    expected = (centres + anywhere).mean(axis=0)
    assert found.map_from_camera.translation == pytest.approx(expected, abs=0.02)
    # As an angle at which rays agree, none of it would do.
    usual = fuse(telling(centres + anywhere, None, centres))
    assert usual.map_from_camera is None


@pytest.mark.parametrize('scale', [0.5, 1.0, 3.0])
def test_the_covariance_is_as_large_as_told_errors_are(scale):
    """Each is as wrong as it tells, some ten times more than others: chi2 of 3 each."""
    position = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        centres = rng.uniform(-2, 2, (10, 3)) + [4.0, 0, 0]
        deviations = scale * rng.choice([0.02, 0.05, 0.2], (10, 3))
        lengths = np.linalg.norm(centres, axis=1)
        ways = -centres / lengths[:, None]
        off_N3 = deviations[:, :1] * rng.standard_normal((10, 3))
        off_N3 -= np.einsum('ni,ni->n', off_N3, ways)[:, None] * ways
        off_N3 += (deviations[:, 1] * rng.standard_normal(10))[:, None] * ways
        error = fuse(telling(off_N3, deviations, centres))
        left = error.map_from_camera.translation
        position.append(left @ np.linalg.solve(error.covariance[:3, :3], left))
    assert 2.0 < np.mean(position) < 4.0


@pytest.mark.parametrize('count', [2, 5, 20])
def test_errors_that_are_alike_do_not_average_out(count):
    """A quarter of the variance is common to all: chi2 of at most 3 for few and for many."""
    options = FusionOptions(PositionOptions(least=2, alike=0.25))
    squared = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        centres = rng.uniform(-2, 2, (count, 3)) + [4.0, 0, 0]
        common, own = rng.standard_normal(3), rng.standard_normal((count, 3))
        ends = 0.1 * (math.sqrt(0.25) * common + math.sqrt(0.75) * own)
        found = fuse(telling(ends, np.full((count, 3), 0.1), centres), options)
        if found.map_from_camera is not None:
            error = found.map_from_camera.translation
            squared.append(error @ np.linalg.solve(found.covariance[:3, :3], error))
    assert len(squared) > 170
    # A little too careful, since a covariance grows by what differs and never shrinks.
    assert 1.5 < np.mean(squared) < 3.5


def test_one_that_is_sure_and_wrong_is_left_out():
    ends = np.tile([1.0, 2.0, 0.5], (6, 1))
    ends[2] = [3.0, 0.0, 0.5]
    deviations = np.tile([0.2, 0.2, 0.1], (6, 1))
    deviations[2] = 0.01
    centres = np.random.default_rng(0).uniform(-3, 3, (6, 3))
    found = fuse(telling(ends, deviations, centres))
    assert found.agree_N.tolist() == [True, True, False, True, True, True]
    assert found.map_from_camera.translation == pytest.approx([1.0, 2.0, 0.5], abs=1e-6)


def test_who_knows_nothing_confirms_nothing():
    """One that is sure and wrong, among nine that would agree with anything."""
    ends = np.zeros((10, 3))
    ends[0] = [8.0, 8.0, 8.0]
    deviations = np.tile([20.0, 20.0, 2.0], (10, 1))
    deviations[0] = [0.01, 0.01, 0.05]
    centres = np.random.default_rng(0).uniform(-3, 3, (10, 3))
    turns = Rotation.random(10, random_state=1).as_matrix()
    found = fuse(telling(ends, deviations, centres, turns))
    # It is no surer than others confirm: several metres.
    error = found.map_from_camera.translation
    assert error @ np.linalg.solve(found.covariance[:3, :3], error) < 16.3
    assert np.sqrt(np.diag(found.covariance)[:3]).min() > 1
    assert np.sqrt(np.diag(found.covariance)[3:]).min() > 0.3


@pytest.mark.parametrize('wrong_m', [0.3, 1.0, 3.0])
def test_one_that_is_surer_than_it_should_be_is_not_believed_alone(wrong_m):
    beyond = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        ends = 0.5 * rng.standard_normal((10, 3))
        ends[0] = [wrong_m, 0.0, 0.0]
        deviations = np.tile([0.5, 0.5, 0.2], (10, 1))
        deviations[0] = [0.05, 0.05, 0.05]
        found = fuse(telling(ends, deviations, rng.uniform(-3, 3, (10, 3))))
        if found.map_from_camera is not None:
            error = found.map_from_camera.translation
            beyond += error @ np.linalg.solve(found.covariance[:3, :3], error) > 16.3
    assert beyond <= 1


def test_neighbours_that_tell_and_that_do_not_go_together():
    whole = Neighbours.from_relative(*scene(3), distances=True)
    told = np.full((10, 3), np.nan)
    told[::2] = 0.05
    parts = (whole.centres_N3, whole.directions_N3, whole.rotations_N33, whole.distances_N)
    found = fuse(Neighbours.of(*parts, told))
    assert off(found.map_from_camera) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    assert found.agree_N.all()
    # Distances that are not told leave rays, whatever they tell of how sure they are.
    rays = fuse(Neighbours.of(*parts[:3], None, told))
    assert off(rays.map_from_camera)[0] == pytest.approx(0, abs=1e-6)


def test_a_single_one_has_the_covariance_that_it_tells():
    found = fuse(telling([[0.0, 0.0, 2.0]], [[0.1, 0.3, 0.05]]), ONE)
    np.testing.assert_allclose(
        np.sqrt(np.diag(found.covariance)), [0.1, 0.1, 0.3, 0.05, 0.05, 0.05], rtol=1e-6
    )


def test_a_way_of_no_length_is_as_wide_as_it_tells():
    """From close by nobody knows the direction, and farther on the ray does not widen."""
    ends, centres = np.zeros((4, 3)), np.zeros((4, 3))
    centres[:, 0] = [-0.002, 0.002, -0.002, 0.002]
    ends[:2, 1], ends[2:, 1] = 0.1, -0.1
    found = fuse(telling(ends + centres, np.tile([0.1, 0.1, 0.1], (4, 1)), centres))
    assert found.map_from_camera.translation == pytest.approx([0, 0, 0], abs=1e-3)
    assert np.sqrt(np.diag(found.covariance)[:3]) == pytest.approx([0.05] * 3, rel=0.35)


@pytest.mark.parametrize('value', [0.0, 1e-200, 1e-9, 1e9, np.inf])
def test_nobody_is_as_sure_as_that_or_as_unsure(value):
    whole = Neighbours.from_relative(*scene(2), distances=True)
    parts = (whole.centres_N3, whole.directions_N3, whole.rotations_N33, whole.distances_N)
    for some in (slice(0, 10), slice(0, 1)):
        told = np.full((10, 3), 0.1)
        told[some] = value
        found = fuse(Neighbours.of(*parts, told))
        assert np.isfinite(found.guess.translation).all()
        if found.map_from_camera is not None:
            assert np.linalg.eigvalsh(found.covariance).min() > 1e-9


@pytest.mark.parametrize('value', [np.nan, -1.0])
def test_deviations_that_are_none_are_the_usual_ones(value):
    whole = Neighbours.from_relative(*scene(2), distances=True)
    parts = (whole.centres_N3, whole.directions_N3, whole.rotations_N33, whole.distances_N)
    told = np.full((10, 3), 0.1)
    told[:, 1] = value
    neighbours = Neighbours.of(*parts, told)
    assert np.isnan(neighbours.deviations_N3).all()
    np.testing.assert_allclose(fuse(neighbours).covariance, fuse(whole).covariance, rtol=1e-5)
    with pytest.raises(GeometryError):
        Neighbours.of(*parts, told[:5])


def broken(field, value):
    """Ten exact neighbours, the third of which is spoilt."""
    whole = Neighbours.from_relative(*scene(2), distances=True)
    parts = [
        np.array(each)
        for each in (
            whole.centres_N3,
            whole.directions_N3,
            whole.rotations_N33,
            whole.distances_N,
        )
    ]
    parts[field][2] = value
    return Neighbours.of(*parts)


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        (0, np.nan),
        (0, np.inf),
        (0, 1e200),
        (1, 1e300),
        (1, np.nan),
        (1, 0.0),
        (2, np.nan),
        (2, 1.0),
        (2, -np.eye(3)),
    ],
)
def test_what_says_nothing_is_left_out(field, value):
    neighbours = broken(field, value)
    assert neighbours.usable_N.tolist() == [index != 2 for index in range(10)]
    fused = fuse(neighbours)
    assert off(fused.map_from_camera) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    assert not fused.agree_N[2]
    assert off(fuse_as_published(neighbours))[0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize('value', [np.nan, np.inf, -1.0, 1e200])
def test_a_distance_that_is_none_leaves_the_ray(value):
    neighbours = broken(3, value)
    assert neighbours.usable_N.all()
    assert math.isnan(neighbours.distances_N[2])
    fused = fuse(neighbours)
    assert fused.agree_N[2]
    assert off(fused.map_from_camera)[0] == pytest.approx(0, abs=1e-6)


def test_of_nothing_there_is_nothing():
    for neighbours in (
        Neighbours.of([], [], []),
        Neighbours.of(*[np.full(shape, np.nan) for shape in ((4, 3), (4, 3), (4, 3, 3))]),
    ):
        fused = fuse(neighbours)
        assert fused.map_from_camera is fused.covariance is fused.guess is None
        assert fused.reasons
        assert fuse_as_published(neighbours) is None
        assert neighbours.nearest() is None


def test_the_published_solver_is_blind_to_signs_and_falls_back_on_the_nearest():
    known, relative = scene(6)
    turned = [replace(pose, translation=-pose.translation) for pose in relative]
    blind = fuse_as_published(Neighbours.from_relative(known, turned))
    assert off(blind)[0] == pytest.approx(0, abs=1e-6)
    assert fuse(Neighbours.from_relative(known, turned, distances=False)).map_from_camera is None
    known, relative = on_a_line(-2, -2, -2)
    nearest = fuse_as_published(Neighbours.from_relative(known, relative))
    np.testing.assert_array_equal(nearest.translation, known[0].translation)


@pytest.mark.parametrize(
    'make',
    [
        lambda: Noise(angle_rad=0.0),
        lambda: Noise(distance=math.inf),
        lambda: PositionOptions(least=0),
        lambda: PositionOptions(within_rad=0.0),
        lambda: PositionOptions(share=1.0),
        lambda: PositionOptions(alike=1.5),
        lambda: FusionOptions(rotation_within_rad=4.0),
    ],
)
def test_options_that_take_anything_are_refused(make):
    with pytest.raises(ConfigError):
        make()


def test_parts_that_do_not_go_together_are_refused():
    with pytest.raises(GeometryError):
        Neighbours.of(np.zeros((2, 3)), np.zeros((3, 3)), np.zeros((2, 3, 3)))
    known, relative = scene(0, 3)
    with pytest.raises(GeometryError):
        Neighbours.from_relative(known, relative[:2])
