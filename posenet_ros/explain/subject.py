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

"""What figures are made of: a model, the frames that it learned from, and others it did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from posenet_ros.data.depth import Depths
from posenet_ros.data.frames import Frame
from posenet_ros.data.scenes import read_scene, scene_model
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera
from posenet_ros.localization.posenet import choose_device
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.models.checkpoint import find_model_folder, load_model, LoadedModel
from posenet_ros.models.measured_layer import restore_measured_layer
from posenet_ros.sfm.depths import depths_of
from posenet_ros.sfm.scene_map import RECONSTRUCTION
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.identity import frames_sha256
from posenet_ros.training.splits import hold_out


@dataclass(frozen=True, eq=False)
class Subject:
    """
    A trained model, its training frames, and frames to ask it about that it has not seen.

    `run` is the folder that train left. `source` names the frames for a person. `options` are the
    recipe that the model was trained by. No frame is in both `train` and `test`. `labelled` are
    all frames that training had, held out or not, and `model` is the COLMAP model that their
    poses came from, where there is one. `calibrated` says that the test frames are those that
    training held out, by which covariance and refusal were set.
    """

    run: Path
    loaded: LoadedModel
    options: TrainOptions
    train: tuple[Frame, ...]
    test: tuple[Frame, ...]
    camera: Camera | None
    source: str
    labelled: tuple[Frame, ...] = ()
    calibrated: bool = False
    model: Path | None = None

    @cached_property
    def depths(self) -> Depths:
        """Inverse depths by image, where training had them."""
        if not self.loaded.card.training['frames'].get('with_depth'):
            return {}
        work = self.run / RECONSTRUCTION
        return depths_of(self.labelled, self.camera, model=self.model, work=work)

    @cached_property
    def regressor(self) -> PoseRegressor:
        """The model with its preprocessing: images in, poses and features out."""
        return PoseRegressor(self.loaded.model, self.loaded.card.preprocessing, self.loaded.device)

    @property
    def unit(self) -> str:
        """The unit of lengths, as a person reads it."""
        return 'm' if self.loaded.card.metric else 'units'

    @property
    def told(self) -> str:
        """Say what a figure was made of."""
        return f'Made of {self.run} and of test frames of {self.source}, {len(self.test)} in all.'


def open_subject(
    model_folder: Path,
    dataset: str | None = None,
    test_frames: str | None = None,
    device: str = 'auto',
) -> Subject:
    """
    Open the run of a model, with the data set that it was trained on or the run's own capture.

    Asked about is the test part of the data set, or what `test_frames` keeps apart; where there is
    neither, the blocks that training held out, with the last layer that they were measured
    with. Raises ConfigError for other frames or labels than the model was trained on, and
    whatever a missing or damaged folder raises.
    """
    folder = find_model_folder(model_folder)
    run = folder.parent if folder.name == 'model' else folder
    if test_frames and not dataset:
        raise ConfigError('--test-frames chooses frames of a data set: give --dataset')
    if not dataset and not (run / 'capture').is_dir():
        raise ConfigError(
            f'{run} holds no capture, so its frames are elsewhere: tell which data set it was '
            'trained on, --dataset KIND:DIR'
        )
    source = dataset or f'capture:{run / "capture"}'
    scene = read_scene(source, test_frames)
    loaded = load_model(folder, choose_device(device))
    provenance = loaded.card.training
    if frames_sha256(scene.train) != provenance.get('labels_sha256'):
        raise ConfigError(
            f'{source} is not what {run} was trained on: other frames, other poses, or another '
            '--test-frames'
        )
    options = TrainOptions.from_dict(provenance['options'])
    train, test = scene.train, scene.test
    if not test:
        split = hold_out(scene.train, options.held_out)
        train, test = split.train, split.held_out
        restore_measured_layer(run, loaded.model)
    model = scene_model(source)
    return Subject(
        run,
        loaded,
        options,
        train,
        test,
        scene.camera,
        source,
        labelled=scene.train,
        calibrated=not scene.test,
        model=model,
    )


def some(frames: Sequence[Frame], most: int) -> tuple[Frame, ...]:
    """Return at most so many frames, evenly spread over all."""
    if len(frames) <= most:
        return tuple(frames)
    return tuple(frames[round(n * (len(frames) - 1) / max(most - 1, 1))] for n in range(most))
