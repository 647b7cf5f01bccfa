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

"""One rotation of several."""

import math

import numpy as np
from posenet_ros.fusion.rotations import (
    agreed_rotation,
    angles_between,
    mean_rotation,
    median_rotation,
    weighed_rotation,
)
import pytest
from scipy.spatial.transform import Rotation

EULER = Rotation.from_euler('xyz', (10, 20, 30), degrees=True)


def about_z(*degrees):
    return Rotation.from_euler('z', np.array(degrees)[:, None], degrees=True).as_matrix()


@pytest.mark.parametrize('degrees', [0, 1e-7, 1, 90, 179.9999, 180])
def test_angles_are_exact_near_nothing_and_near_half_a_turn(degrees):
    turn = Rotation.from_rotvec(math.radians(degrees) * np.array([0.6, 0, 0.8]))
    found = angles_between(EULER.as_matrix(), (EULER * turn).as_matrix())
    assert found == pytest.approx(math.radians(degrees), abs=1e-12, rel=1e-6)


def test_the_median_of_one_axis_is_the_middle_one():
    median = median_rotation(about_z(0, 10, 100))
    assert Rotation.from_matrix(median).as_euler('ZYX', degrees=True)[0] == pytest.approx(10)


def test_the_median_is_where_the_sum_of_angles_is_least():
    rotations = (Rotation.random(7, random_state=1) ** 0.3 * EULER).as_matrix()
    median = median_rotation(rotations)
    least = angles_between(median[None], rotations).sum()
    for step in Rotation.random(50, random_state=2).as_rotvec() * 1e-3:
        beside = Rotation.from_rotvec(step).as_matrix() @ median
        assert angles_between(beside[None], rotations).sum() >= least - 1e-12


def about_z_of(rotation_33):
    return Rotation.from_matrix(rotation_33).as_euler('ZYX', degrees=True)[0]


def test_a_mean_weighs_by_variances_and_leaves_out_what_is_off():
    mean = mean_rotation(about_z(0, 10), np.array([1.0, 2.0]))
    assert about_z_of(mean) == pytest.approx(2.0)
    most = mean_rotation(about_z(4, 4, 4, 4, 19), np.ones(5))
    assert about_z_of(most) == pytest.approx(4, abs=1e-6)


def test_a_mean_of_normal_errors_is_better_than_their_median():
    means, medians = [], []
    for seed in range(100):
        turns = np.radians(3) * np.random.default_rng(seed).standard_normal((8, 3))
        rotations = Rotation.from_rotvec(turns).as_matrix()
        means.append(Rotation.from_matrix(mean_rotation(rotations, np.ones(8))).magnitude())
        medians.append(Rotation.from_matrix(median_rotation(rotations)).magnitude())
    assert np.median(means) < np.median(medians)
    assert np.degrees(np.median(means)) < 1.1 * 3 * 1.5382 / np.sqrt(8)


def test_those_that_are_less_sure_agree_from_farther_and_count_less():
    about, degree = about_z(0, 1, 50), np.radians(np.ones(3))
    sure = weighed_rotation(about, degree, 20 * degree)
    assert sure.agree_N.tolist() == [True, True, False]
    unsure = weighed_rotation(about, degree * [1, 1, 20], 20 * degree * [1, 1, 20])
    assert unsure.agree_N.all()
    assert about_z_of(unsure.rotation_33) == pytest.approx(0.56, abs=0.05)
    # What counts for little is little of the spread.
    assert math.degrees(unsure.spread_rad) < 3
    assert weighed_rotation(np.zeros((0, 3, 3)), np.zeros(0), np.zeros(0)) is None


def test_far_off_ones_do_not_count():
    found = agreed_rotation(about_z(0, 2, 4, 90, 150), math.radians(20))
    assert found.agree_N.tolist() == [True, True, True, False, False]
    assert Rotation.from_matrix(found.rotation_33).magnitude() == pytest.approx(math.radians(2))
    assert math.degrees(found.spread_rad) == pytest.approx(math.sqrt(8 / 3))


def test_of_two_sides_the_closer_wins_and_of_none_there_is_none():
    found = agreed_rotation(about_z(0, 15, 100, 102), math.radians(20))
    assert found.agree_N.tolist() == [False, False, True, True]
    assert agreed_rotation(np.zeros((0, 3, 3)), 1.0) is None
    alone = agreed_rotation(about_z(40), math.radians(20))
    assert (alone.agree_N.tolist(), alone.spread_rad) == ([True], pytest.approx(0, abs=1e-9))
