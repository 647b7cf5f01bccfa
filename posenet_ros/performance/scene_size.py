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

"""What an answer costs by the number of training frames: figure 13, without a trained model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from posenet_ros.engines.choose import Engine
from posenet_ros.explain.cost import Cost, FEATURE, POSENET, SEARCH, sift_costs, weights_bytes
from posenet_ros.explain.local_features import sift_descriptors
from posenet_ros.localization.posenet import PoseNetLocalizer
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.localization.retrieval import FeatureIndex
from posenet_ros.localization.thinning import thinned
from posenet_ros.models.checkpoint import LoadedModel
from posenet_ros.performance.contest import in_turns
from posenet_ros.performance.images import camera_images
from posenet_ros.performance.untrained import training_of, TRUSTING
from tqdm import tqdm

SIZES = (100, 1_000, 10_000, 100_000)
_QUERIES = 3
# As many as figure 13 matches with.
_DESCRIBED = 128


def costs_by_scene_size(
    loaded: LoadedModel, engine: Engine, seconds: float
) -> dict[str, tuple[Cost, ...]]:
    """
    Measure answers among 100 to 100,000 training frames, in turns, and SIFT among up to 128.

    A PoseNet's answer is one image's, with the comparison that may refuse it. The nearest training
    image by feature is what the network's feature finds among all frames.
    """
    images = camera_images(_QUERIES, seed=1)
    regressor = PoseRegressor(engine.model, loaded.card.preprocessing, loaded.device)
    features = regressor.regress(images).features
    localizers, indexes = {}, {}
    for size in SIZES:
        training = training_of(features.astype(np.float16), size)
        card = replace(loaded.card, trust=TRUSTING, covariance=np.eye(6), cells=None)
        answering = replace(loaded, model=engine.model, card=card, features=training)
        localizers[size] = PoseNetLocalizer(answering)
        indexes[size] = FeatureIndex(training)
    answers = {
        f'{POSENET} {size}': lambda of=of: of.locate(images[0]) for size, of in localizers.items()
    }
    searches = {
        f'{SEARCH} {size}': lambda of=of: of.nearest(features[:1]) for size, of in indexes.items()
    }
    times = {
        name: float(np.median(found))
        for name, found in {**in_turns(answers, seconds), **in_turns(searches, 2.0)}.items()
    }
    weights = weights_bytes(loaded.model)
    network_ms = times[f'{POSENET} {SIZES[0]}']
    searched = tuple(Cost(n, times[f'{SEARCH} {n}'], indexes[n].nbytes) for n in SIZES)
    compared = {n: FeatureIndex(thinned(training_of(features, n))).nbytes for n in SIZES}
    described = [
        sift_descriptors(rgb)
        for rgb in tqdm(camera_images(_DESCRIBED), desc='describing by SIFT', unit='image')
    ]
    return {
        POSENET: tuple(Cost(n, times[f'{POSENET} {n}'], weights + compared[n]) for n in SIZES),
        FEATURE: tuple(
            Cost(each.frames, network_ms + each.ms, weights + each.memory) for each in searched
        ),
        SEARCH: searched,
        **sift_costs(described, images),
    }
