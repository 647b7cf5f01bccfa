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

"""What a training leaves: the held-out figures, the report, and the model with its card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from posenet_ros import __version__
from posenet_ros.data.frames import Frame
from posenet_ros.evaluation.held_out import evaluate_held_out, HeldOut
from posenet_ros.evaluation.report import write_report
from posenet_ros.evaluation.table import text_table
from posenet_ros.geometry import Camera
from posenet_ros.localization.posenet import choose_device
from posenet_ros.models.card import ModelCard
from posenet_ros.models.checkpoint import save_model
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.fit import Fitted
from posenet_ros.training.splits import Split

_PACKAGES = ('torch', 'torchvision', 'lightning', 'numpy')


@dataclass(frozen=True)
class Labelled:
    """Frames with poses, from `source`: the camera where it is known, and facts to report."""

    source: str
    frames: tuple[Frame, ...]
    camera: Camera | None
    facts: dict[str, Any]


def conclude(
    output: Path, labelled: Labelled, split: Split, options: TrainOptions, fitted: Fitted
) -> None:
    """Measure on the held-out frames, write report and model, and tell the result."""
    held_out = evaluate_held_out(
        fitted.model, fitted.preprocessing, split.train, split.blocks, choose_device()
    )
    card = _card(labelled, split, options, fitted, held_out)
    page = write_report(
        output / 'report',
        held_out.evaluation,
        title=f'PoseNet trained on {labelled.source}',
        subtitle=f'{len(split.held_out)} held-out frames, none of them trained on',
        training_poses=[frame.map_from_camera for frame in split.train],
        history=fitted.history,
        facts={'Labels': labelled.facts, 'Training': card.training},
    )
    # Last, since a folder with a model is a finished run.
    save_model(output / 'model', fitted.model, card, held_out.features)
    print(f'\n{len(split.held_out)} held-out frames:\n')
    print(text_table(held_out.evaluation, 'PoseNet'), '', sep='\n')
    print(f'model   {output / "model"}\nreport  {page}')


def _card(
    labelled: Labelled, split: Split, options: TrainOptions, fitted: Fitted, held_out: HeldOut
) -> ModelCard:
    positions = np.array([frame.map_from_camera.translation for frame in split.train])
    provenance = {
        'source': labelled.source,
        'frames': {
            'trained_on': len(split.train),
            'held_out': len(split.held_out),
            'held_out_share': round(split.share, 4),
        },
        'options': options.to_dict(),
        'date': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'versions': {
            'posenet_ros': __version__,
            **{package: version(package) for package in _PACKAGES},
        },
    }
    return ModelCard(
        fitted.model.architecture,
        fitted.preprocessing,
        labelled.camera,
        extent=np.stack([positions.min(axis=0), positions.max(axis=0)]),
        training=provenance,
        errors=held_out.card_errors(),
        covariance=held_out.support.covariance,
    )
