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
from posenet_ros.errors import ModelError
from posenet_ros.localization.retrieval import FeatureIndex, poses_of
from posenet_ros.models.checkpoint import TrainingFeatures
import pytest

HALF = np.sqrt(0.5)


TRAINING = TrainingFeatures(
    np.array([[1, 0], [HALF, HALF], [0, 1]], dtype=np.float16),
    np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]], dtype=np.float32),
    np.array([[1, 0, 0, 0], [HALF, 0, 0, HALF], [0, 0, 0, 1]], dtype=np.float32),
    np.arange(3),
)


@pytest.fixture
def index():
    return FeatureIndex(TRAINING)


def test_the_nearest_has_the_largest_cosine(index):
    first, second = index.nearest(np.array([[0.6, 0.8], [0.0, 1.0]], dtype=np.float32))
    assert first.index == 1
    assert first.similarity == pytest.approx(1.4 * HALF, abs=1e-3)
    assert second.index == 2
    assert second.similarity == pytest.approx(1, abs=1e-3)


def test_poses_read_w_first():
    poses = poses_of(TRAINING)
    assert [pose.translation[0] for pose in poses] == [0, 1, 2]
    np.testing.assert_allclose(poses[1].rotation.apply([1, 0, 0]), [0, 1, 0], atol=1e-6)


def test_a_feature_that_points_nowhere_has_no_nearest(index):
    features = np.array([[np.nan, 1], [1, 0], [0, 0]], dtype=np.float32)
    bad, good, zero = index.nearest(features)
    assert bad is None
    assert good.index == 0
    assert zero is None


def test_lengths_that_half_precision_left_do_not_decide():
    angles = np.radians([0, 0.5, 1])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    # The middle one a little too long, as rounding may leave it.
    features[1] *= 1.001
    nothing = np.zeros((3, 3), np.float32)
    index = FeatureIndex(
        TrainingFeatures(
            features.astype(np.float16), nothing, np.eye(3, 4, dtype=np.float32), np.arange(3)
        )
    )
    first, _, third = index.nearest(
        np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    )
    assert (first.index, third.index) == (0, 2)


def test_features_of_another_network_are_refused(index):
    with pytest.raises(ModelError, match='3 numbers'):
        index.nearest(np.ones((1, 3), dtype=np.float32))


def test_no_training_images_are_refused():
    nothing = TrainingFeatures(
        np.zeros((0, 2), np.float16),
        np.zeros((0, 3), np.float32),
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.int64),
    )
    with pytest.raises(ModelError, match='no training images'):
        FeatureIndex(nothing)
