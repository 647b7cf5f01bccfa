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

"""From a model folder to something that answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from posenet_ros.engines.choose import choose_engine, memory_for
from posenet_ros.engines.evidence import checked_engines
from posenet_ros.engines.names import AUTO, EAGER
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.landmarks.landmark_map import LANDMARKS, read_map
from posenet_ros.localization.ensemble import CENTRE_CROP, Ensemble
from posenet_ros.localization.estimate import Localizer
from posenet_ros.localization.methods import AUTO_METHOD, METHODS, POSENET, RELATIVE
from posenet_ros.localization.posenet import choose_device, PoseNetLocalizer
from posenet_ros.localization.relative import OURS, RelativeLocalizer
from posenet_ros.localization.verified import VerifiedLocalizer
from posenet_ros.models.checkpoint import load_model, LoadedModel
from posenet_ros.models.map_card import MapCard
from posenet_ros.models.relative_map import is_relative_map, load_relative_map

REFINE = ('auto', 'off')


def load_localizer(
    path: Path,
    device: str = 'auto',
    *,
    unscaled: bool = False,
    ensemble: Ensemble = CENTRE_CROP,
    always: bool = False,
    refine: str = 'auto',
    method: str = AUTO_METHOD,
    neighbours: int | None = None,
    solver: str | None = None,
    engine: str = AUTO,
) -> Localizer:
    """
    Load the model of a run (or a model folder) and answer once, so that it is ready.

    `auto` runs on CUDA where there is one, else on the CPU. `unscaled` accepts a model whose map
    has no metres, which no robot can act on; `ensemble` averages several answers; `always` refuses
    no image. By `refine`, `auto` has poses verified where the model folder has a map of landmarks,
    and `off` does not. `method` is `posenet` or `relative`, whichever the model folder is for
    (`auto`), or `retrieval` for the pose of the training image that looks most alike; `neighbours`
    and `solver` of relative poses are by default as measured (see `Asking`); `engine` is one of
    `engines.names.ENGINES`. Raises ModelError for a folder that holds no usable model,
    ConfigError for a device or an engine that is not there, for a method of another kind of model,
    or for samples of a model without dropout.
    """
    if refine not in REFINE:
        raise ConfigError(f'refine must be {" or ".join(REFINE)}, not {refine!r}')
    if method not in METHODS:
        raise ConfigError(f'method must be one of {", ".join(METHODS)}, not {method!r}')
    if is_relative_map(path):
        _refuse_of_posenet(path, ensemble, method, engine)
        loaded = load_relative_map(path, choose_device(device))
        _check_metres(path, loaded.card, unscaled)
        way = RELATIVE if method == AUTO_METHOD else method
        localizer = RelativeLocalizer(
            loaded, always=always, method=way, neighbours=neighbours, solver=solver or OURS
        )
    else:
        if neighbours is not None or solver:
            raise ConfigError(
                f'neighbours and a solver are for a database, and {path} holds a PoseNet: leave '
                'them out'
            )
        if method == RELATIVE:
            raise ConfigError(
                f'{path} holds a PoseNet, and the method relative asks a database: make one of '
                'the same recording by train --relative WEIGHTS'
            )
        loaded = load_model(path, choose_device(device))
        _check_metres(path, loaded.card, unscaled)
        way = POSENET if method == AUTO_METHOD else method
        localizer = _posenet(loaded, ensemble, engine, always=always, method=way)
    landmarks = loaded.folder / LANDMARKS
    if refine == 'off' or LANDMARKS not in loaded.files:
        localizer.regressor.warm_up()
        return localizer
    verified = VerifiedLocalizer(localizer, read_map(landmarks))
    verified.warm_up()
    return verified


def _posenet(
    loaded: LoadedModel, ensemble: Ensemble, engine: str, *, always: bool, method: str
) -> PoseNetLocalizer:
    chosen = choose_engine(
        loaded.model,
        loaded.card.preprocessing,
        loaded.device,
        engine,
        checked_engines(loaded.folder),
        memory_for(loaded.model, loaded.card.preprocessing, loaded.device),
    )
    return PoseNetLocalizer(
        replace(loaded, model=chosen.model),
        ensemble,
        always=always,
        method=method,
        engine=chosen.told,
    )


def _check_metres(path: Path, card: MapCard, unscaled: bool) -> None:
    if not (card.metric or unscaled):
        raise ModelError(
            f'the map of {path} has no metres, since its labels had no reference for them: its '
            'positions and covariances would be taken for metres; record odometry, and train again'
        )


def _refuse_of_posenet(path: Path, ensemble: Ensemble, method: str, engine: str) -> None:
    """Refuse what only a PoseNet has."""
    if method == POSENET:
        raise ConfigError(
            f'{path} is a database for the method relative, and holds no PoseNet: leave the '
            'method out, or train one'
        )
    if ensemble != CENTRE_CROP:
        raise ConfigError('several crops or samples are for a PoseNet, not for a database')
    if engine not in (AUTO, EAGER):
        raise ConfigError(
            f'the engine {engine} runs a PoseNet; a database is asked by torch: leave it out'
        )
