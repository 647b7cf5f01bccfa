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

"""Which feature is which point, by looks of a few numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from posenet_ros.landmarks.features import unit_rows
from posenet_ros.landmarks.matching import match_anywhere, match_nearby
import pytest


@pytest.fixture
def landmarks(room):
    """Return a map of four points; the first has two looks, the last two look the same."""
    few = replace(room, points=room.points[:4], looks=room.looks[:4]).map()
    rows = np.array(
        [[100, 0, 0, 0], [0, 100, 0, 0], [0, 0, 100, 0], [0, 0, 0, 100], [0, 0, 0, 100]], np.uint8
    )
    return replace(few, descriptors=rows, first_row=np.array([0, 2, 3, 4, 5], np.int32))


ALL = np.arange(4)


def unit(*rows):
    return unit_rows(np.array(rows, dtype=np.uint8))


def pairs(matches):
    return sorted(zip(matches.features.tolist(), matches.points.tolist(), strict=True))


def test_a_point_is_known_by_any_of_its_looks(landmarks):
    found = match_anywhere(unit([9, 90, 0, 0], [0, 0, 90, 9]), landmarks, ALL)
    # Points are 0: rows 0 and 1, 1: row 2, 2: row 3, 3: row 4.
    assert pairs(found) == [(0, 0), (1, 1)]


def test_only_the_points_that_are_asked_about_are_matched(landmarks):
    features = unit([90, 0, 0, 0], [0, 0, 90, 0], [0, 0, 0, 90])
    assert pairs(match_anywhere(features, landmarks, np.array([1, 3]))) == [(1, 1), (2, 3)]


def test_two_points_that_look_the_same_are_not_told_apart(landmarks):
    assert pairs(match_anywhere(unit([0, 0, 0, 90]), landmarks, ALL)) == []
    assert pairs(match_anywhere(unit([0, 0, 0, 90]), landmarks, ALL[:3])) == [(0, 2)]


def test_looks_that_are_the_same_to_the_last_bit_are_not_told_apart(room):
    """The cosine of a look with itself may come out above one, however little."""
    twins = replace(
        room, points=room.points.repeat(2, axis=0), looks=room.looks.repeat(2, axis=0)
    ).map()
    found = match_anywhere(unit_rows(room.looks), twins, np.arange(len(twins.points_P3)))
    assert pairs(found) == []


def test_a_feature_between_two_points_is_not_matched(landmarks):
    # The squared distances are as 1 - 0.8 and 1 - 0.6.
    assert pairs(match_anywhere(unit([80, 0, 60, 0]), landmarks, ALL)) == [(0, 0)]
    assert pairs(match_anywhere(unit([75, 0, 66, 0]), landmarks, ALL)) == []


def test_a_point_keeps_the_best_of_its_features(landmarks):
    features = unit([90, 0, 30, 0], [90, 0, 5, 0], [90, 0, 20, 0])
    assert pairs(match_anywhere(features, landmarks, ALL)) == [(1, 0)]


@pytest.mark.parametrize(
    ('features', 'points'), [(np.zeros((0, 4)), ALL), (unit([90, 0, 0, 0]), ALL[:1])]
)
def test_nothing_is_matched_where_there_is_nothing_to_choose(landmarks, features, points):
    assert pairs(match_anywhere(features.astype(np.float32), landmarks, points)) == []


def test_a_feature_that_looks_like_nothing_is_matched_with_nothing(landmarks):
    assert pairs(match_anywhere(unit([0, 0, 0, 0]), landmarks, ALL)) == []
    near = match_nearby(unit([0] * 4), np.zeros((1, 2)), landmarks, ALL, np.zeros((4, 2)), 1, 10)
    assert pairs(near.matches) == []


def nearby(landmarks, features, places, points, expected, radius=1.0, area=100.0):
    return match_nearby(
        features,
        np.array(places, dtype=float).reshape(-1, 2),
        landmarks,
        np.array(points),
        np.array(expected, dtype=float).reshape(-1, 2),
        radius,
        area,
    )


def test_what_is_near_and_alike_is_matched(landmarks):
    features = unit([0, 0, 90, 0], [0, 0, 90, 0], [90, 0, 0, 0])
    places = [[5, 5], [5.9, 5], [3, 3]]
    # Alike and near; alike and not near; near and not alike.
    found = nearby(landmarks, features, places, [1, 0, 2], [[5, 5.5], [1, 1], [3, 3]])
    assert pairs(found.matches) == [(0, 1)]
    assert pairs(nearby(landmarks, features, places, [1], [[5, 6.01]]).matches) == []


def test_where_the_place_is_known_twins_are_told_apart(landmarks):
    features = unit([0, 0, 0, 90], [0, 0, 0, 80])
    found = nearby(landmarks, features, [[1, 1], [7, 7]], [2, 3, 1], [[7, 7], [1, 1], [4, 4]])
    assert (0, 3) in pairs(found.matches)
    # The looks of point 2 are those of row 3.
    twins = nearby(landmarks, features, [[1, 1], [7, 7]], [2, 3], [[7, 7], [1, 1]])
    assert pairs(twins.matches) == [(0, 3), (1, 2)]


def test_each_feature_and_each_point_is_used_once_the_most_alike_first(landmarks):
    features = unit([90, 0, 30, 0], [90, 0, 5, 0])
    found = nearby(landmarks, features, [[1, 1], [1, 1]], [0], [[1, 1]])
    assert pairs(found.matches) == [(1, 0)]
    one = nearby(landmarks, unit([0, 0, 0, 90]), [[1, 1]], [2, 3], [[1, 1], [1, 1]])
    assert len(one.matches.features) == 1


def test_chance_is_how_many_would_fall_there(landmarks):
    features = unit([90, 0, 0, 0], [90, 0, 1, 0], [0, 0, 90, 0])
    # Three pairs are alike; each falls within the radius with pi 0.5^2 / 100.
    found = nearby(landmarks, features, [[9, 9]] * 3, [0, 1], [[1, 1], [2, 2]], radius=0.5)
    assert found.by_chance == pytest.approx(3 * np.pi * 0.25 / 100)
    assert pairs(found.matches) == []


def test_features_in_one_place_are_all_chance(landmarks):
    found = nearby(landmarks, unit([90, 0, 0, 0]), [[1, 1]], [0], [[1, 1]], area=0.0)
    assert pairs(found.matches) == [(0, 0)]
    assert found.by_chance >= 1


def test_nothing_near_nothing(landmarks):
    for features, points in ((np.zeros((0, 4), np.float32), [0]), (unit([90, 0, 0, 0]), [])):
        found = nearby(
            landmarks, features, np.zeros((len(features), 2)), points, [[1, 1]] * len(points)
        )
        assert pairs(found.matches) == []
        assert found.by_chance == 0
