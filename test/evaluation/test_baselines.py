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

import numpy as np
from posenet_ros.errors import PosenetError
from posenet_ros.evaluation.baselines import (
    Baselines,
    MEAN_POSE,
    mean_pose,
    NEAREST_IMAGE,
    seen_in_training,
)
from posenet_ros.models.checkpoint import TrainingFeatures
import pytest

TRAINING = TrainingFeatures(
    np.array([[1, 0], [0, 1]], dtype=np.float16),
    np.array([[0, 0, 0], [0.1, 0, 0]], dtype=np.float32),
    np.array([[1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float32),
    np.array([10**18 + 1, 10**18 + 2]),
)


def test_the_mean_of_170_and_minus_170_degrees_is_180(pose):
    mean = mean_pose([pose(x=1, degrees=170), pose(x=3, degrees=-170)])
    assert mean.distance(pose(x=2, degrees=180)) == pytest.approx((0, 0), abs=1e-6)


def test_the_mean_of_nothing_is_an_error():
    with pytest.raises(PosenetError, match='no mean'):
        mean_pose([])


def test_each_image_gets_the_mean_and_its_nearest(pose):
    answers = Baselines(TRAINING).answer(np.array([[0.6, 0.8], [1, 0], [np.nan, 0]]))
    assert [each.translation[0] for each in answers[MEAN_POSE]] == pytest.approx([0.05] * 3)
    second, first, nothing = answers[NEAREST_IMAGE]
    assert second.distance(pose(x=0.1, degrees=180)) == pytest.approx((0, 0), abs=1e-6)
    assert first.distance(pose()) == pytest.approx((0, 0))
    assert nothing is None


def test_frames_that_were_trained_on_are_counted(pose):
    truth = [pose(), pose(x=0.1), pose(x=0.1001), pose(y=0.1)]
    assert seen_in_training(truth, TRAINING) == 2
