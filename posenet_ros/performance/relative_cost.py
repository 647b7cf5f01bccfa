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

"""What an answer by relative poses costs: stage by stage, and by the images in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from posenet_ros.localization.posenet import choose_device
from posenet_ros.localization.relative import Asking, RelativeRegressor
from posenet_ros.models.relative_map import load_relative_map
from posenet_ros.performance.contest import in_turns
from posenet_ros.performance.images import camera_images
import torch

SIZES = (1_000, 10_000, 100_000)


class RelativeCost(NamedTuple):
    """
    Milliseconds, medians: of the stages of one answer, of a search and an answer by database.

    `neighbours` are compared with; `images` are those in the database as it is.
    """

    neighbours: int
    images: int
    device: str
    stages: dict[str, float]
    searches: dict[int, float]
    answers: dict[int, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**self._asdict()}

    def text(self) -> str:
        """Return the tables."""
        lines = [
            f'by relative poses to {self.neighbours} of {self.images} images, on {self.device}, '
            'from a 640x480 image:',
            *(f'  {name:<42}{ms:8.1f} ms' for name, ms in self.stages.items()),
            'by the images in the database (tiled where it has fewer):',
            *(
                f'  {size:>7} images: search {self.searches[size]:6.2f} ms, answer '
                f'{self.answers[size]:6.1f} ms'
                for size in SIZES
            ),
        ]
        return '\n'.join(lines)


def relative_cost(model: Path, device: str, seconds: float) -> RelativeCost:
    """
    Measure a model that locates by relative poses, all stages and sizes in turns.

    Maps of the images that are compared come from the page cache, as those of a place where a
    robot stays do. Raises ModelError for a folder of another kind.
    """
    loaded = load_relative_map(model, choose_device(device))
    card, (rgb,) = loaded.card, camera_images(1, seed=1)
    images = len(loaded.database)

    def regressor_of(size: int) -> RelativeRegressor:
        part = (
            loaded.database if size == images else loaded.database.only(np.arange(size) % images)
        )
        asking = Asking(card.neighbours, card.apart_m)
        return RelativeRegressor(loaded.relative, loaded.place, part, card.camera, asking)

    own = regressor_of(images)
    of_size = {size: regressor_of(size) for size in SIZES}
    with torch.inference_mode():
        found = _medians({**_stages(own, rgb), 'answer': lambda: own.regress([rgb])}, seconds)
        feature_K = own.regress([rgb]).features[0]
        centres = {size: each.database.training.positions_N3 for size, each in of_size.items()}
        searches = _medians(
            {
                size: lambda size=size: of_size[size].index.most_alike(
                    feature_K, card.neighbours, centres[size], card.apart_m
                )
                for size in SIZES
            },
            min(seconds, 5.0),
        )
        answers = _medians(
            {size: lambda size=size: of_size[size].regress([rgb]) for size in SIZES}, seconds
        )
    return RelativeCost(card.neighbours, images, str(loaded.device), found, searches, answers)


def _stages(own: RelativeRegressor, rgb: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return what an answer is made of, each on what the one before it left."""
    map_BDhw, (feature_K,) = own.described([rgb])
    chosen = own.neighbours_of(feature_K)
    (said,) = own.compare(map_BDhw, [chosen])
    return {
        'what the image shows (resize, trunk)': lambda: own.described([rgb]),
        'the images most alike': lambda: own.neighbours_of(feature_K),
        'relative poses to them': lambda: own.compare(map_BDhw, [chosen]),
        'one pose of these': lambda: own.fused(chosen, said),
    }


def _medians(asked: Mapping[Any, Callable[[], object]], seconds: float) -> dict[Any, float]:
    names = {str(name): name for name in asked}
    times = in_turns({text: asked[name] for text, name in names.items()}, seconds)
    return {names[text]: float(np.median(found)) for text, found in times.items()}
