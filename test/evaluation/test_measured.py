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

"""What an evaluation tells of verified poses, of its own images and of foreign ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from posenet_ros.evaluation.evaluate import Evaluation
from posenet_ros.evaluation.foreign import Foreign
from posenet_ros.evaluation.measured import Measured
from posenet_ros.evaluation.request import Request
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation

REQUEST = Request(model=Path('model'), dataset='7scenes:kitchen')


def at(x):
    return Pose(Rotation.identity(), [x, 0, 0], 'map', 'camera')


def measured(*foreign, off=0.0):
    """Return what was found of 100 frames, 60 of them verified, one of these `off` metres."""
    estimates = (at(off), *[at(0)] * 59, *[at(3)] * 40)
    verified = (True,) * 60 + (False,) * 40
    evaluation = Evaluation(np.arange(100), (at(0),) * 100, estimates, verified=verified)
    return Measured(REQUEST, evaluation, foreign=foreign)


def test_wrong_verified_ones_have_a_bound_of_the_verified():
    values = measured().to_dict()
    assert values['wrong_verified'] == 0
    assert values['wrong_verified_at_most'] == pytest.approx(1 - 0.05 ** (1 / 60))
    assert measured(off=0.6).to_dict()['wrong_verified'] == 1
    assert measured(off=0.6).to_dict()['wrong_verified_at_most'] == pytest.approx(0.0767, abs=1e-4)


def test_foreign_ones_are_added_up_where_there_are_several():
    one, other = Foreign('a', 200, 1.0, None, 0), Foreign('b', 100, 0.5, None, 3)
    both = measured(one, other)
    assert [each['verified_at_most'] for each in both.to_dict()['foreign']] == pytest.approx(
        [0.01487, 0.07571], abs=1e-5
    )
    every = both.to_dict()['foreign_verified']
    assert (every['images'], every['verified']) == (300, 3)
    said = list(both.notes())
    assert str(one) in said
    assert '300 foreign images in all: 3 verified (at most 2.6 % with 95 % confidence)' in said
    assert list(both.facts()['Images of elsewhere'].values()) == said[1:4]
    assert not any('in all' in line for line in measured(one).notes())


def test_without_foreign_images_nothing_is_said_of_them():
    assert 'foreign' not in measured().to_dict()
    assert 'foreign_verified' not in measured().to_dict()
    assert measured().facts() == {}
