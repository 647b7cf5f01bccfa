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
Measure how fast a recipe trains, and how near that is to what the device could do at best.

    python test/tools/measure_training.py --frames 1000 --epochs 100 --json training.json

Images a second of the network's forward and backward pass alone, on one batch that lies on the
device; of the same with the optimiser's step; of making batches alone; and of `fit` on frames of
smooth noise, from the first line of the loop to its last and in an epoch in the middle. Nothing
is downloaded. --graphs has the passes replayed as CUDA graphs, --syncs also lists the lines in
which a training waits for the GPU. The figures under "Training" in docs/performance.md.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib.util import find_spec
import json
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import time
from types import ModuleType
from typing import Any
import warnings

import cv2
import lightning
import numpy as np
from posenet_ros.data.dataset import FrameDataset, PoseBatch, ResizedImages
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import encode_jpeg
from posenet_ros.geometry import Camera, Pose
from posenet_ros.models.backbones import build_backbone
from posenet_ros.models.posenet import PoseNet
from posenet_ros.training import batches, graphs
from posenet_ros.training import fit as fit_module
from posenet_ros.training.callbacks import History
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.module import make_loss, make_optimizer
from posenet_ros.training.precision import half_precision
from posenet_ros.training.recipes import read_recipe
from posenet_ros.training.resident import resident, ResidentLoader
from scipy.spatial.transform import Rotation
import torch

_WIDTH, _HEIGHT = 640, 480
_CAMERA = Camera(_WIDTH, _HEIGHT, 525.0, 525.0, 319.5, 239.5)
_DEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def main() -> int:
    """Measure, print, and write."""
    asked = _parser().parse_args()
    changes = {'weights': 'none', 'epochs': asked.epochs, 'iterations': 0, 'freeze_norms': False}
    if asked.backbone:
        changes['backbone'] = asked.backbone
    if asked.batch_size:
        changes['batch_size'] = asked.batch_size
    options = replace(TrainOptions.from_dict(read_recipe(asked.recipe)), **changes)
    graphs.REPLAYED = asked.graphs
    if find_spec('tensorboard') is None:
        # A machine for measurements may lack it; an epoch's few lines to its file are no load.
        fit_module.TensorBoardLogger = lambda *_, **__: False
    found: dict[str, Any] = {**_machine(), **_asked(asked, options)}
    _tell(found)

    def note(**values: Any) -> None:
        found.update(values)
        _tell(values)
        if asked.json:
            # After every part: what was measured is not lost where a later one fails.
            asked.json.write_text(json.dumps(found, indent=1) + '\n', encoding='utf-8')

    note(**_bare(options, asked.steps, asked.graphs))
    with TemporaryDirectory() as folder:
        train, held_out = _frames(Path(folder), asked.frames)
        note(**_batches(train, options))
        note(**_fitted(train, held_out, options, Path(folder) / 'logs'))
        bare, steady = found['bare_images_per_s'], found.get('steady_images_per_s', 0)
        note(share_of_bare=round(steady / bare, 3))
        if asked.syncs and _DEVICE.type == 'cuda':
            note(syncs=_syncs(train, held_out, options, Path(folder) / 'syncs'))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--frames', type=int, default=1000, help='to train on (1000)')
    parser.add_argument('--epochs', type=int, default=100, help='(100)')
    parser.add_argument('--recipe', default='paper2015', help='name or file (paper2015)')
    parser.add_argument('--backbone', help="in place of the recipe's")
    parser.add_argument('--batch-size', type=int, help="in place of the recipe's")
    parser.add_argument('--steps', type=int, default=100, help='of the passes alone (100)')
    parser.add_argument('--graphs', action='store_true', help='replay passes as CUDA graphs')
    parser.add_argument('--syncs', action='store_true', help='list what waits for the GPU')
    parser.add_argument('--json', type=Path, help='file to write')
    return parser


def _machine() -> dict[str, Any]:
    cuda = _DEVICE.type == 'cuda'
    return {
        'device': torch.cuda.get_device_name(_DEVICE) if cuda else 'cpu',
        'precision': half_precision() if cuda else '32-true',
        'torch': torch.__version__,
        'lightning': lightning.__version__,
    }


def _asked(asked: argparse.Namespace, options: TrainOptions) -> dict[str, Any]:
    return {
        'recipe': asked.recipe,
        'backbone': options.backbone,
        'batch_size': options.batch_size,
        'frames': asked.frames,
        'epochs': options.epochs,
        'graphs': asked.graphs,
        'tensorboard': find_spec('tensorboard') is not None,
    }


def _tell(values: dict[str, Any]) -> None:
    for name, value in values.items():
        print(f'{name}: {value}', flush=True)


def _waited() -> float:
    """Return the time when the device has done all it was asked to."""
    if _DEVICE.type == 'cuda':
        torch.cuda.synchronize(_DEVICE)
    return time.perf_counter()


def _seconds_a_call(work: Callable[[], object], calls: int) -> float:
    for _ in range(min(calls, 10)):
        work()
    start = _waited()
    for _ in range(calls):
        work()
    return (_waited() - start) / calls


def _autocast() -> Any:
    """Return the half precision in which `fit` trains on the device."""
    if _DEVICE.type == 'cpu':
        return nullcontext()
    brain = half_precision() == 'bf16-mixed'
    dtype = torch.bfloat16 if brain else torch.float16
    return torch.autocast('cuda', dtype=dtype, cache_enabled=False)


def _bare(options: TrainOptions, steps: int, also_replayed: bool) -> dict[str, float]:
    """Return images a second of the passes alone, with the optimiser's step, and replayed."""
    torch.backends.cudnn.benchmark = True
    model = PoseNet(options.architecture(), build_backbone(options.backbone))
    model = model.to(_DEVICE, memory_format=torch.channels_last).train()
    loss = make_loss(options).to(_DEVICE)
    batch = _random_batch(options)
    values = [*model.parameters(), *loss.parameters()]
    optimizer = make_optimizer([{'params': values}], options, options.learning_rate)

    def passes() -> None:
        optimizer.zero_grad(set_to_none=True)
        with _autocast():
            parts = loss(model(batch.image_B3HW), batch.position_B3, batch.quaternion_wxyz_B4)
        parts.total.backward()

    def step() -> None:
        passes()
        optimizer.step()

    rates = {'bare_images_per_s': passes, 'with_optimizer_images_per_s': step}
    found = {name: _rate(work, steps, options) for name, work in rates.items()}
    if also_replayed and _DEVICE.type == 'cuda':
        found['replayed_images_per_s'] = 0.0
        try:
            with _autocast():
                graphs.replay(model, batch.image_B3HW.clone())
            found['replayed_images_per_s'] = _rate(passes, steps, options)
        except RuntimeError as error:
            # Measured or not, what follows tells whether `fit` goes on without.
            print(f'no CUDA graphs: {error}', flush=True)
        graphs.run_again(model)
    return found


def _rate(work: Callable[[], object], steps: int, options: TrainOptions) -> float:
    return round(options.batch_size / _seconds_a_call(work, steps), 1)


def _random_batch(options: TrainOptions) -> PoseBatch:
    count, crop = options.batch_size, options.preprocessing(_HEIGHT, _WIDTH).crop
    image_B3HW = torch.randn(count, 3, *crop, device=_DEVICE)
    quaternion_B4 = torch.randn(count, 4, device=_DEVICE)
    return PoseBatch(
        image_B3HW.contiguous(memory_format=torch.channels_last),
        torch.randn(count, 3, device=_DEVICE),
        torch.nn.functional.normalize(quaternion_B4, dim=1),
    )


def _frames(folder: Path, count: int) -> tuple[list[Frame], list[Frame]]:
    """Write images of smooth noise with poses along a loop: to train on, and a fourth as many."""
    rng = np.random.default_rng(0)
    frames = []
    total = count + max(count // 4, 1)
    for number in range(total):
        coarse = rng.integers(0, 256, (15, 20, 3), dtype=np.uint8)
        path = folder / f'{number:06d}.jpg'
        encode_jpeg(path, cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC))
        angle = 2 * np.pi * number / total
        place = np.array([4 * np.cos(angle), 3 * np.sin(angle), 1.2])
        turned = Rotation.from_euler('xyz', (-90, 10, np.degrees(angle)), degrees=True)
        frames.append(Frame(path, Pose(turned, place, 'map', 'camera'), number * 10**8))
    held_out = frames[4::5]
    return [frame for frame in frames if frame not in held_out][:count], held_out


def _batches(train: list[Frame], options: TrainOptions) -> dict[str, float]:
    """Return images a second of making batches on the device alone."""
    preprocessing = options.preprocessing(_HEIGHT, _WIDTH)
    images = ResizedImages(train, preprocessing)
    dataset = FrameDataset(train, images, preprocessing, options.augmentation(), _CAMERA)
    frames = resident(dataset, _DEVICE)
    if frames is None:
        return {'batches_images_per_s': 0.0}
    loader = ResidentLoader(frames, min(options.batch_size, len(frames)), shuffle=True)
    seconds = _seconds_a_call(lambda: [None for _ in loader], 5)
    return {'batches_images_per_s': round(len(loader) * loader.batch_size / seconds, 1)}


class _Stamped(History):
    """Remembers when epochs ended; their values have been asked for by then."""

    ends: list[float]

    def __init__(self) -> None:
        super().__init__()
        _Stamped.ends = []

    def on_train_epoch_end(self, trainer: lightning.Trainer, *args: Any) -> None:
        super().on_train_epoch_end(trainer, *args)
        self.ends.append(_waited())


@contextmanager
def _timed(module: ModuleType, name: str, spent: dict[str, float]) -> Iterator[None]:
    """Add to `spent` how long a function that a module calls takes in all."""
    function = getattr(module, name)

    def timed(*args: Any, **how: Any) -> Any:
        start = _waited()
        result = function(*args, **how)
        spent[name] = spent.get(name, 0.0) + _waited() - start
        return result

    setattr(module, name, timed)
    try:
        yield
    finally:
        setattr(module, name, function)


def _fitted(
    train: list[Frame], held_out: list[Frame], options: TrainOptions, logs: Path
) -> dict[str, float]:
    """Return how long `fit` took in all and in parts, and its images a second."""
    history, fit_module.History = fit_module.History, _Stamped
    spent: dict[str, float] = {}
    logs.mkdir()
    trunk = fit_module.make_trunk(options)
    start = _waited()
    try:
        with (
            _timed(fit_module, 'ResizedImages', spent),
            _timed(fit_module, 'run', spent),
            _timed(batches, 'resident', spent),
        ):
            fit_module.fit(train, held_out, options, logs, trunk=trunk, camera=_CAMERA)
    finally:
        fit_module.History = history
    total = _waited() - start
    shown = max(len(train) // options.batch_size, 1) * min(options.batch_size, len(train))
    found = {
        'fit_s': round(total, 2),
        'decoding_s': round(spent['ResizedImages'], 2),
        'from_decoded_s': round(total - spent['ResizedImages'], 2),
        'copying_s': round(spent['resident'], 2),
        'loop_s': round(spent['run'], 2),
        'loop_images_per_s': round(options.epochs * shown / spent['run'], 1),
    }
    epochs = np.diff(_Stamped.ends)
    if len(epochs):
        # The first epochs look for the fastest kernels; a checkpoint comes every 20 s.
        steady = float(np.median(epochs[len(epochs) // 4 :]))
        found['steady_epoch_s'] = round(steady, 4)
        found['steady_images_per_s'] = round(shown / steady, 1)
        found['first_epoch_s'] = round(spent['run'] - float(epochs.sum()), 2)
    return found


def _syncs(
    train: list[Frame], held_out: list[Frame], options: TrainOptions, logs: Path
) -> dict[str, int]:
    """Return in which lines a short training waits for the GPU, and how often."""
    quiet, fit_module.quiet = fit_module.quiet, nullcontext
    logs.mkdir()
    short = replace(options, epochs=3)
    trunk = fit_module.make_trunk(short)
    torch.cuda.set_sync_debug_mode('warn')
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter('always')
            fit_module.fit(train, held_out, short, logs, trunk=trunk, camera=_CAMERA)
    finally:
        torch.cuda.set_sync_debug_mode('default')
        fit_module.quiet = quiet
    lines = [f'{each.filename}:{each.lineno}' for each in told if 'synchron' in str(each.message)]
    return dict(Counter(lines).most_common())


if __name__ == '__main__':
    sys.exit(main())
