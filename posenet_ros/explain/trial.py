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

"""
Trainings that a figure consists of, each done once: measured, kept, and shared among figures.

    trials/KEY.json   what a trial found, by a hash of everything that decides it
    trials/KEY/       its logs and checkpoint while it is under way

Test frames are watched and measured; they are never learned from, and choose nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import hashlib
import json
from pathlib import Path
import shutil
import time
from typing import Any

from posenet_ros.data.frames import Frame
from posenet_ros.evaluation.baselines import Baselines
from posenet_ros.evaluation.evaluate import evaluate_regressor
from posenet_ros.evaluation.held_out import describe
from posenet_ros.explain.answers import ASKING
from posenet_ros.explain.found import Found
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.subject import some, Subject
from posenet_ros.files import write_text
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.models.backbones import Trunk
from posenet_ros.models.checkpoint import find_model_folder, load_model, WEIGHTS
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.provenance import file_sha256
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.fit import fit, make_trunk
from posenet_ros.training.identity import frames_sha256, weights_sha256

WATCHED = 60
# To be raised where the same options come to train another model.
_FORMAT = 2


@dataclass(frozen=True, eq=False)
class Trial:
    """
    One training.

    `label` tells it from the others of its figure. `trunk` is a model folder whose trunk it
    starts from, in place of the weights of the options. With `curve`, at most WATCHED test frames
    are measured after every epoch.
    """

    label: str
    options: TrainOptions
    train: tuple[Frame, ...]
    trunk: Path | None = None
    curve: bool = False

    @property
    def images(self) -> int:
        """How many images go through the network in training."""
        return len(self.train) * self.options.epochs_for(len(self.train))


def train_all(subject: Subject, trials: Sequence[Trial], output: Path) -> list[Found]:
    """
    Return what each trial finds on all test frames; those that were done before are not again.

    Stopped by KeyboardInterrupt, the same call goes on from the last checkpoint of the trial that
    was under way. Raises ConfigError for a kept result that is damaged, and what `fit`,
    `make_trunk` and `load_model` raise.
    """
    folder = output / 'trials'
    decided = [_decided_by(subject, trial) for trial in trials]
    paths = [folder / f'{_key(each)}.json' for each in decided]
    found: list[Found] = []
    images, seconds = 0, 0.0
    for number, (trial, path) in enumerate(zip(trials, paths), 1):
        told = f'trial {number} of {len(trials)}: {trial.label}'
        if path.is_file():
            print(f'{told}, done before', flush=True)
        else:
            left = sum(each.images for each, at in zip(trials, paths) if not at.is_file())
            estimate = f', about {_minutes(left * seconds / images)} left' if images else ''
            print(f'{told}{estimate}', flush=True)
            _keep(path, decided[number - 1], _train(subject, trial, path.with_suffix('')))
        shutil.rmtree(path.with_suffix(''), ignore_errors=True)
        found.append(Found.read(path))
        images, seconds = images + trial.images, seconds + found[-1].seconds
    return found


def _decided_by(subject: Subject, trial: Trial) -> dict[str, Any]:
    """Return everything that decides what a trial finds, as plain values."""
    known = weights_sha256(trial.options) or trial.options.weights
    return {
        'format': _FORMAT,
        'options': {**trial.options.to_dict(), 'weights': known},
        'trained_on_sha256': frames_sha256(trial.train),
        'test_sha256': frames_sha256(subject.test),
        'camera': asdict(subject.camera) if subject.camera else None,
        'depths_sha256': _depths_sha256(subject, trial),
        'trunk_sha256': trial.trunk and file_sha256(find_model_folder(trial.trunk) / WEIGHTS),
        'curve': trial.curve,
    }


def _depths_sha256(subject: Subject, trial: Trial) -> str | None:
    """Return the hash of the distances by which cameras are moved, None where none are."""
    if not trial.options.wants_depths:
        return None
    digest = hashlib.sha256()
    for frame in trial.train:
        inverse = subject.depths.get(frame.image)
        digest.update(b'' if inverse is None else inverse.tobytes())
    return digest.hexdigest()


def _key(decided: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]


def _train(subject: Subject, trial: Trial, logs: Path) -> dict[str, Any]:
    """Train and measure; return plain values."""
    logs.mkdir(parents=True, exist_ok=True)
    watched = some(subject.test, WATCHED if trial.curve else 1)
    clock = _Clock(logs / 'seconds.txt')
    try:
        trunk, camera = _trunk(trial), subject.camera
        depths = subject.depths if trial.options.wants_depths else None
        fitted = fit(
            trial.train,
            watched,
            trial.options,
            logs,
            trunk=trunk,
            camera=camera,
            depths=depths,
        )
    finally:
        clock.write()
    regressor = PoseRegressor(fitted.model, fitted.preprocessing, subject.loaded.device)
    # A network that fell apart in training has no features to compare.
    training = describe(regressor, trial.train) if _is_finite(fitted.model) else None
    baselines = training and Baselines(training)
    measured = evaluate_regressor(regressor, subject.test, ASKING, baselines).to_dict()
    rows = [
        {name: plain(value) for name, value in row.items()}
        for row in (fitted.history if trial.curve else ())
    ]
    return {**measured, 'history': rows, 'seconds': round(clock.seconds, 1)}


class _Clock:
    """How long a training took, over all its parts where it was stopped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = float(path.read_text('utf-8')) if path.is_file() else 0.0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._start

    def write(self) -> None:
        write_text(self._path, f'{self.seconds}')


def _trunk(trial: Trial) -> Trunk:
    if trial.trunk is None:
        return make_trunk(trial.options)
    return load_model(trial.trunk).model.trunk


def _is_finite(model: PoseNet) -> bool:
    return all(bool(value.isfinite().all()) for value in model.state_dict().values())


def _keep(path: Path, decided: dict[str, Any], values: dict[str, Any]) -> None:
    values = {'decided_by': decided, **values}
    write_text(path, json.dumps(values, indent=2, allow_nan=False) + '\n')


def _minutes(seconds: float) -> str:
    return f'{seconds / 60:.0f} min' if seconds >= 90 else f'{seconds:.0f} s'
