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

"""Whose map it is, and what is believed where nobody knows."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
from posenet_ros.errors import ConfigError
from posenet_ros.nodes.map_relation import MapRelation, read_map_from_model
import pytest


def card(metric=True, **poses):
    return SimpleNamespace(metric=metric, training={'poses': poses} if poses else {})


def test_six_numbers_are_a_pose_turned_about_fixed_axes():
    pose = read_map_from_model(f'1 -2, 0.5 0 0 {math.pi / 2}')
    np.testing.assert_allclose(pose @ np.array([1.0, 0, 0]), [1, -1, 0.5], atol=1e-12)
    assert (pose.target, pose.source) == ('map', 'model')
    rolled = read_map_from_model(f'0 0 0 {math.pi / 2} 0 {math.pi / 2}')
    # About x first, then about the map's own z.
    np.testing.assert_allclose(rolled @ np.array([0, 1.0, 0]), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rolled @ np.array([1.0, 0, 0]), [0, 1, 0], atol=1e-12)
    assert read_map_from_model('  ') is None


@pytest.mark.parametrize('text', ['1 2 3', '1 2 3 4 5 six', '0 0 0 0 0 inf', '1 2 3 4 5 6 7'])
def test_other_than_six_numbers_are_refused(refused, text):
    with refused(ConfigError, 'numbers'):
        read_map_from_model(text)


def test_labels_in_the_localizers_map_are_known_to_be():
    known = MapRelation.of(card(frame='map', localizer_map={'sha256': 'a'}), None)
    assert known.same_map
    assert known.trained == {'sha256': 'a'}


@pytest.mark.parametrize(
    ('made', 'word'),
    [
        (card(), '--reference tf:map'),
        (card(frame=None, reference='odometry'), '--reference tf:map'),
        (card(metric=False, frame='map'), 'no metres'),
    ],
)
def test_a_map_of_its_own_is_not_the_localizers(made, word):
    relation = MapRelation.of(made, None)
    assert not relation.same_map
    assert word in relation.doubt


def test_whoever_says_where_the_map_lies_is_believed_but_not_about_metres():
    zeros = read_map_from_model('0 0 0 0 0 0')
    assert MapRelation.of(card(), zeros).same_map
    assert MapRelation.of(card(frame='map', localizer_map={'sha256': 'a'}), zeros).trained is None
    assert not MapRelation.of(card(metric=False), zeros).same_map
