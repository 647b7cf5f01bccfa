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

"""The map of landmarks of a training: made, measured, and put beside the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
import shutil
import time

import numpy as np
from numpy.typing import NDArray
from posenet_ros.cli.train_source import Labelled
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.errors import LabellingError
from posenet_ros.evaluation.table import degrees, metres
from posenet_ros.evaluation.verifying import measure_gate, MeasuredGate
from posenet_ros.landmarks.landmark_map import LandmarkMap, LANDMARKS, write_map
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.sfm.landmarks import build_landmarks
from posenet_ros.sfm.scene_map import RECONSTRUCTION
from posenet_ros.training.splits import Split
from tqdm import tqdm

_BATCH = 16
_WORK = '.landmarks'


@dataclass(frozen=True)
class Landmarks:
    """The files of a map, none where none could be made, and what to say of it."""

    files: tuple[Path, ...]
    told: str
    work: Path

    def tidy(self) -> None:
        """Remove what was made on the way."""
        shutil.rmtree(self.work, ignore_errors=True)


def make_landmarks(
    output: Path, labelled: Labelled, split: Split, regressor: PoseRegressor, map_bytes: int
) -> Landmarks:
    """
    Make the map of all frames, and measure on one without the held-out frames what verifies.

    The regressor's features are those of places by which frames of the map are found again. Where
    no map can be made the model is as good as it was, and the reason is told.
    """
    work = output / _WORK
    if not map_bytes:
        return Landmarks((), 'none was asked for', work)
    if labelled.camera is None:
        return Landmarks((), 'none: nobody tells the intrinsics of the camera', work)
    begin = time.monotonic()
    try:
        maps = build_landmarks(
            labelled.frames,
            split.held_out,
            labelled.camera,
            model=labelled.model,
            work=work,
            reconstruction=output / RECONSTRUCTION,
            describe=lambda frames: _described(regressor, frames),
            budget_bytes=map_bytes,
        )
    except LabellingError as error:
        return Landmarks((), f'none, so that no pose will be verified: {error}', work)
    measured = measure_gate(maps.part, regressor, split.train, split.blocks)
    path = work / LANDMARKS
    write_map(path, replace(maps.whole, gate=measured.gate.to_dict()))
    unit = 'm' if labelled.metric else 'units'
    return Landmarks((path,), _told(maps.whole, measured, unit, time.monotonic() - begin), work)


def _described(regressor: PoseRegressor, frames: Sequence[Frame]) -> NDArray[np.float16]:
    parts = []
    with tqdm(total=len(frames), desc='describing the map', unit='image', delay=2) as progress:
        for start in range(0, len(frames), _BATCH):
            images = [read_image(frame.image) for frame in frames[start : start + _BATCH]]
            parts.append(regressor.regress(images).features.astype(np.float16))
            progress.update(len(images))
    return np.concatenate(parts)


def _told(landmarks: LandmarkMap, measured: MeasuredGate, unit: str, seconds: float) -> str:
    return (
        f'{len(landmarks.points_P3)} points seen by {landmarks.frames} frames, '
        f'{landmarks.nbytes / 1e6:.1f} MB, in {seconds:.0f} s; {measured.verified} of '
        f'{measured.own} held-out frames verified, by at least {measured.gate.agreed} features: '
        f'{metres(measured.median_m)} {unit}, {degrees(measured.median_deg)} deg (median); no '
        f'wrong pose of {measured.others} hard or foreign images passes'
    )
