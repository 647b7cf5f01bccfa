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

"""The memory of a process that does nothing but answer."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
import sys
from typing import NamedTuple

from posenet_ros.localization.ensemble import Ensemble
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.performance.images import camera_images
import torch

_ANSWERS = 1


class Load(NamedTuple):
    """What a process is to answer by: the arguments of `opened`, and the ensemble's and batch."""

    model: Path | None
    backbone: str
    recipe: str
    device: str
    engine: str
    crops: int
    batch: int
    threads: int


def peak_bytes(load: Load) -> int | None:
    """
    Return the most memory that a process of its own takes while it answers, in bytes.

    Resident memory with the interpreter and its libraries; on CUDA that of the device, without
    what CUDA takes for itself. None where the system does not tell.
    """
    if sys.platform != 'linux' and load.device == 'cpu':
        return None
    context = multiprocessing.get_context('spawn')
    with context.Pool(1) as pool:
        return pool.apply(_peak, (load,))


def _peak(load: Load) -> int:
    from posenet_ros.performance.entrants import entrant, opened

    torch.set_num_threads(load.threads)
    device = torch.device(load.device)
    loaded = opened(load.model, load.backbone, load.recipe, device)
    engine = entrant(loaded, load.engine)
    preprocessing = loaded.card.preprocessing
    del loaded
    regressor = PoseRegressor(engine.model, preprocessing, device, Ensemble(load.crops))
    images = camera_images(load.batch)
    regressor.regress(images)
    # What converting and comparing took is over.
    if device.type == 'cuda':
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    else:
        Path('/proc/self/clear_refs').write_text('5')
    for _ in range(_ANSWERS):
        regressor.regress(images)
    if device.type == 'cuda':
        return torch.cuda.max_memory_reserved(device)
    status = Path('/proc/self/status').read_text()
    told = next(line for line in status.splitlines() if line.startswith('VmHWM'))
    return 1024 * int(told.split()[1])
