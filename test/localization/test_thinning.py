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
from posenet_ros.localization.retrieval import FeatureIndex
from posenet_ros.localization.thinning import MOST_COMPARED, thinned
from posenet_ros.models.checkpoint import TrainingFeatures


def training(angles):
    """Return features that point in these directions, numbered by their stamps."""
    count = len(angles)
    return TrainingFeatures(
        np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16),
        np.arange(3 * count, dtype=np.float32).reshape(count, 3),
        np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (count, 1)),
        np.arange(count, dtype=np.int64),
    )


def test_as_many_as_may_be_compared_are_all_kept():
    every = training(np.linspace(0, 1, 50))
    assert thinned(every, 50) is every
    assert MOST_COMPARED >= 1000


def test_rows_stay_together_in_order_and_reach_from_the_first_to_the_last():
    found = thinned(training(np.linspace(0, 3, 1000)), 10)
    assert found.stamps_ns_N.tolist() == [0, 111, 222, 333, 444, 555, 666, 777, 888, 999]
    assert len(found.features_NK) == len(found.quaternions_wxyz_N4) == 10
    np.testing.assert_array_equal(found.positions_N3[:, 0], 3 * found.stamps_ns_N)


def test_what_was_dropped_is_hardly_new():
    every = training(np.linspace(0, 6, 5000))
    index = FeatureIndex(thinned(every, 100))
    novelties = index.novelty(every.features_NK.astype(np.float32))
    # A hundred over six radians: at most half a step of 0.06 from one that was kept.
    assert novelties.max() < 1 - np.cos(0.03) + 1e-3
