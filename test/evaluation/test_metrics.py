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

import json
import math

import numpy as np
from posenet_ros.errors import PosenetError
from posenet_ros.evaluation.metrics import ErrorSummary, pose_errors, quantile, Threshold
from posenet_ros.geometry import Pose
import pytest


def test_the_orientation_error_is_the_true_angle(pose):
    errors = pose_errors([pose()] * 3, [pose(degrees=30), pose(degrees=-30), pose(degrees=180)])
    np.testing.assert_allclose(errors.orientation_deg, [30, 30, 180], atol=1e-6)


def test_a_quaternion_and_its_negative_are_the_same_pose():
    parts = {'w': 0.8, 'x': 0.0, 'y': 0.6, 'z': 0.0}
    place = {'translation': [0, 0, 0], 'target': 'map', 'source': 'camera'}
    one = Pose.from_quaternion(**parts, **place)
    other = Pose.from_quaternion(**{key: -value for key, value in parts.items()}, **place)
    assert pose_errors([one], [other]).orientation_deg[0] == pytest.approx(0, abs=1e-5)


def test_four_frames_by_hand_one_of_them_unanswered(pose):
    truth = [pose()] * 4
    estimates = [pose(x=0.02, degrees=1), pose(y=0.2, degrees=1), pose(z=1, degrees=30), None]
    summary = ErrorSummary.of(pose_errors(truth, estimates))
    assert (summary.frames, summary.localized, summary.localized_share) == (4, 3, 0.75)
    # Halfway between the second and third of four, the silent one being the worst.
    assert summary.median_position_m == pytest.approx((0.2 + 1) / 2)
    assert summary.median_orientation_deg == pytest.approx((1 + 30) / 2)
    assert summary.p95_position_m == math.inf
    assert list(summary.recall.values()) == [0.25, 0.5, 0.5, 0.5]


def test_silence_never_improves_a_figure(pose):
    truth = [pose()] * 10
    answers = [pose(x=0.1 * number) for number in range(10)]
    before = ErrorSummary.of(pose_errors(truth, answers))
    after = ErrorSummary.of(pose_errors(truth, [*answers[:-1], None]))
    assert after.median_position_m == pytest.approx(before.median_position_m)
    assert after.p95_position_m > before.p95_position_m
    assert all(after.recall[name] <= share for name, share in before.recall.items())


def test_both_errors_must_be_within_and_the_limit_counts(pose):
    errors = pose_errors([pose()] * 3, [pose(x=0.25, degrees=2), pose(x=0.2, degrees=3), pose(1)])
    assert errors.within(Threshold(0.25, 2.0001)) == pytest.approx(1 / 3)


def test_json_is_strict_and_infinity_is_null(pose):
    values = ErrorSummary.of(pose_errors([pose()] * 2, [None, None])).to_dict()
    text = json.dumps(values, allow_nan=False)
    assert json.loads(text)['median_position_m'] is None
    assert json.loads(text)['localized'] == 0
    assert list(values['recall']) == ['0.05m/5deg', '0.25m/2deg', '0.5m/5deg', '5m/10deg']


@pytest.mark.parametrize('share', [0.0, 0.5, 0.9, 0.95, 1.0])
def test_a_quantile_is_numpys_where_all_is_finite(share):
    values = np.random.default_rng(0).uniform(size=37)
    assert quantile(values, share) == pytest.approx(np.quantile(values, share))


@pytest.mark.parametrize(
    ('values', 'expected'),
    [([1, math.inf], math.inf), ([1, 2, math.inf], 2), ([math.inf] * 3, math.inf), ([7], 7)],
)
def test_a_median_with_infinities_is_no_nan(values, expected):
    assert quantile(np.array(values, dtype=float), 0.5) == expected


def test_no_frames_and_frames_that_do_not_pair_up_are_errors(pose):
    with pytest.raises(PosenetError, match='no frame'):
        ErrorSummary.of(pose_errors([], []))
    with pytest.raises(PosenetError, match='do not pair up'):
        pose_errors([pose()], [])
