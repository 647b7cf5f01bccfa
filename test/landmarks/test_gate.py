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

"""What verifies a pose, one demand at a time."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.landmarks.gate import Evidence, Gate
import pytest

GATE = Gate(
    missed=0.3,
    afar=0.4,
    unlike=0.5,
    agreed=15,
    found=25,
    share=0.04,
    cells=7,
    over_chance=3.0,
    elsewhere=0.5,
    zoom=0.05,
)
# Everything just enough: 25 of 625 points are 4 percent.
ENOUGH = Evidence(
    agreed=15,
    found=25,
    expected=625,
    by_chance=25 / 3,
    cells=7,
    elsewhere=7,
    missed=0.3,
    strange=0.2,
    zoom=1.049,
    zoom_deviation=0.01,
)


def test_just_enough_is_enough():
    assert ENOUGH.share == 0.04
    assert GATE.objections(ENOUGH) == ()


@pytest.mark.parametrize(
    ('less', 'message'),
    [
        ({'found': 24, 'expected': 600, 'by_chance': 8}, '24 points of the map are found, not 25'),
        ({'expected': 650}, '4 % of the points that should be seen are, not 4 %'),
        ({'expected': 2500}, '1 % of the points that should be seen are, not 4 %'),
        ({'cells': 6}, 'they are in 6 parts of the image, not 7'),
        ({'by_chance': 8.4}, 'chance alone would give 8'),
        (
            {'elsewhere': 8},
            'another place of the map looks the same: 8 features agree with it, 15 with this one',
        ),
        (
            {'missed': 0.4, 'strange': 0.1},
            '40 % of the points that should be seen are in parts of the image that hardly '
            'show any, not 30 %',
        ),
        (
            {'strange': 0.25},
            '30 % of what should be seen is missing and 25 % of what is seen is strange, in all '
            'not 50 %',
        ),
        ({'afar': 0.41}, 'the pose is 0.41 from where the map was seen from, not 0.40'),
        ({'agreed': 14}, '14 features agree with the pose, not 15'),
        ({'zoom': 1.06}, 'the focal length seems to be 1.06 times that of the camera'),
        ({'zoom': 0.94}, 'the focal length seems to be 0.94 times that of the camera'),
    ],
)
def test_each_demand_is_told_alone(less, message):
    assert GATE.objections(replace(ENOUGH, **less)) == (message,)


def test_all_that_speaks_against_a_pose_is_told():
    assert len(GATE.objections(Evidence(3, 3, 2500, 8.0, 2, 3, 0.9, 0.9, 0.5, 2.0, 0.01))) == 10


def test_more_may_be_strange_where_the_map_was_seen_from_farther_away():
    beside = replace(ENOUGH, strange=0.6, afar=0.1)
    assert len(GATE.objections(beside)) == 1
    assert GATE.objections(replace(beside, afar=0.17)) == ()


def test_a_focal_length_that_nothing_tells_is_no_other_one():
    unsure = replace(ENOUGH, zoom=1.3, zoom_deviation=0.11)
    assert GATE.objections(unsure) == ()
    assert len(GATE.objections(replace(unsure, zoom_deviation=0.09))) == 1


def test_nothing_of_nothing_is_no_share():
    nothing = Evidence(0, 0, 0, 0.0, 0, 0)
    assert nothing.share == 0
    assert len(GATE.objections(nothing)) == 4


def test_the_covariance_is_that_of_the_points_and_of_the_map():
    information = np.diag([100.0, 400, 2500, 10_000, 40_000, 250_000])
    gate = Gate(stretch=4.0, floor_m=0.1, floor_rad=0.02)
    found = gate.covariance(information)
    points = 4 / np.array([100.0, 400, 2500, 10_000, 40_000, 250_000])
    np.testing.assert_allclose(found, np.diag(points + np.repeat([0.01, 0.0004], 3)))


def test_the_covariance_keeps_what_goes_together():
    rng = np.random.default_rng(0)
    spread = np.cov(rng.normal(size=(6, 40)))
    found = Gate(floor_m=1e-3, floor_rad=1e-3).covariance(np.linalg.inv(spread))
    np.testing.assert_allclose(found, spread + 1e-6 * np.eye(6), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize(
    'information',
    [
        np.zeros((6, 6)),
        np.diag([1.0, 1, 1, 1, 1, 0]),
        np.diag([1.0, 1, 1, 1, 1, -1]),
        np.full((6, 6), np.nan),
        np.diag([1.0, 1, 1, 1, 1, np.inf]),
    ],
)
def test_points_that_leave_a_pose_open_give_no_covariance(information):
    assert Gate().covariance(information) is None


@pytest.mark.parametrize(
    'values',
    [
        {'found': 5},
        {'agreed': 3},
        {'missed': 0.0},
        {'cells': 0},
        {'zoom': 0.0},
        {'elsewhere': 0.0},
        {'elsewhere': 1.5},
        {'found': math.nan},
        {'share': math.nan},
        {'cells': math.nan},
        {'over_chance': math.nan},
        {'elsewhere': math.nan},
    ],
)
def test_a_gate_that_is_none_is_refused(values):
    with pytest.raises(ConfigError, match='nothing is verified by'):
        Gate(**values)


@pytest.mark.parametrize('value', [0.0, -1.0])
@pytest.mark.parametrize('name', ['stretch', 'floor_m', 'floor_rad'])
def test_a_covariance_of_nothing_is_refused(name, value):
    with pytest.raises(ConfigError, match='would be none'):
        Gate(**{name: value})


def test_a_gate_is_read_as_it_was_written():
    gate = Gate(found=40, share=0.1, stretch=2.5)
    assert Gate.from_dict(gate.to_dict()) == gate
    assert Gate.from_dict({}) == Gate()


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'luck': 1, 'hope': 2}, 'unknown values of a gate: hope, luck'),
        ({'found': 'many'}, 'numbers'),
        ({'share': None}, 'numbers'),
        ({'found': 2}, 'nothing is verified'),
        ([1, 2], 'numbers by name'),
        (None, 'numbers by name'),
    ],
)
def test_what_is_no_gate_is_refused_in_one_line(values, message):
    with pytest.raises(ConfigError, match=message) as caught:
        Gate.from_dict(values)
    assert '\n' not in str(caught.value)
