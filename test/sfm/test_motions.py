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

"""Motions over short windows."""

import numpy as np
from numpy.testing import assert_allclose
from posenet_ros.geometry import NS_PER_S, Trajectory
from posenet_ros.sfm.motions import motions, windows
from scipy.spatial.transform import Rotation

S = NS_PER_S


def at_seconds(*seconds):
    return np.array([round(second * S) for second in seconds], dtype=np.int64)


def test_windows_end_with_the_frame_after_their_duration():
    over = windows(at_seconds(0, 1, 2, 3, 4), [2.0])
    assert list(zip(over.first, over.middle, over.last)) == [(0, 1, 2), (1, 2, 3), (2, 3, 4)]


def test_a_window_across_a_gap_is_left_out():
    over = windows(at_seconds(0, 1, 2, 9, 10, 11), [1.0])
    assert (2, 3) not in set(zip(over.first, over.last))
    assert {(0, 1), (1, 2), (3, 4), (4, 5)} == set(zip(over.first, over.last))


def test_frames_further_apart_than_the_duration_are_paired_with_the_next():
    over = windows(at_seconds(0, 3, 6), [1.0])
    assert list(zip(over.first, over.last)) == [(0, 1), (1, 2)]


def test_equal_windows_of_two_durations_count_once():
    assert len(windows(at_seconds(0, 3, 6), [1.0, 2.0])) == 2


def test_one_frame_has_no_window():
    assert len(windows(at_seconds(0), [1.0])) == 0


def test_a_motion_is_seen_from_the_middle():
    quarter = Rotation.from_euler('z', [[0], [90], [180]], degrees=True)
    poses = Trajectory(
        at_seconds(0, 1, 2), quarter, np.array([[0, 0, 0], [1, 0, 0], [1, 2, 0.0]]), 'w', 'b'
    )
    moved = motions(poses, windows(poses.stamps_ns, [2.0]))
    # World (1, 2, 0) from a body that has turned left by 90 degrees.
    assert_allclose(moved.steps, [[2, -1, 0]], atol=1e-12)
    assert_allclose(moved.angles, [np.pi], atol=1e-12)
    # A tip one metre ahead goes from right of the middle body to left of it.
    assert_allclose(moved.turns[0] @ [1, 0, 0], [0, 2, 0], atol=1e-12)


def test_motions_do_not_depend_on_the_world():
    rng = np.random.default_rng(3)
    poses = Trajectory(
        at_seconds(*range(6)),
        Rotation.random(6, random_state=3),
        rng.normal(size=(6, 3)),
        'w',
        'b',
    )
    turn = Rotation.from_euler('xyz', [10, 20, 30], degrees=True)
    elsewhere = Trajectory(
        poses.stamps_ns, turn * poses.rotations, turn.apply(poses.translations) + 5, 'v', 'b'
    )
    over = windows(poses.stamps_ns, [2.0])
    one, other = motions(poses, over), motions(elsewhere, over)
    assert_allclose(one.steps, other.steps, atol=1e-12)
    assert_allclose((one.rotations.inv() * other.rotations).magnitude(), 0, atol=1e-7)
