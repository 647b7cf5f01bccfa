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
from posenet_ros.errors import CaptureError, ConfigError
from posenet_ros.files import read_yaml, write_yaml
from posenet_ros.models.card import read_card
from posenet_ros.models.checkpoint import CARD
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.fit import CHECKPOINT

# What may differ between a run and its continuation.
_ANY_TIME = ('devices', 'nodes')


def is_first() -> bool:
    """Tell the process that was started from those that Lightning starts beside it."""
    return all(os.environ.get(name, '0') == '0' for name in ('LOCAL_RANK', 'NODE_RANK'))


def claim_training(output: Path, options: TrainOptions, labelling: Mapping[str, Any]) -> bool:
    """
    Note in the folder's run.yaml how it is trained; return whether that is finished.

    Raises ConfigError where something was trained there otherwise: its labels are good for
    another training, but a model must not be half of the one and half of the other.
    """
    asked = {key: value for key, value in options.to_dict().items() if key not in _ANY_TIME}
    asked |= {f'label_{key}': value for key, value in labelling.items()}
    run = read_yaml(output / RUN, CaptureError)
    known = run.get('train', {})
    finished = (output / 'model').is_dir()
    begun = finished or (output / 'logs' / CHECKPOINT).is_file()
    other = [key for key in asked if known.get(key) != asked[key]]
    if other and begun:
        was = ', '.join(f'{key} {known.get(key)}, not {asked[key]}' for key in other)
        raise ConfigError(
            f'{output} was trained with {was}; choose another --output, or remove its model '
            'and logs to train again on the labels that are there'
        )
    if other and is_first():
        write_yaml(output / RUN, {**run, 'train': asked})
    return finished


def tell_finished(output: Path) -> None:
    """Say that there is nothing to do, and what there is."""
    card, _ = read_card(output / 'model' / CARD)
    frames = card.errors['frames']
    metres, degrees = card.errors['median_position_m'], card.errors['median_orientation_deg']
    print(f'{output} is finished: nothing to do')
    print(f'median error on {frames} held-out frames: {metres:.3f} m, {degrees:.2f} deg')
    print(f'model   {output / "model"}\nreport  {output / "report" / "report.html"}')
