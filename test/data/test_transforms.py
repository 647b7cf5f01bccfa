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

"""Chains of static and moving edges, against products made by hand."""

import numpy as np
from posenet_ros.data.transforms import TransformTree
from posenet_ros.geometry import Pose, Trajectory
import pytest
from scipy.spatial.transform import Rotation


def fixed(target, source, x=1.0, degrees=(10, 20, 30)):
    rotation = Rotation.from_euler('xyz', degrees, degrees=True)
    return Pose(rotation, [x, 2.0, -1.0], target, source)


def driving(target, source, stamps_ns, *, speed=1.0, yaw_deg=0.0):
    """Return a trajectory along x at `speed` a nanosecond that turns about z."""
    stamps_ns = np.array(stamps_ns)
    return Trajectory(
        stamps_ns,
        Rotation.from_euler('z', yaw_deg * stamps_ns[:, None], degrees=True),
        np.outer(stamps_ns * speed, [1.0, 0, 0]),
        target,
        source,
    )


def assert_same(actual, expected):
    assert (actual.target, actual.source) == (expected.target, expected.source)
    assert actual.distance(expected) == pytest.approx((0, 0), abs=1e-9)


def test_static_chains_in_both_directions():
    base_from_mast, mast_from_camera = fixed('base', 'mast'), fixed('mast', 'camera', 5.0)
    tree = TransformTree([base_from_mast, mast_from_camera], [])
    expected = base_from_mast @ mast_from_camera
    assert_same(tree.static('base', 'camera'), expected)
    assert_same(tree.static('camera', 'base'), expected.inverse())
    assert_same(tree.static('base', 'base'), Pose.identity('base', 'base'))


def test_siblings_meet_at_their_common_parent():
    left, right = fixed('base', 'left', 1.0), fixed('base', 'right', 9.0)
    tree = TransformTree([left, right], [])
    assert_same(tree.static('left', 'right'), left.inverse() @ right)


def test_frames_that_do_not_hang_together():
    tree = TransformTree([fixed('base', 'camera'), fixed('other', 'thing')], [])
    assert tree.static('base', 'thing') is None
    assert tree.static('base', 'nowhere') is None
    assert tree.static('nowhere', 'nowhere') is None
    assert tree.trajectory('base', 'thing') is None


def test_a_constant_chain_has_no_trajectory_and_a_moving_one_no_constant():
    tree = TransformTree([fixed('base', 'camera')], [driving('odom', 'base', [0, 1])])
    assert tree.trajectory('base', 'camera') is None
    assert tree.static('odom', 'camera') is None


def test_one_moving_edge_between_static_ones():
    world_from_odom, base_from_camera = fixed('world', 'odom', 3.0), fixed('base', 'camera')
    odom_from_base = driving('odom', 'base', [0, 10, 20], yaw_deg=2)
    tree = TransformTree([world_from_odom, base_from_camera], [odom_from_base])
    path = tree.trajectory('world', 'camera')
    np.testing.assert_array_equal(path.stamps_ns, [0, 10, 20])
    for index in range(3):
        assert_same(path[index], world_from_odom @ odom_from_base[index] @ base_from_camera)
    backwards = tree.trajectory('camera', 'world')
    for index in range(3):
        assert_same(backwards[index], path[index].inverse())


def test_several_moving_edges_are_interpolated_over_the_time_they_share():
    map_from_odom = driving('map', 'odom', [0, 100], speed=0.5)
    odom_from_base = driving('odom', 'base', [40, 60, 140], yaw_deg=0.5)
    path = TransformTree([], [map_from_odom, odom_from_base]).trajectory('map', 'base')
    np.testing.assert_array_equal(path.stamps_ns, [40, 60, 100])
    np.testing.assert_allclose(path.translations[:, 0], [20 + 40, 30 + 60, 50 + 100])
    turned = path.rotations.as_euler('ZYX', degrees=True)[:, 0]
    np.testing.assert_allclose(turned, [20, 30, 50], atol=1e-9)


def test_a_gap_in_one_edge_is_not_filled_by_the_stamps_of_another():
    second = 10**9
    every_tenth = np.arange(0, 60 * second, second // 10)
    silent = (every_tenth > 20 * second) & (every_tenth < 40 * second)
    odom_from_base = driving('odom', 'base', every_tenth[~silent], speed=1e-9)
    base_from_mast = driving('base', 'mast', every_tenth, speed=1e-12)
    path = TransformTree([], [odom_from_base, base_from_mast]).trajectory('odom', 'mast')
    np.testing.assert_array_equal(path.stamps_ns, every_tenth[~silent])
    asked = np.array([19.95, 20.05, 30, 39.95, 40.05]) * second
    known = path.covers(asked.astype(np.int64), max_gap_ns=path.usual_gap_ns)
    assert known.tolist() == [True, False, False, False, True]


def test_an_edge_that_is_always_slow_has_long_gaps_of_its_own():
    second = 10**9
    slow = driving('map', 'odom', np.arange(0, 13, 4) * second, speed=1e-12)
    fast = driving('odom', 'base', np.arange(0, 120) * (second // 10), speed=1e-9)
    path = TransformTree([], [slow, fast]).trajectory('map', 'base')
    np.testing.assert_array_equal(path.stamps_ns, fast.stamps_ns)


def test_moving_edges_that_share_no_time():
    tree = TransformTree([], [driving('a', 'b', [0, 1]), driving('b', 'c', [5, 6])])
    assert tree.trajectory('a', 'c') is None


def test_a_joint_on_tf_that_never_moves_counts_as_fixed():
    base_from_camera = fixed('base', 'camera')
    repeated = Trajectory.from_poses([1000, 2000], [base_from_camera, base_from_camera])
    odom_from_base = driving('odom', 'base', [0, 10])
    tree = TransformTree([], [repeated, odom_from_base])
    assert_same(tree.static('base', 'camera'), base_from_camera)
    # Its stamps, which do not overlap the robot's, do not matter.
    path = tree.trajectory('odom', 'camera')
    np.testing.assert_array_equal(path.stamps_ns, [0, 10])
    assert_same(path[1], odom_from_base[1] @ base_from_camera)


def test_a_robot_that_never_moves_still_has_a_trajectory():
    standing = driving('odom', 'base', [0, 10], speed=0)
    path = TransformTree([fixed('base', 'camera')], [standing]).trajectory('odom', 'camera')
    np.testing.assert_array_equal(path.stamps_ns, [0, 10])


def test_leading_slashes_in_questions_are_ignored():
    tree = TransformTree([fixed('base', 'camera')], [driving('odom', 'base', [0, 1])])
    assert tree.static('/base', 'camera') is not None
    assert tree.trajectory('/odom', '/camera').target == 'odom'
    assert tree.frames == ('base', 'camera', 'odom')
