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

"""In place of a training: a database of the labelled images, asked by relative poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
import shutil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.cli.train_folder import claim_training, tell_finished
from posenet_ros.cli.train_landmarks import make_landmarks
from posenet_ros.cli.train_result import known_of_map, report, tell
from posenet_ros.cli.train_source import Labelled, Source
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.data.run import at_work
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.disturbed import disturbances
from posenet_ros.evaluation.held_out import evaluate_held_out, HeldOut
from posenet_ros.geometry import Camera
from posenet_ros.localization.describing import add_images
from posenet_ros.localization.posenet import choose_device
from posenet_ros.localization.relative import Asking, RelativeRegressor
from posenet_ros.models.database import DATABASE, Database, Posed
from posenet_ros.models.descriptor import PlaceFeature
from posenet_ros.models.folder import CARD
from posenet_ros.models.provenance import file_sha256
from posenet_ros.models.relative_folder import (
    check_relative,
    find_relative,
    load_relative,
    Relative,
    RELATIVE_WEIGHTS,
)
from posenet_ros.models.relative_map import (
    check_relative_map,
    DatabaseCard,
    open_database,
    save_place,
    save_relative_map,
)
from posenet_ros.training.identity import frames_sha256
from posenet_ros.training.splits import hold_out, Split
from tqdm import tqdm

_WORK = '.database'
_METHOD = 'relative poses'


class Asked(NamedTuple):
    """
    How the database of a place is to be made.

    `weights` is the folder of the shared weights, `held_out` the share of time by which it is
    measured, and `asking` how images are asked about.
    """

    weights: Path
    held_out: float
    asking: Asking

    def decides(self) -> dict[str, Any]:
        """Return what a run and its continuation must have in common."""
        return {
            'relative_sha256': file_sha256(find_relative(self.weights) / RELATIVE_WEIGHTS),
            'held_out': self.held_out,
            'neighbours': self.asking.neighbours,
            'apart_m': self.asking.apart_m,
        }


class Made(NamedTuple):
    """A database of all frames, the numbers of those that are not held out, and its parts."""

    relative: Relative
    place: PlaceFeature
    database: Database
    train_M: NDArray[np.int64]


def train_database(output: Path, source: Source, asked: Asked, map_bytes: int) -> None:
    """Label, describe, measure and write; what an earlier run has finished is not done again."""
    check_relative(asked.weights)
    source.claim(output)
    claim_training(output, {**asked.decides(), **source.asked()})
    model = output / 'model'
    if (model / CARD).is_file():
        card, _ = check_relative_map(model)
        source.check(output, card)
        tell_finished(output, card)
        return
    labelled = source.labelled(output)
    if labelled.camera is None:
        raise ConfigError(
            'nobody tells the intrinsics of the camera, and relative poses are of its rays: '
            'label by train --bag, or import the images with --camera'
        )
    with at_work(output):
        _make(output, labelled, asked, map_bytes)


def _make(output: Path, labelled: Labelled, asked: Asked, map_bytes: int) -> None:
    split = hold_out(labelled.frames, asked.held_out)
    work = output / _WORK
    shutil.rmtree(work, ignore_errors=True)
    made = _described(work, labelled, split, load_relative(asked.weights))
    part = made.database.only(made.train_M)
    regressor = RelativeRegressor(made.relative, made.place, part, labelled.camera, asked.asking)
    held_out = evaluate_held_out(
        regressor, part.training, split.train, split.blocks, disturbances(labelled.camera, {})
    )
    held_out = replace(held_out, evaluation=replace(held_out.evaluation, metric=labelled.metric))
    card = _card(labelled, split, held_out, asked)
    page = report(output, labelled, split, card, held_out, [], _METHOD)
    landmarks = make_landmarks(output, labelled, split, regressor, map_bytes)
    # Last, since a folder with a model is a finished run.
    save_relative_map(output / 'model', find_relative(asked.weights), work, card, landmarks.files)
    landmarks.tidy()
    shutil.rmtree(work, ignore_errors=True)
    tell(labelled, card, held_out, _METHOD)
    print('the held-out frames are in the database, too')
    print(f'landmarks   {landmarks.told}')
    print(f'model   {output / "model"}\nreport  {page}')


def _described(work: Path, labelled: Labelled, split: Split, relative: Relative) -> Made:
    """Describe all frames, by what tells those apart that are not held out."""
    device = choose_device()
    relative.trunk.to(device)
    relative.network.to(device)
    place = PlaceFeature(relative.trunk.place_widths).to(device)
    frames = [*split.train, *split.held_out]
    is_train_N = np.arange(len(frames)) < len(split.train)
    add_frames(
        work / DATABASE,
        scene_name(labelled.source),
        labelled.camera,
        frames,
        relative,
        place,
        is_train_N,
    )
    save_place(work, place)
    database = open_database(work / DATABASE, relative, place)
    return Made(relative, place, database, np.flatnonzero(is_train_N))


def add_frames(
    database: Path,
    scene: str,
    camera: Camera,
    frames: Sequence[Frame],
    relative: Relative,
    place: PlaceFeature,
    measure_on_N: NDArray[np.bool_] | None = None,
) -> None:
    """Add frames to a database as a segment of their own, with a progress bar."""
    posed = [Posed(frame.map_from_camera, frame.stamp_ns) for frame in frames]
    with tqdm(total=len(frames), desc='describing images', unit='image') as progress:
        add_images(
            database,
            scene,
            camera,
            posed,
            (read_image(frame.image) for frame in frames),
            relative,
            place,
            measure_on_N=measure_on_N,
            image_done=progress.update,
        )


def scene_name(source: str) -> str:
    """Return what a recording or a data set `KIND:DIR` is called."""
    return Path(source.rpartition(':')[2]).name


def _card(labelled: Labelled, split: Split, held_out: HeldOut, asked: Asked) -> DatabaseCard:
    if held_out.told is None:
        raise ConfigError(f'the solver {asked.asking.solver} tells no covariances')
    identity = {
        'labels_sha256': frames_sha256([*split.train, *split.held_out]),
        'trained_on_sha256': frames_sha256(split.train),
    }
    return DatabaseCard(
        neighbours=asked.asking.neighbours,
        apart_m=asked.asking.apart_m,
        fused=held_out.told,
        **known_of_map(labelled, split, held_out, identity, asked.decides(), {'database': 'all'}),
    )
