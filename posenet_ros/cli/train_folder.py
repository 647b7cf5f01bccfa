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

"""The folder of a training run: whose it is, and whether it is finished."""

from __future__ import annotations

from collections.abc import Mapping
import os
from pathlib import Path
from typing import Any

from posenet_ros.data.run import RUN
from posenet_ros.errors import CaptureError, ConfigError, ModelError
from posenet_ros.evaluation.report import PAGE
from posenet_ros.evaluation.table import degrees, metres
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.models.checkpoint import CARD, check_model
from posenet_ros.models.map_card import MapCard
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.fit import CHECKPOINT
from posenet_ros.training.identity import weights_sha256

# What may differ between a run and its continuation.
_ANY_TIME = ('devices', 'nodes')
# How Lightning, torchrun, SLURM and LSF number processes.
_RANKS = ('RANK', 'LOCAL_RANK', 'NODE_RANK', 'GROUP_RANK', 'SLURM_PROCID', 'JSM_NAMESPACE_RANK')


def is_first() -> bool:
    """Tell the first process of a run on several devices or machines from the others."""
    return all(os.environ.get(name, '0') == '0' for name in _RANKS)


def what_decides(options: TrainOptions) -> dict[str, Any]:
    """Return what a training and its continuation must have in common."""
    asked = {key: value for key, value in options.to_dict().items() if key not in _ANY_TIME}
    weights = weights_sha256(options)
    return {**asked, 'weights_sha256': weights} if weights else asked


def claim_training(output: Path, asked: Mapping[str, Any]) -> None:
    """
    Note in the folder's run.yaml what the training stands on.

    Raises ConfigError where something was trained there otherwise: a model must not be half of
    the one and half of the other.
    """
    run = read_yaml(output / RUN, CaptureError)
    known = run.get('train', {})
    if known:
        # Options that came after the run are as they are by default: without effect.
        known = {**TrainOptions().to_dict(), **known}
    other = [key for key in asked if known.get(key) != asked[key]]
    if not other:
        return
    if (output / 'model' / CARD).is_file() or (output / 'logs' / CHECKPOINT).is_file():
        was = ', '.join(
            f'{key} {_shown(key, known.get(key))}, not {_shown(key, asked[key])}' for key in other
        )
        raise ConfigError(
            f'{output} was trained with {was}; choose another --output, or remove its model '
            'and logs to train again on the labels that are there'
        )
    if is_first():
        write_yaml(output / RUN, {**run, 'train': {**known, **asked}})


def _shown(key: str, value: Any) -> str:
    return str(value)[:12] if key.endswith('sha256') else str(value)


def finished_card(output: Path) -> MapCard | None:
    """
    Return the card of the model that a run left, None where there is none yet.

    Raises ModelError for one that cannot be used.
    """
    folder = output / 'model'
    if not (folder / CARD).is_file():
        return None
    try:
        return check_model(folder)[0]
    except ModelError as error:
        raise ModelError(f'{error} (remove {folder}, and the same command does)') from error


def has_report(output: Path) -> bool:
    """Tell whether the report of a run is there."""
    return (output / 'report' / PAGE).is_file()


def tell_finished(output: Path, card: MapCard) -> None:
    """Say that there is nothing to do, and what there is."""
    median = (
        f'{metres(card.errors["median_position_m"])} {"m" if card.metric else "units"}, '
        f'{degrees(card.errors["median_orientation_deg"])} deg'
    )
    print(f'{output} is finished: nothing to do')
    print(f'median error on {card.errors["frames"]} held-out frames: {median}')
    print(f'model   {output / "model"}\nreport  {output / "report" / PAGE}')
