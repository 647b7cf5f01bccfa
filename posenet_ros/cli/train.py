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
Turn a recording into a model: label it, train on it, measure it on what it has not seen.

  train --bag run1
  train --bag run1 --backbone mobilenet_v2 --weights mobilenet_v2.pt --epochs 50
  train --dataset 7scenes:redkitchen

Leaves one folder, by default the recording's name with _posenet: capture/ and sfm/ (labels),
model/ (what the node loads), report/report.html, logs/ (tensorboard --logdir). A run that was
stopped goes on where it was with the same command. Four blocks of the recording's time, each a
twentieth of it, are never trained on, and the errors reported are theirs.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

from posenet_ros.cli.label import add_label_arguments, default_output, label_options
from posenet_ros.errors import ConfigError

if TYPE_CHECKING:
    from posenet_ros.cli.train_database import Asked
    from posenet_ros.cli.train_source import Labelled, Source
    from posenet_ros.models.backbones import Trunk
    from posenet_ros.sfm.options import LabelOptions
    from posenet_ros.training.config import TrainOptions

# Options that have a flag of their own; every other one of TrainOptions goes by --set.
_FLAGS = ('backbone', 'weights', 'epochs', 'batch_size', 'learning_rate', 'image_size', 'loss')
_FLAGS += ('beta', 'seed', 'devices', 'nodes')
# What only a trunk that learns has any use for.
_OF_TRUNKS = {'learning_rate': '--lr', 'loss': '--loss', 'beta': '--beta'}
# Of the time by which a database is measured, as of that of a network.
_HELD_OUT = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; those of training that are left out keep TrainOptions' defaults."""
    source = parser.add_argument_group('what to learn from').add_mutually_exclusive_group(
        required=True
    )
    source.add_argument(
        '--bag',
        type=Path,
        nargs='+',
        help='recording, labelled first; or several of one camera that share a map',
    )
    source.add_argument(
        '--dataset',
        metavar='KIND:DIR',
        help='7scenes:DIR, cambridge:DIR, colmap:DIR or capture:DIR',
    )
    parser.add_argument(
        '--test-frames',
        metavar='START:STOP[:PERIOD]',
        help='frames of the data set to keep apart for evaluate, by the number in their names: '
        '350:650, or 50:100:200 for the second fifty of every two hundred',
    )
    parser.add_argument(
        '--output', type=Path, metavar='DIR', help="default: the recording's name with _posenet"
    )
    parser.add_argument(
        '--resume', action='store_true', help='only go on with a run that was stopped'
    )
    parser.add_argument(
        '--map-budget',
        type=megabytes,
        default=10.0,
        metavar='MB',
        help='the most that the map of landmarks may weigh, by which poses are verified (10); '
        '0 for none',
    )
    add_label_arguments(parser)
    relative = parser.add_argument_group('no training: locate by relative poses')
    relative.add_argument(
        '--relative',
        type=Path,
        metavar='DIR',
        help='the weights that train-relative left: the images become a database, and no network '
        'is trained; what follows under network and training is not for this',
    )
    relative.add_argument(
        '--neighbours', type=int, metavar='N', help='images that one is compared with (10)'
    )
    relative.add_argument(
        '--apart',
        type=float,
        metavar='M',
        help='none of these nearer to each other than so many metres (0)',
    )
    network = parser.add_argument_group('network')
    network.add_argument(
        '--recipe',
        default='default',
        metavar='NAME',
        help='options that belong together: default, scratch (small and without pre-trained '
        'weights: minutes on a CPU), paper2015, caffe-release, or a .yaml file; other options '
        'override it',
    )
    network.add_argument('--backbone', metavar='NAME', help='googlenet (default), resnet34, ...')
    network.add_argument(
        '--weights', metavar='FILE', help='imagenet (default, downloaded), none, or a file'
    )
    network.add_argument('--image-size', type=int, metavar='PIXELS', help='of the crop (224)')
    training = parser.add_argument_group('training')
    training.add_argument(
        '--epochs',
        type=int,
        help='how often every frame is seen (default recipe: 10, more of fewer than 300 frames); '
        '0 fits a linear head alone',
    )
    training.add_argument('--batch-size', type=int, help='frames a step and device (32)')
    training.add_argument('--lr', type=float, dest='learning_rate', help='peak (3e-4)')
    training.add_argument(
        '--loss',
        metavar='NAME',
        help='learned (default), paper: eq. (2), squared, or one alone: position, orientation',
    )
    training.add_argument('--beta', type=float, help='of eq. (2) (500)')
    training.add_argument('--seed', type=int, help='of everything random (0)')
    training.add_argument('--devices', type=int, help='GPUs of this machine to use (1)')
    training.add_argument('--nodes', type=int, help='machines, each with so many GPUs (1)')
    training.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='any other training option, see docs/training.md; may be given several times',
    )


def megabytes(text: str) -> float:
    """Read a size; argparse turns what is raised into its one line."""
    size = float(text)
    if not 0 <= size < math.inf:
        raise argparse.ArgumentTypeError(f'a size is not negative, got {text}')
    return size


def run(args: argparse.Namespace) -> None:
    """Go through the stages; what an earlier run has finished is not done again."""
    labelling = _labelling(args)
    asked = _asked_of_database(args)
    options = None if asked else train_options(args)
    name = args.bag[0] if args.bag else Path(args.dataset.partition(':')[2])
    output: Path = args.output or default_output(name)
    known = (output / 'run.yaml').is_file()
    if args.resume and not known:
        raise ConfigError(f'nothing to resume: {output} holds no run; leave --resume out')
    from posenet_ros.cli.train_source import DataSet, Recordings

    if labelling is None:
        source = DataSet(args.dataset, args.test_frames)
    else:
        source = Recordings(args.bag, labelling)
    map_bytes = round(1e6 * args.map_budget)
    if asked is not None:
        from posenet_ros.cli.train_database import train_database

        train_database(output, source, asked, map_bytes)
    else:
        _train_network(output, source, options, known, map_bytes)


def _train_network(
    output: Path, source: Source, options: TrainOptions, known: bool, map_bytes: int
) -> None:
    from posenet_ros.cli import train_folder as folder
    from posenet_ros.training.fit import make_trunk

    # A download may fail: before a folder is made, and before labelling takes its minutes.
    trunk = None if known else make_trunk(options)
    source.claim(output)
    folder.claim_training(output, {**folder.what_decides(options), **source.asked()})
    card = folder.finished_card(output)
    if card is None:
        trunk = make_trunk(options) if trunk is None else trunk
        _train(output, source.labelled(output), options, trunk, map_bytes)
        return
    source.check(output, card)
    if not folder.has_report(output):
        from posenet_ros.cli.train_result import report_again

        report_again(output, source.labelled(output), options)
    folder.tell_finished(output, card)


def _asked_of_database(args: argparse.Namespace) -> Asked | None:
    """Return how a database is to be made, None where a network is to be trained."""
    if args.relative is None:
        if args.neighbours is not None or args.apart is not None:
            raise ConfigError('--neighbours and --apart are for a database: give --relative DIR')
        return None
    from posenet_ros.cli.train_database import Asked
    from posenet_ros.localization.relative import Asking

    given = [name for name in _FLAGS if getattr(args, name) is not None]
    given += ['set'] if args.set else []
    given += ['recipe'] if args.recipe != 'default' else []
    if given:
        raise ConfigError(
            f'--relative trains no network, and --{", --".join(given)} would change nothing: '
            'leave that out'
        )
    usual = Asking()
    neighbours = usual.neighbours if args.neighbours is None else args.neighbours
    apart_m = usual.apart_m if args.apart is None else args.apart
    if not (1 <= neighbours <= 100 and 0 <= apart_m < 100):
        raise ConfigError('--neighbours is 1 to 100, and --apart 0 to 100 metres')
    return Asked(args.relative, _HELD_OUT, Asking(neighbours, apart_m))


def train_options(args: argparse.Namespace) -> TrainOptions:
    """Return the recipe that the flags describe; raise ConfigError for what cannot be meant."""
    from posenet_ros.training.config import parse_option, TrainOptions
    from posenet_ros.training.recipes import read_recipe

    given = read_recipe(args.recipe)
    flags = {name: getattr(args, name) for name in _FLAGS if getattr(args, name) is not None}
    given |= flags
    told = set(flags)
    for text in args.set:
        name, equals, value = text.partition('=')
        if not equals:
            raise ConfigError(f'--set takes NAME=VALUE, got {text!r}')
        given[name] = parse_option(name, value)
        told.add(name)
    if 'epochs' in told and 'least_images' not in told:
        given['least_images'] = 0
    options = TrainOptions.from_dict(given)
    idle = [flag for name, flag in _OF_TRUNKS.items() if getattr(args, name) is not None]
    if options.head == 'scene' and options.weights != 'none' and idle:
        raise ConfigError(
            f'{", ".join(idle)} would change nothing, since the trunk of a scene head does not '
            'learn: leave that out, or give --set head=linear too'
        )
    return options


def _labelling(args: argparse.Namespace) -> LabelOptions | None:
    """Return how to label, None for a data set; refuse options that nothing would read."""
    options = label_options(args)
    if args.bag:
        if args.test_frames:
            raise ConfigError('--test-frames keeps frames of a data set apart: give --dataset')
        return options
    known = type(options)().to_dict()
    given = [name for name, value in options.to_dict().items() if value != known[name]]
    if given:
        raise ConfigError(
            f'a data set brings its own labels, and {", ".join(given)} would change nothing: '
            'leave the options of labelling out, or give --bag'
        )
    return None


def _train(
    output: Path, labelled: Labelled, options: TrainOptions, trunk: Trunk, map_bytes: int
) -> None:
    from posenet_ros.cli.train_depth import depths_for
    from posenet_ros.cli.train_folder import claim_training, is_first
    from posenet_ros.cli.train_result import conclude
    from posenet_ros.data.run import at_work
    from posenet_ros.training.fit import CHECKPOINT, fit
    from posenet_ros.training.identity import identity_of
    from posenet_ros.training.splits import hold_out

    options = _that_can_be_had(options, labelled)
    split = hold_out(labelled.frames, options.held_out)
    with at_work(output) if is_first() else nullcontext():
        claim_training(output, identity_of(split.train, split.held_out, options))
        if is_first():
            counts = f'{len(split.train)} frames, {len(split.held_out)} held out'
            print(f'training on {counts}', flush=True)
        depths = depths_for(output, labelled, options)
        logs = output / 'logs'
        logs.mkdir(exist_ok=True)
        fitted = fit(
            split.train,
            split.held_out,
            options,
            logs,
            trunk=trunk,
            camera=labelled.camera,
            depths=depths,
        )
        if fitted.primary:
            conclude(output, labelled, split, options, fitted, depths, map_bytes)
            (logs / CHECKPOINT).unlink(missing_ok=True)


def _that_can_be_had(options: TrainOptions, labelled: Labelled) -> TrainOptions:
    """Return the recipe, with a linear head where what a scene head needs is not known; say so."""
    found = options.for_what_is_known(camera=labelled.camera is not None)
    if found is not options and (options.epochs or options.iterations):
        why = 'the trunk comes without weights'
        if labelled.camera is None:
            why = "nothing tells the camera's intrinsics"
        logging.getLogger(__name__).warning(
            '%s, without which cells of images teach nothing: the head is linear instead', why
        )
    return found
