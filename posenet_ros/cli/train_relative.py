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
Train a network of relative poses, which then serves in places that it has never seen.

  train-relative --scenes rooms --output weights
  train-relative --scenes rooms run1_posenet 7scenes:chess --held-out rooms2 --output weights
  train-relative --scenes 7scenes:redkitchen --start-from weights --output finer

Scenes are folders with poses: what `label`, `train`, `import` and `simulate-rooms` leave, folders
full of those, or data sets as KIND:DIR. Leaves OUTPUT/relative (weights and a card that names the
scenes seen), which `train --relative OUTPUT` takes, OUTPUT/report, and OUTPUT/maps, what the trunk
sees of each image, by which another training begins sooner. A training that was stopped goes on
where it was with the same command. Every eighth scene is not learned of, and the errors told
are those of these, pair by pair.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TYPE_CHECKING

from posenet_ros.errors import ConfigError

if TYPE_CHECKING:
    from posenet_ros.models.relative import RelativeArchitecture
    from posenet_ros.models.relative_folder import Relative
    from posenet_ros.models.trunk_maps import TrunkMaps
    from posenet_ros.training.relative.fit import FittedRelative
    from posenet_ros.training.relative.module import RelativeOptions
    from posenet_ros.training.relative.scene_maps import SceneMaps
    from posenet_ros.training.relative.scenes import Scenes

_MAPS, _RELATIVE = 'maps', 'relative'
# The scale of the trunk that is compared (cells of 8 pixels), how many upon each other, how many
# more looks the trunk takes at each image.
_LEVEL, _SCALES, _RECOLOUR = 3, 2, 1
_BACKBONE = 'resnet34'
# Options of the network by their names in RelativeArchitecture, and those of its trunk.
_OF_NETWORK = ('matcher', 'width', 'hidden', 'looks')
_OF_TRUNK = ('backbone', 'weights', 'level', 'scales')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; those of training that are left out keep RelativeOptions' defaults."""
    parser.add_argument(
        '--scenes',
        nargs='+',
        required=True,
        metavar='DIR',
        help='captures, folders full of them, or KIND:DIR',
    )
    parser.add_argument(
        '--held-out',
        nargs='+',
        default=[],
        metavar='DIR',
        help='scenes to measure on (default: every eighth; of one scene, a fifth of its time)',
    )
    parser.add_argument(
        '--test-frames',
        metavar='START:STOP[:PERIOD]',
        help='frames of all scenes that are neither learned of nor measured on, as for train',
    )
    parser.add_argument('--output', type=Path, required=True, metavar='DIR', help='folder to make')
    parser.add_argument(
        '--maps',
        type=Path,
        metavar='DIR',
        help="what the trunk sees is kept here (OUTPUT/maps); another training's, of the same "
        'scenes, is taken as it is',
    )
    network = parser.add_argument_group('network')
    network.add_argument(
        '--start-from',
        type=Path,
        metavar='DIR',
        help='go on from the weights that another train-relative left, on other scenes',
    )
    network.add_argument('--backbone', metavar='NAME', help=f'of the trunk ({_BACKBONE})')
    network.add_argument(
        '--weights', metavar='FILE', help='of the trunk: imagenet (default, downloaded) or a file'
    )
    network.add_argument(
        '--matcher',
        metavar='NAME',
        help='how images are compared: matching (default), cell by cell, or pooled, as published',
    )
    network.add_argument(
        '--level',
        type=int,
        metavar='N',
        help=f'scale of the trunk that is compared, from the coarsest, 1 ({_LEVEL}: of 8 pixels)',
    )
    network.add_argument(
        '--scales',
        type=int,
        metavar='N',
        help=f'so many scales together, from --level to coarser ones ({_SCALES})',
    )
    network.add_argument('--width', type=int, help='of the convolutions after matching (96)')
    network.add_argument('--hidden', type=int, help='of the layer that reads the pose off (256)')
    network.add_argument(
        '--looks',
        type=int,
        help='numbers of what a cell looks like, beside where it is found (0: none)',
    )
    training = parser.add_argument_group('training')
    training.add_argument('--steps', type=int, help='of so many pairs (4000)')
    training.add_argument('--batch-size', type=int, help='pairs a step (64)')
    training.add_argument(
        '--recolour',
        type=int,
        default=_RECOLOUR,
        metavar='N',
        help='so many more looks at each image: in other colours, blurred, with noise '
        f'({_RECOLOUR})',
    )
    training.add_argument('--lr', type=float, dest='learning_rate', help='peak (2e-3)')
    training.add_argument('--seed', type=int, help='of everything random (0)')


def run(args: argparse.Namespace) -> None:
    """Read scenes, make their maps, train, and write the weights."""
    from posenet_ros.cli.outputs import check_folder
    from posenet_ros.data.run import at_work, claim
    from posenet_ros.models.relative_folder import find_relative, RELATIVE_CARD
    from posenet_ros.training.relative.module import RelativeOptions
    from posenet_ros.training.relative.scenes import read_scenes

    output: Path = args.output
    check_folder(f'--output {output}', output)
    asked = {
        name: getattr(args, name) for name in ('steps', 'batch_size', 'learning_rate', 'seed')
    }
    options = RelativeOptions(**{k: value for k, value in asked.items() if value is not None})
    if args.recolour < 0:
        raise ConfigError(f'--recolour must not be negative, got {args.recolour}')
    architecture = _architecture(args)
    if args.start_from:
        find_relative(args.start_from)
    scenes = read_scenes(args.scenes, args.held_out, args.test_frames)
    start = _start(args, options, architecture)
    claim(output, relative=_stands_on(args, options, scenes, start))
    with at_work(output):
        if (output / _RELATIVE / RELATIVE_CARD).is_file():
            print(f'{output} is finished: nothing to do\nweights  {output / _RELATIVE}')
            return
        learned, held_out = _maps(
            args.maps or output / _MAPS, scenes, start.trunk, 1 + args.recolour
        )
        _train(output, scenes, learned, held_out, start, options, args.start_from)
        print(f'maps     {args.maps or output / _MAPS}')


def _architecture(args: argparse.Namespace) -> RelativeArchitecture:
    """Return what is asked for, or the usual; refuse a network beside --start-from."""
    from posenet_ros.models.relative import RelativeArchitecture

    given = [name for name in (*_OF_TRUNK, *_OF_NETWORK) if getattr(args, name) is not None]
    if args.start_from and given:
        raise ConfigError(f'--start-from brings its own network: leave --{", --".join(given)} out')
    own = [name for name in given if name in _OF_NETWORK and name != 'matcher']
    if args.matcher == 'pooled' and own:
        raise ConfigError(f'--matcher pooled compares no cells: leave --{", --".join(own)} out')
    return RelativeArchitecture(**{k: getattr(args, k) for k in given if k in _OF_NETWORK})


def _start(
    args: argparse.Namespace, options: RelativeOptions, architecture: RelativeArchitecture
) -> Relative:
    """Return what training begins with: another training's network, or a new one on a trunk."""
    import lightning
    from posenet_ros.models.backbones import build_backbone
    from posenet_ros.models.relative import RelativePoseNet
    from posenet_ros.models.relative_folder import load_relative, Relative, RelativeCard
    from posenet_ros.models.trunk_maps import TrunkMaps

    if args.start_from:
        return load_relative(args.start_from)
    lightning.seed_everything(options.seed, workers=True, verbose=False)
    backbone = args.backbone or _BACKBONE
    # As published, images as a whole are compared by what the trunk ends in.
    usual = 1 if architecture.matcher == 'pooled' else _LEVEL
    level = usual if args.level is None else args.level
    # Of a trunk's coarsest scale there is only one.
    scales = min(_SCALES, level) if args.scales is None else args.scales
    card = RelativeCard(backbone, level, architecture, scales=scales)
    if args.weights == 'none':
        print(
            'the trunk of relative poses stays as it came, and one that has learned nothing sees '
            'next to nothing: --weights FILE, or ImageNet weights, are what serves a robot'
        )
    trunk = TrunkMaps(build_backbone(backbone, args.weights or 'imagenet'), level, scales)
    return Relative(trunk, RelativePoseNet(architecture, trunk.channels), card)


def _stands_on(
    args: argparse.Namespace, options: RelativeOptions, scenes: Scenes, start: Relative
) -> dict[str, Any]:
    """Return what a training and its continuation must have in common."""
    from posenet_ros.models.provenance import file_sha256
    from posenet_ros.models.relative_folder import find_relative, FORMAT, RELATIVE_WEIGHTS

    begun = {}
    if args.start_from:
        begun = {'start_sha256': file_sha256(find_relative(args.start_from) / RELATIVE_WEIGHTS)}
    identity = _identity(scenes, start.trunk)
    network = {**asdict(start.card.architecture), 'format': FORMAT}
    return {**options.to_dict(), **network, 'recolour': args.recolour, **identity, **begun}


def _identity(scenes: Scenes, trunk: TrunkMaps) -> dict[str, str]:
    from posenet_ros.training.identity import frames_sha256

    learned = [frame for scene in scenes.learned for frame in scene.train]
    held_out = [frame for scene in scenes.held_out for frame in scene.train]
    return {
        'labels_sha256': frames_sha256([*learned, *held_out]),
        'trained_on_sha256': frames_sha256(learned),
        'weights_sha256': trunk.sha256,
    }


def _train(
    output: Path,
    scenes: Scenes,
    learned: list[SceneMaps],
    held_out: list[SceneMaps],
    start: Relative,
    options: RelativeOptions,
    started_from: Path | None,
) -> None:
    from posenet_ros.models.relative_folder import Relative, save_relative
    from posenet_ros.training.fit import CHECKPOINT
    from posenet_ros.training.relative.fit import fit_relative

    pairs = sum(len(scene.pairs) for scene in learned)
    print(
        f'learning from {pairs} pairs of {len(learned)} scenes, measured on those of '
        f'{len(held_out)}',
        flush=True,
    )
    logs = output / 'logs'
    logs.mkdir(exist_ok=True)
    fitted = fit_relative(
        learned, held_out, start.network, options, logs, _identity(scenes, start.trunk)
    )
    picture = _picture(output, fitted)
    card = replace(
        start.card,
        scenes={**start.card.scenes, **_seen(scenes)},
        errors={**fitted.held_out(), 'scenes': [scene.name for scene in held_out]},
        training=_provenance(options, started_from),
    )
    save_relative(output / _RELATIVE, Relative(start.trunk, fitted.model, card))
    (logs / CHECKPOINT).unlink(missing_ok=True)
    errors = card.errors
    print(
        f'pairs of scenes that it has not learned of, medians: {errors["offset_m"]:.2f} m, '
        f'direction {errors["direction_deg"]:.1f} deg, rotation {errors["rotation_deg"]:.1f} deg'
    )
    print(f'weights  {output / _RELATIVE}\npicture  {picture}')


def _maps(
    folder: Path, scenes: Scenes, trunk: TrunkMaps, looks: int
) -> tuple[list[SceneMaps], list[SceneMaps]]:
    """
    Return the scenes as the trunk has them, on the fastest device there is.

    At those that are measured on it looks once.
    """
    from posenet_ros.localization.posenet import choose_device
    from posenet_ros.training.relative.scene_maps import describe_scene
    from tqdm import tqdm

    trunk.to(choose_device())
    total = sum(len(scene.train) for part in scenes for scene in part)
    with tqdm(total=total, desc='looking at scenes', unit='image') as progress:
        learned, held_out = (
            [
                describe_scene(
                    scene.name,
                    scene.train,
                    scene.camera,
                    trunk,
                    folder / f'{name}_{number:04d}',
                    looks=looks if name == 'learned' else 1,
                    image_done=progress.update,
                )
                for number, scene in enumerate(part)
            ]
            for name, part in zip(('learned', 'held_out'), scenes)
        )
    return learned, held_out


def _picture(output: Path, fitted: FittedRelative) -> Path:
    from posenet_ros.evaluation.plots import plot_training

    path = output / 'report' / 'relative.png'
    path.parent.mkdir(exist_ok=True)
    plot_training(path, fitted.history)
    return path


def _seen(scenes: Scenes) -> dict[str, dict[str, Any]]:
    from posenet_ros.training.identity import frames_sha256

    return {
        scene.name: {'images': len(scene.train), 'labels_sha256': frames_sha256(scene.train)}
        for scene in scenes.learned
    }


def _provenance(options: RelativeOptions, started_from: Path | None) -> dict[str, Any]:
    from posenet_ros.cli.train_result import made_now

    return {
        'options': options.to_dict(),
        **({'started_from': str(started_from)} if started_from else {}),
        **made_now(),
    }
