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

"""What is compared: a model, and every engine that this machine can run it by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from posenet_ros.engines.choose import choose_engine, Engine, make_engine
from posenet_ros.engines.kinds import kinds_of
from posenet_ros.engines.names import AUTO, EAGER
from posenet_ros.errors import ConfigError
from posenet_ros.models.checkpoint import load_model, LoadedModel
from posenet_ros.performance.untrained import untrained_model
import torch


def opened(model: Path | None, backbone: str, recipe: str, device: torch.device) -> LoadedModel:
    """Return the model in a folder, or one without training of this backbone and recipe."""
    if model is not None:
        return load_model(model, device)
    return untrained_model(backbone, recipe, device)


def entrant(loaded: LoadedModel, name: str) -> Engine:
    """Return a model with an engine; the errors by one of half precision are not asked for."""
    preprocessing = loaded.card.preprocessing
    if name in kinds_of(loaded.device):
        return make_engine(loaded.model, preprocessing, name)
    return choose_engine(loaded.model, preprocessing, loaded.device, name)


def entrants(loaded: LoadedModel, names: Sequence[str]) -> Iterator[Engine | str]:
    """
    Yield the engines that can run a model here, torch's own layers first, and the default one.

    `names` are those asked for, all where there are none; of one that cannot run here, why not.
    """
    how = loaded.model, loaded.card.preprocessing, loaded.device
    yield choose_engine(*how, EAGER)
    chosen = choose_engine(*how)
    if chosen.name != EAGER:
        yield chosen
    for name in names or kinds_of(loaded.device):
        if name in (AUTO, EAGER, chosen.name):
            continue
        try:
            yield entrant(loaded, name)
        except ConfigError as error:
            if names:
                raise
            yield str(error)
