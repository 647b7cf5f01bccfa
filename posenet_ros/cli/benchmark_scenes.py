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
Train and measure on every scene of a data set, and print the table of the PoseNet paper.

  benchmark-scenes 7scenes:7-Scenes --output bench
  benchmark-scenes cambridge:CambridgeLandmarks --output bench --train --recipe paper2015
  benchmark-scenes 7scenes:7-Scenes --output bench --test-frames 50:100:200

The folder holds one scene a subfolder, each in the data set's own layout, with its own training
and test parts; --test-frames tells the test part where a scene has none. What follows --train
goes to train. OUTPUT/SCENE is the run of each; OUTPUT/table.md and OUTPUT/table.json hold the
table: medians of the nearest training image, of PoseNet on the centre crop, and of 128 crops,
beside the published ones. A benchmark that was stopped goes on where it was with the same command.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from posenet_ros.errors import ConfigError, DatasetError

if TYPE_CHECKING:
    from posenet_ros.data.frames import Scene
    from posenet_ros.evaluation.scene_table import SceneResult

_CROPS = 128


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; the rest belong to train."""
    parser.add_argument(
        'scenes', metavar='KIND:DIR', help='7scenes:DIR, cambridge:DIR or colmap:DIR'
    )
    parser.add_argument('--output', type=Path, required=True, metavar='DIR', help='folder to fill')
    parser.add_argument(
        '--test-frames',
        metavar='START:STOP[:PERIOD]',
        help='frames of every scene to test on, by the number in their names, as in train',
    )
    parser.add_argument(
        '--crops',
        type=int,
        default=_CROPS,
        metavar='N',
        help=f'of the dense evaluation ({_CROPS}, as in the paper); 1 leaves it out',
    )
    parser.add_argument(
        '--train',
        nargs=argparse.REMAINDER,
        default=[],
        metavar='OPTION',
        help='options of train, all that follow',
    )


def run(args: argparse.Namespace) -> None:
    """Go through the scenes, and write the table after each."""
    kind, _, folder = args.scenes.partition(':')
    specs = [f'{kind}:{path}' for path in _folders(folder, args.scenes)]
    train_arguments = [_train_arguments(args, spec) for spec in specs]
    # A scene that cannot be read is found before hours of training on others.
    from posenet_ros.data.scenes import read_scene
    from posenet_ros.evaluation.report import write_metrics
    from posenet_ros.evaluation.scene_table import scene_table
    from posenet_ros.files import write_text

    scenes = [read_scene(spec, args.test_frames) for spec in specs]
    untested = [scene.name for scene in scenes if not scene.test]
    if untested:
        raise DatasetError(
            f'{", ".join(untested)} keep no test frames apart; tell which with --test-frames'
        )
    results = []
    for number, (spec, scene, arguments) in enumerate(zip(specs, scenes, train_arguments), 1):
        print(f'scene {number} of {len(specs)}: {scene.name}', flush=True)
        results.append(_measured(spec, scene, arguments, args))
        args.output.mkdir(parents=True, exist_ok=True)
        write_text(args.output / 'table.md', scene_table(results) + '\n')
        write_metrics(
            args.output / 'table.json', {'scenes': [result.to_dict() for result in results]}
        )
    print(f'\n{scene_table(results)}\n')
    print(f'table   {args.output / "table.md"}\nfigures {args.output / "table.json"}')


def _folders(folder: str, spec: str) -> list[Path]:
    """Return the subfolders, by name."""
    path = Path(folder).expanduser()
    if not folder or not path.is_dir():
        raise DatasetError(f'no such folder of scenes: {folder!r} (from {spec!r})')
    found = sorted(
        each for each in path.iterdir() if each.is_dir() and not each.name.startswith('.')
    )
    if not found:
        raise DatasetError(f'{path} has no subfolders; each scene is one')
    return found


def _train_arguments(args: argparse.Namespace, spec: str) -> argparse.Namespace:
    """Read the options of train, so that a wrong one is told before anything is done."""
    from posenet_ros.cli import train

    parser = argparse.ArgumentParser(prog='posenet_ros benchmark-scenes ... --train')
    train.add_arguments(parser)
    output = args.output / Path(spec).name
    own = ['--dataset', spec, '--output', str(output)]
    if args.test_frames:
        own += ['--test-frames', args.test_frames]
    taken = {'--dataset', '--output', '--bag', '--test-frames'} & set(args.train)
    if taken:
        raise ConfigError(f'{", ".join(sorted(taken))} of train is for benchmark-scenes to say')
    found = parser.parse_args([*own, *args.train])
    train.train_options(found)
    return found


def _measured(
    spec: str, scene: Scene, arguments: argparse.Namespace, args: argparse.Namespace
) -> SceneResult:
    from posenet_ros.cli import train
    from posenet_ros.evaluation.baselines import NEAREST_IMAGE
    from posenet_ros.evaluation.metrics import ErrorSummary
    from posenet_ros.evaluation.request import Request
    from posenet_ros.evaluation.scene_table import medians, SceneResult
    from posenet_ros.evaluation.session import measure

    train.run(arguments)
    asked = {'model': arguments.output, 'dataset': spec, 'test_frames': args.test_frames}
    centre = measure(Request(**asked, always=True, refine='off'))
    dense = None
    if args.crops > 1:
        many = measure(Request(**asked, always=True, refine='off', crops=args.crops))
        dense = medians(many.evaluation.summary)
    low, high = centre.localizer.card.extent
    nearest = centre.evaluation.baseline_errors[NEAREST_IMAGE]
    return SceneResult(
        scene.name,
        len(scene.train),
        len(scene.test),
        tuple(map(float, high - low)),
        centre.evaluation.unit,
        medians(ErrorSummary.of(nearest)),
        medians(centre.evaluation.summary),
        dense,
    )
