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

"""So many training images to compare with and no more, however many a model was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from posenet_ros.models.checkpoint import TrainingFeatures

# A comparison with so many takes a fiftieth of what the smallest networks take, and 4 MB.
MOST_COMPARED = 4096


def thinned(training: TrainingFeatures, most: int = MOST_COMPARED) -> TrainingFeatures:
    """
    Return at most so many of the training images, where the view has changed by as much each time.

    In their order, each step from one image to the next counts by one minus the cosine of their
    features: of a robot that stands still one image is kept, of one that turns many. What is
    dropped has one that is kept beside it on the way. With no more than `most`, all are kept.
    """
    count = len(training.features_NK)
    if count <= most:
        return training
    features = training.features_NK.astype(np.float32)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6)
    turned = np.maximum(1 - np.einsum('nk,nk->n', features[1:], features[:-1]), 0)
    # Where nothing changes at all, by their number.
    way = np.concatenate([[0.0], np.cumsum(turned + 1e-9, dtype=np.float64)])
    kept = _spread(way, most)
    return TrainingFeatures(
        training.features_NK[kept],
        training.positions_N3[kept],
        training.quaternions_wxyz_N4[kept],
        training.stamps_ns_N[kept],
    )


def _spread(way_N: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Return numbers of at most so many images, at equal steps of a way that grows."""

    def at(steps: int) -> NDArray[np.int64]:
        return np.unique(np.searchsorted(way_N, np.linspace(0, way_N[-1], steps)))

    # Several steps may end in one change of the view, as where another recording begins: then more
    # of them make as many images.
    fewest, enough = most, 4 * len(way_N)
    while enough - fewest > fewest // 100 + 1:
        steps = (fewest + enough) // 2
        if len(at(steps)) > most:
            enough = steps
        else:
            fewest = steps
    return at(fewest)
