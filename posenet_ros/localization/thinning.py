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

from dataclasses import fields

import numpy as np
from posenet_ros.models.checkpoint import TrainingFeatures

# To compare an image with so many takes a fiftieth of what the smallest networks take, and 4 MB.
MOST_COMPARED = 4096


def thinned(training: TrainingFeatures, most: int = MOST_COMPARED) -> TrainingFeatures:
    """
    Return at most so many of the training images, evenly spread over all in their order.

    Frames that hardly moved were never trained on, so that what is dropped has something much like
    it before and after it. With no more than `most`, all are kept.
    """
    count = len(training.features_NK)
    if count <= most:
        return training
    kept = np.linspace(0, count - 1, most).round().astype(np.int64)
    return TrainingFeatures(*(getattr(training, field.name)[kept] for field in fields(training)))
