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
Measure what this machine's CPU could do at best, and what a network asks of it.

    python test/tools/measure_floor.py [THREADS]

Operations a second by multiplying matrices, bytes a second by copying, and for each network its
operations (a multiplication and an addition are two), weights, and maps into and out of
convolutions: the least time that an answer takes, and the figures under "The floor" in
docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable
import sys
import time

from posenet_ros.models.posenet import PoseNet
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.recipes import read_recipe
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

_SIDE, _NUMBERS, _TRIES = 1024, 1 << 26, 20
_CROP = (224, 288)


def best_s(work: Callable[[], object]) -> float:
    """Return the shortest time of several."""
    times = []
    for _ in range(_TRIES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> int:
    """Measure, and print."""
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    left, right = torch.randn(_SIDE, _SIDE), torch.randn(_SIDE, _SIDE)
    operations = 2 * _SIDE**3 / best_s(lambda: left @ right)
    source, target = torch.randn(_NUMBERS), torch.empty(_NUMBERS)
    # Read once and written once.
    traffic = 2 * 4 * _NUMBERS / best_s(lambda: target.copy_(source))
    print(f'{operations / 1e9:.0f} GFLOP/s, {traffic / 1e9:.1f} GB/s, best of {_TRIES}')
    for backbone in ('googlenet', 'mobilenet_v2'):
        asked, weights, maps = needs(backbone)
        print(
            f'{backbone}: {asked / 1e9:.2f} GFLOP, {weights / 1e6:.1f} MB of weights, '
            f'{maps / 1e6:.1f} MB of maps: {1000 * asked / operations:.1f} ms of arithmetic, '
            f'{1000 * (weights + maps) / traffic:.1f} ms of memory'
        )
    return 0


def needs(backbone: str) -> tuple[float, int, int]:
    """Return the operations, bytes of weights, and bytes of maps of one answer."""
    options = TrainOptions.from_dict({**read_recipe('default'), 'backbone': backbone})
    model = PoseNet(options.architecture(), auxiliary=False).eval()
    moved = [0]

    def count(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            moved[0] += 4 * (inputs[0].numel() + output.numel())

    for module in model.trunk.modules():
        module.register_forward_hook(count)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, *_CROP))
    kept = [*model.parameters(), *model.buffers()]
    weights = sum(each.numel() * each.element_size() for each in kept)
    return counter.get_total_flops(), weights, moved[0]


if __name__ == '__main__':
    sys.exit(main())
