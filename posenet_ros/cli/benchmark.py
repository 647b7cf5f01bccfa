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
Measure on this machine how long an answer takes, by every engine there is.

  benchmark
  benchmark --backbone googlenet --device cpu --json speed.json --picture speed.png
  benchmark --model run1_posenet --engines torch --crops 1 --batch 1

From a 640x480 image in memory to the pose. Engines are asked in turns, so that what disturbs one
disturbs all; `eager` is the baseline, the layers of torchvision as torch runs them, and * marks
what a user gets without asking. Without --model the weights are random, which changes no time. At
the end, what an answer costs among 100 to 100,000 training frames, and what others take for the
same (figure 13 of the paper). Takes some minutes; leave the machine alone meanwhile.

Of a model that locates by relative poses it is the time of each stage, and of search and answer
among 1,000 to 100,000 images.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from posenet_ros.cli.outputs import check_file
from posenet_ros.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('--model', type=Path, metavar='DIR', help='folder that train left')
    parser.add_argument(
        '--backbone',
        metavar='NAME',
        help='without --model: of this network (default googlenet), with random weights',
    )
    parser.add_argument(
        '--recipe',
        metavar='NAME',
        help='without --model: as this recipe would train it (default default; paper2015 is the '
        "paper's)",
    )
    parser.add_argument('--device', default='auto', help='auto (default), cpu or cuda')
    parser.add_argument(
        '--engines',
        nargs='+',
        default=(),
        metavar='NAME',
        help='beside eager and what auto takes: torch, torch-bf16, openvino, openvino-bf16, '
        'onnxruntime; on CUDA cuda, cuda-half (default: all that are installed)',
    )
    parser.add_argument(
        '--crops',
        type=int,
        nargs='+',
        default=(1, 128),
        metavar='N',
        help='crops of an image (default 1 128)',
    )
    parser.add_argument(
        '--batch',
        type=int,
        nargs='+',
        default=(1, 8),
        metavar='N',
        help='images at a time (default 1 8)',
    )
    parser.add_argument(
        '--seconds', type=float, default=20.0, metavar='S', help='for each of these (default 20)'
    )
    parser.add_argument(
        '--threads', type=int, default=0, metavar='N', help='CPU threads (default: all cores)'
    )
    parser.add_argument(
        '--no-memory', action='store_true', help='leave out what starts a process for each row'
    )
    parser.add_argument(
        '--no-scene-size', action='store_true', help='leave out the cost by training frames'
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='figures for programs')
    parser.add_argument('--picture', type=Path, metavar='FILE.png', help='the same as a picture')
    parser.add_argument('--output', type=Path, metavar='FILE', help='write the table here as well')


def run(args: argparse.Namespace) -> None:
    """Measure, print the table, and write what was asked for."""
    for name in ('json', 'picture', 'output'):
        check_file(f'--{name}', getattr(args, name))
    if args.picture and args.picture.suffix not in ('.png', '.pdf', '.svg'):
        raise ConfigError(f'--picture writes .png, .pdf or .svg, not {args.picture.name!r}')
    if args.model and (args.backbone or args.recipe):
        raise ConfigError('--backbone and --recipe are of a model without training: no --model')
    if args.model and _benchmark_relative(args):
        return
    from posenet_ros.performance.benchmark import benchmark, Plan
    from posenet_ros.performance.result import figures, save_picture, text

    found = benchmark(
        Plan(
            model=args.model,
            backbone=args.backbone or 'googlenet',
            recipe=args.recipe or 'default',
            device=args.device,
            engines=tuple(args.engines),
            crops=tuple(args.crops),
            batches=tuple(args.batch),
            seconds=args.seconds,
            threads=args.threads,
            memory=not args.no_memory,
            scene_size=not args.no_scene_size,
        )
    )
    told = text(found)
    print(told)
    _write(args.output, told + '\n')
    _write(args.json, json.dumps(figures(found), indent=2) + '\n')
    if args.picture:
        args.picture.parent.mkdir(parents=True, exist_ok=True)
        save_picture(args.picture, found)
        print(args.picture)


def _benchmark_relative(args: argparse.Namespace) -> bool:
    """Measure a model of relative poses, where it is one."""
    from posenet_ros.models.relative_map import is_relative_map

    if not is_relative_map(args.model):
        return False
    if args.engines or args.picture:
        raise ConfigError('--engines and --picture are for a PoseNet, and this is a database')
    from posenet_ros.performance.relative_cost import relative_cost
    import torch

    if args.threads:
        torch.set_num_threads(args.threads)
    found = relative_cost(args.model, args.device, args.seconds)
    print(found.text())
    _write(args.output, found.text() + '\n')
    _write(args.json, json.dumps(found.to_dict(), indent=2) + '\n')
    return True


def _write(path: Path | None, text: str) -> None:
    from posenet_ros.files import write_text

    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
        print(path)
