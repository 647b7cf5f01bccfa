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

"""Poses over time."""

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import associate, NS_PER_S, Pose, Trajectory
import pytest
from scipy.spatial.transform import Rotation

START_NS = 1_700_000_000_000_000_000
TILT = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)


def turning(seconds, target='map', source='camera'):
    """Return poses that move 1 m/s along x and turn 10 deg/s about z."""
    seconds = np.asarray(seconds, dtype=float)
    return Trajectory(
        START_NS + (seconds * NS_PER_S).astype(np.int64),
        Rotation.from_euler('z', 10 * seconds[:, None], degrees=True),
        np.outer(seconds, [1, 0, 0]),
        target,
        source,
    )


def ns(*seconds):
    return START_NS + (np.array(seconds) * NS_PER_S).astype(np.int64)


def test_from_poses_sorts_and_keeps_the_last_of_a_stamp():
    poses = [Pose(TILT, [x, 0, 0], 'map', 'camera') for x in (3.0, 1.0, 2.0, 9.0)]
    path = Trajectory.from_poses([30, 10, 20, 10], poses)
    np.testing.assert_array_equal(path.stamps_ns, [10, 20, 30])
    np.testing.assert_array_equal(path.translations[:, 0], [9, 2, 3])
    assert path[1].distance(poses[2]) == (0, 0)


def test_from_quaternions_agrees_with_poses_one_by_one():
    generator = np.random.default_rng(0)
    quaternions_wxyz = generator.normal(size=(20, 4)) * 3
    translations = generator.normal(size=(20, 3))
    stamps_ns = generator.permutation(20) // 2
    poses = [
        Pose.from_quaternion(
            w=w, x=x, y=y, z=z, translation=translation, target='map', source='camera'
        )
        for (w, x, y, z), translation in zip(quaternions_wxyz, translations, strict=True)
    ]
    expected = Trajectory.from_poses(stamps_ns.tolist(), poses)
    w, x, y, z = quaternions_wxyz.T
    path = Trajectory.from_quaternions(
        stamps_ns, translations, w=w, x=x, y=y, z=z, target='map', source='camera'
    )
    np.testing.assert_array_equal(path.stamps_ns, expected.stamps_ns)
    for one, other in zip(path, expected, strict=True):
        assert one.distance(other) == pytest.approx((0, 0), abs=1e-12)


@pytest.mark.parametrize('bad', [0.0, np.nan])
def test_from_quaternions_refuses_what_is_no_rotation(bad):
    parts = {'w': [1, bad], 'x': [0, 0], 'y': [0, 0], 'z': [0, 0]}
    with pytest.raises(GeometryError, match='no rotation has the quaternion'):
        Trajectory.from_quaternions(
            [1, 2], np.zeros((2, 3)), **parts, target='map', source='camera'
        )


def test_parts_that_do_not_belong_together_are_refused():
    with pytest.raises(GeometryError, match='one stamp, rotation and translation'):
        Trajectory([1, 2], Rotation.identity(2), np.zeros((3, 3)), 'map', 'camera')
    for stamps_ns in ([2, 1], [1, 1]):
        with pytest.raises(GeometryError, match='increase strictly'):
            Trajectory(stamps_ns, Rotation.identity(2), np.zeros((2, 3)), 'map', 'camera')
    with pytest.raises(GeometryError, match='at least one pose'):
        Trajectory.from_poses([], [])
    with pytest.raises(GeometryError, match='one pair of frames'):
        Trajectory.from_poses(
            [1, 2], [Pose.identity('map', 'camera'), Pose.identity('map', 'base')]
        )


def test_selection_by_mask_indices_and_slice():
    path = turning([0, 1, 2, 3])
    for keep in (np.array([True, False, True, False]), np.array([0, 2]), slice(0, 4, 2)):
        np.testing.assert_array_equal(path.select(keep).translations[:, 0], [0, 2])
    empty = path.select(np.zeros(4, dtype=bool))
    assert len(empty) == 0
    assert list(empty) == []


def test_interpolation_is_linear_in_position_and_along_the_shortest_arc():
    path = turning([0, 1, 4])
    between = path.at(ns(0.25, 1, 3.5))
    np.testing.assert_allclose(between.translations[:, 0], [0.25, 1, 3.5])
    degrees = between.rotations.as_euler('ZYX', degrees=True)[:, 0]
    np.testing.assert_allclose(degrees, [2.5, 10, 35])


def test_interpolation_keeps_nanoseconds_apart():
    path = Trajectory(
        [START_NS, START_NS + 100], Rotation.identity(2), [[0, 0, 0], [100, 0, 0]], 'map', 'camera'
    )
    between = path.at(START_NS + np.array([1, 37, 99]))
    np.testing.assert_allclose(between.translations[:, 0], [1, 37, 99])


def test_nothing_is_extrapolated():
    for seconds in ((-0.001,), (1.001,)):
        with pytest.raises(GeometryError, match='outside the time'):
            turning([0, 1]).at(ns(*seconds))
    with pytest.raises(GeometryError, match='nothing to interpolate'):
        turning([0, 1]).at(np.zeros(0, dtype=np.int64))


def test_a_single_pose_answers_only_for_its_own_stamp():
    path = turning([2])
    assert len(path.at(ns(2))) == 1
    with pytest.raises(GeometryError, match='outside the time'):
        path.at(ns(2.5))


def test_covers_tells_gaps_ends_and_exact_stamps():
    path = turning([0, 1, 5])
    asked = ns(-1, 0, 0.5, 1, 3, 5, 6)
    covered = path.covers(asked, max_gap_ns=2 * NS_PER_S)
    np.testing.assert_array_equal(covered, [False, True, True, True, False, True, False])
    assert path.covers(asked, max_gap_ns=4 * NS_PER_S)[4]
    nothing = path.select(slice(0, 0))
    assert not nothing.covers(asked, max_gap_ns=NS_PER_S).any()


def test_change_of_frames_on_either_side_is_the_product_of_every_pose():
    path = turning([0, 1, 2])
    world_from_map = Pose(TILT, [1, 2, 3], 'world', 'map')
    camera_from_base = Pose(TILT, [0.1, 0, 0.3], 'camera', 'base')
    moved = path.transformed(world_from_map).of_body(camera_from_base)
    assert (moved.target, moved.source) == ('world', 'base')
    for before, after in zip(path, moved, strict=True):
        expected = world_from_map @ before @ camera_from_base
        assert after.distance(expected) == pytest.approx((0, 0), abs=1e-9)


def test_the_inverse_of_every_pose():
    path = turning([0, 1, 2])
    for before, after in zip(path, path.inverse(), strict=True):
        assert after.distance(before.inverse()) == pytest.approx((0, 0), abs=1e-12)


def test_frames_that_do_not_meet_are_refused():
    with pytest.raises(GeometryError, match='does not meet'):
        turning([0]).transformed(Pose.identity('world', 'odom'))
    with pytest.raises(GeometryError, match='does not meet'):
        turning([0]).of_body(Pose.identity('base', 'camera'))


def test_read_only_arrays_are_good_enough():
    translations = np.zeros((2, 3))
    translations.flags.writeable = False
    path = Trajectory([1, 2], Rotation.identity(2), translations, 'map', 'camera')
    path = path.transformed(Pose(TILT, [1, 2, 3], 'world', 'map')).inverse()
    np.testing.assert_allclose(path.inverse().translations, [[1, 2, 3], [1, 2, 3]])


def test_association_pairs_nearest_within_the_tolerance():
    mine, other = associate(np.array([0, 10, 20, 99]), np.array([1, 12, 40]), tolerance_ns=3)
    np.testing.assert_array_equal(mine, [0, 1])
    np.testing.assert_array_equal(other, [0, 1])


def test_association_uses_a_stamp_once_for_the_closest():
    mine, other = associate(np.array([8, 10, 11]), np.array([10]), tolerance_ns=5)
    np.testing.assert_array_equal(mine, [1])
    np.testing.assert_array_equal(other, [0])


def test_association_with_nothing_is_empty():
    nothing = np.zeros(0, dtype=np.int64)
    for first, second in ((nothing, np.array([1])), (np.array([1]), nothing)):
        mine, other = associate(first, second, tolerance_ns=5)
        assert len(mine) == len(other) == 0
