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

"""Errors beside baselines, of which none may know the frame that is asked about."""

from dataclasses import replace
import json

import numpy as np
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.evaluation.baselines import NEAREST_IMAGE
from posenet_ros.evaluation.held_out import with_frames
from posenet_ros.explain import errors as module
from posenet_ros.explain.answers import answers, training_features
from posenet_ros.explain.errors import draw
from posenet_ros.explain.folder import keep
from posenet_ros.geometry import Pose
import pytest
from scipy.spatial.transform import Rotation


@pytest.fixture(scope='module')
def fitted_to_all(subject):
    """Return the subject with features of the test frames too, as a last fit to all leaves."""
    more = with_frames(subject.loaded.features, subject.regressor, subject.test)
    return replace(subject, loaded=replace(subject.loaded, features=more))


def test_the_nearest_image_is_never_the_image_itself(subject, fitted_to_all):
    assert len(fitted_to_all.loaded.features.stamps_ns_N) == 48
    assert len(training_features(fitted_to_all).stamps_ns_N) == 36
    nearest = answers(fitted_to_all).baseline_errors[NEAREST_IMAGE].position_m
    # No training frame is nearer to a test frame than a tenth of a metre.
    assert nearest.min() > 0.099
    known = answers(subject).baseline_errors[NEAREST_IMAGE].position_m
    np.testing.assert_array_equal(nearest, known)


def test_frames_of_other_sequences_with_the_same_stamps_are_told_apart(subject):
    elsewhere = Pose(Rotation.identity(), [9.0, 9, 9], 'map', 'camera')
    moved = tuple(replace(frame, map_from_camera=elsewhere) for frame in subject.train[:5])
    features = training_features(replace(subject, train=subject.train[5:], test=moved))
    assert len(features.stamps_ns_N) == 31


def test_a_model_without_features_says_so(subject):
    with pytest.raises(ModelError, match='lacks the features'):
        training_features(replace(subject, loaded=replace(subject.loaded, features=None)))
    with pytest.raises(ModelError, match='none of its training images'):
        training_features(replace(subject, train=subject.test, test=subject.train))


def test_all_frames_are_asked_once_for_all_figures(subject):
    assert answers(subject) is answers(subject)
    assert len(answers(subject).truth) == len(subject.test)


@pytest.fixture
def constant(answering):
    """Return a subject that is always found at the origin of the test frames' line."""
    return answering(Pose(Rotation.identity(), [0.0, 1, 2], 'map', 'camera'))


def test_medians_by_hand(constant):
    exhibit = draw(constant, crops=1)
    rows = {row[0]: dict(zip(exhibit.headings, row)) for row in exhibit.rows}
    # Between the frames 25 and 26, which stand at 2.5 and 2.6.
    assert rows['PoseNet, centre crop']['median [m]'] == '2.550'
    # The middle of the frames that are trained on: 0 to 7, 12 to 23, 28 to 39, 44 to 47.
    assert list(rows) == ['PoseNet, centre crop', 'mean training pose', 'nearest training image']
    assert {row['test frames'] for row in rows.values()} == {'12'}
    assert exhibit.numbers['errors']['PoseNet, centre crop']['position'] == pytest.approx(
        [0.8, 0.9, 1.0, 1.1, 2.4, 2.5, 2.6, 2.7, 4.0, 4.1, 4.2, 4.3]
    )
    assert '36 frames over 4.7 x 0 x 0 m and asked about 12 others' in exhibit.caption


def test_dense_crops_stand_beside_the_centre_crop_on_the_same_frames(constant, monkeypatch):
    asked = [row[:3] for row in draw(constant, crops=4).rows[3:]]
    assert asked == [('PoseNet, mean of 4 crops', '12', '2.550')]
    monkeypatch.setattr(module, '_MOST_DENSE', 2)
    asked = [row[:3] for row in draw(constant, crops=4).rows[3:]]
    # The first and the last frame, at 0.8 and 4.3.
    assert asked == [
        ('PoseNet, centre crop', '2', '2.550'),
        ('PoseNet, mean of 4 crops', '2', '2.550'),
    ]


def test_a_number_of_crops_that_cannot_be_meant(constant):
    with pytest.raises(ConfigError, match='crops'):
        draw(constant, crops=0)


def test_frames_without_an_answer_count_as_infinitely_wrong(answering, tmp_path):
    exhibit = draw(answering(None), crops=1)
    assert exhibit.rows[0][2:4] == ('inf', 'inf')
    _, numbers = keep(tmp_path, exhibit, 'a model that answers nothing')
    errors = json.loads(numbers.read_text())['numbers']['errors']
    assert errors['PoseNet, centre crop']['position'] == [None] * 12
