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

"""Measure a model by every engine on this machine, beside torch's own layers in the same run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
import os
from pathlib import Path
import time

import numpy as np
from numpy.typing import NDArray
from posenet_ros.engines.choose import Engine
from posenet_ros.engines.names import EAGER
from posenet_ros.errors import ConfigError
from posenet_ros.explain.cost import Cost
from posenet_ros.localization.ensemble import Ensemble
from posenet_ros.localization.posenet import choose_device
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.machine import cores
from posenet_ros.models.checkpoint import LoadedModel
from posenet_ros.performance.contest import in_turns
from posenet_ros.performance.entrants import entrants, opened
from posenet_ros.performance.images import camera_images
from posenet_ros.performance.memory import Load, peak_bytes
from posenet_ros.performance.scene_size import costs_by_scene_size
from posenet_ros.performance.sizes import bytes_on_disk
import torch
from tqdm import tqdm


@dataclass(frozen=True)
class Plan:
    """
    What is measured, on what.

    `model` is a folder, else a network of `backbone` and `recipe` without training. Each of
    `engines` (all there are, where none is named) answers images of each of `batches` at a time,
    and by each of `crops`, the first of both first. `seconds` are spent on each of these; 0
    `threads` are all cores. `memory` and `scene_size` can be left out, which take longest.
    """

    model: Path | None = None
    backbone: str = 'googlenet'
    recipe: str = 'default'
    device: str = 'auto'
    engines: tuple[str, ...] = ()
    crops: tuple[int, ...] = (1, 128)
    batches: tuple[int, ...] = (1, 8)
    seconds: float = 20.0
    threads: int = 0
    memory: bool = True
    scene_size: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant."""
        for crops in self.crops:
            Ensemble(crops)
        if min(self.batches) < 1 or self.threads < 0 or not 0 < self.seconds < 3600:
            raise ConfigError(
                'batches are at least 1, threads at least 0, and seconds above 0: not '
                f'{min(self.batches)}, {self.threads} and {self.seconds:g}'
            )

    @property
    def cells(self) -> list[tuple[int, int]]:
        """The pairs of crops and batch: many crops of one image, or one of many images."""
        first = self.batches[0]
        return [(self.crops[0], batch) for batch in self.batches] + [
            (crops, first) for crops in self.crops[1:]
        ]


@dataclass(frozen=True, eq=False)
class Row:
    """Times in milliseconds of an engine's answers to `batch` images, by so many crops each."""

    engine: str
    crops: int
    batch: int
    times_ms: NDArray[np.float64]
    peak_bytes: int | None = None

    @property
    def median_ms(self) -> float:
        """The median time from host images to poses."""
        return float(np.median(self.times_ms))


@dataclass(frozen=True, eq=False)
class Found:
    """
    What was measured.

    `default` is the engine that a user gets without asking; `absent` are reasons why others are
    not among `engines`. `sizes` are bytes by precision and part. `scene_size` is empty where that
    was left out.
    """

    plan: Plan
    loaded: LoadedModel
    threads: int
    load_average: float
    engines: tuple[Engine, ...]
    made_s: dict[str, float]
    default: str
    absent: tuple[str, ...]
    rows: tuple[Row, ...]
    sizes: dict[str, dict[str, int]]
    scene_size: dict[str, tuple[Cost, ...]]

    def row(self, engine: str, crops: int, batch: int) -> Row:
        """Return what was measured of an engine."""
        wanted = (engine, crops, batch)
        return next(row for row in self.rows if (row.engine, row.crops, row.batch) == wanted)

    def speedup(self, engine: str) -> float:
        """Return how many times faster than torch's own layers it answers what was asked first."""
        first = self.plan.cells[0]
        return self.row(EAGER, *first).median_ms / self.row(engine, *first).median_ms


def benchmark(plan: Plan) -> Found:
    """
    Do what a plan asks for, with progress bars.

    Raises ConfigError for a device or an engine that is not there, ModelError for no model.
    """
    device = choose_device(plan.device)
    threads = plan.threads or cores()
    torch.set_num_threads(threads)
    loaded = opened(plan.model, plan.backbone, plan.recipe, device)
    engines, made_s, absent = _engines(loaded, plan.engines)
    # What a user gets comes second, where it is not torch's own.
    default = engines[min(1, len(engines) - 1)]
    load_average = _load_average()
    rows = [row for cell in plan.cells for row in _cell(loaded, engines, *cell, plan.seconds)]
    if plan.memory:
        rows = [*_with_memory(rows, plan, device, threads)]
    scene = costs_by_scene_size(loaded, default, plan.seconds) if plan.scene_size else {}
    return Found(
        plan,
        loaded,
        threads,
        load_average,
        tuple(engines),
        made_s,
        default.name,
        tuple(absent),
        tuple(rows),
        bytes_on_disk(loaded.model),
        scene,
    )


def _engines(
    loaded: LoadedModel, names: Sequence[str]
) -> tuple[list[Engine], dict[str, float], list[str]]:
    """Make the engines; return how long each took, and why others cannot be."""
    engines, made_s, absent = [], {}, []
    start = time.perf_counter()
    for each in entrants(loaded, names):
        if isinstance(each, str):
            absent.append(each)
        else:
            engines.append(each)
            made_s[each.name] = time.perf_counter() - start
        start = time.perf_counter()
    return engines, made_s, absent


def _cell(
    loaded: LoadedModel, engines: Sequence[Engine], crops: int, batch: int, seconds: float
) -> Iterator[Row]:
    """Measure all engines on batches of one size and so many crops."""
    images = camera_images(batch, seed=1)
    how = loaded.card.preprocessing, loaded.device, Ensemble(crops)
    answers = {
        engine.name: partial(PoseRegressor(engine.model, *how).regress, images)
        for engine in engines
    }
    with tqdm(desc=f'{crops} crops of {batch}', unit='turn') as progress:
        times = in_turns(answers, seconds, progress.update)
    for name, times_ms in times.items():
        yield Row(name, crops, batch, times_ms)


def _with_memory(
    rows: Sequence[Row], plan: Plan, device: torch.device, threads: int
) -> Iterator[Row]:
    for row in tqdm(rows, desc='memory', unit='process'):
        asked = plan.model, plan.backbone, plan.recipe, str(device)
        load = Load(*asked, row.engine, row.crops, row.batch, threads)
        yield Row(row.engine, row.crops, row.batch, row.times_ms, peak_bytes(load))


def _load_average() -> float:
    """Return how busy the machine is before anything is measured, in processes."""
    return os.getloadavg()[0] if hasattr(os, 'getloadavg') else float('nan')
