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
Make the figures of the PoseNet paper of a model of yours, and collect them on one page.

  explain robustness --model run1_posenet
  explain map saliency --model kitchen --dataset 7scenes:redkitchen --test-frames 50:100:200
  explain beta --model run1_posenet --epochs 10

Each writes a picture and its numbers into the folder --output, and report.html there shows all of
them, whenever they were made. What is asked about is the test part of the data set, or the blocks
that training held out. Figures that train (marked so below) keep what they have trained, and go
on where they were stopped with the same command.

figures:
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
import importlib
from pathlib import Path
from typing import Any, TYPE_CHECKING

from posenet_ros.errors import ConfigError, PosenetError

if TYPE_CHECKING:
    from posenet_ros.explain.subject import Subject


@dataclass(frozen=True)
class _Figure:
    """Where a figure is made, by `draw(subject, **options)`, and its options for argparse."""

    module: str
    summary: str
    options: dict[str, dict[str, Any]] = field(default_factory=dict)


_TRAINED: dict[str, dict[str, Any]] = {
    '--epochs': {'type': int, 'metavar': 'N', 'help': "of each training; default: the model's"},
}
_OTHER: dict[str, Any] = {
    'type': Path,
    'metavar': 'DIR',
    'help': 'model of another scene, of the same backbone',
}

# In the order of the page, which is the paper's.
FIGURES: dict[str, _Figure] = {
    'beta': _Figure(
        'explain.beta',
        'figure 2 (trains): the weight of orientation in the loss, and separate networks',
        _TRAINED | {'--betas': {'type': float, 'nargs': '+', 'metavar': 'BETA', 'help': 'to try'}},
    ),
    'overlay': _Figure(
        'explain.overlay',
        "figure 3: the map's points on images, seen from the true and from the found pose",
        {'--points': {'type': Path, 'metavar': 'DIR', 'help': 'COLMAP model in the map frame'}},
    ),
    'map': _Figure('explain.map', 'figure 4: cameras of training and test, and where found'),
    'errors': _Figure(
        'explain.errors',
        'figures 6 and 7: table and cumulative histograms',
        {
            '--crops': {
                'type': int,
                'default': 16,
                'metavar': 'N',
                'help': 'of each image for dense answers; 128 in the paper; default: 16',
            }
        },
    ),
    'robustness': _Figure(
        'explain.robustness',
        'figure 8: blur, night, fog, rain, people, other lenses; and what the map verifies',
    ),
    'spacing': _Figure(
        'explain.spacing', 'figure 9 (trains): error by the spacing of training frames', _TRAINED
    ),
    'transfer': _Figure(
        'explain.transfer',
        'figure 10 (trains): pre-trained weights against none, epoch by epoch',
        _TRAINED,
    ),
    'new-scene': _Figure(
        'explain.new_scene',
        'figure 10 (trains): few frames, with a trunk of another scene',
        _TRAINED | {'--trunk': _OTHER},
    ),
    'saliency': _Figure('explain.saliency', 'figure 11: which pixels the pose depends on'),
    'features': _Figure(
        'explain.features',
        'figure 12: t-SNE of features by time, for three trunks',
        {'--trunk': _OTHER},
    ),
    'cost': _Figure(
        'explain.cost', 'figure 13: time and memory against the nearest image and SIFT'
    ),
}

__doc__ += ''.join(f'  {name:<12}{figure.summary}\n' for name, figure in FIGURES.items())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options, those of single figures too."""
    parser.add_argument(
        'figures', nargs='+', metavar='FIGURE', choices=[*FIGURES, 'all'], help='see above; or all'
    )
    parser.add_argument(
        '--model', type=Path, required=True, metavar='DIR', help='folder that train left'
    )
    parser.add_argument(
        '--dataset',
        metavar='KIND:DIR',
        help='what the model was trained on, where that is no recording: 7scenes:DIR and so on',
    )
    parser.add_argument(
        '--test-frames', metavar='START:STOP[:PERIOD]', help='as they were given to train'
    )
    parser.add_argument(
        '--output', type=Path, metavar='DIR', help='default: the folder figures of the run'
    )
    parser.add_argument(
        '--device',
        default='auto',
        help='to ask on: auto (default), cpu or cuda; trainings take a GPU where there is one',
    )
    for flag, keywords in _flags().items():
        parser.add_argument(flag, **keywords)


def _flags() -> dict[str, dict[str, Any]]:
    """Return the options of all figures; those of one name are one option."""
    return {
        flag: keywords for figure in FIGURES.values() for flag, keywords in figure.options.items()
    }


def run(args: argparse.Namespace) -> None:
    """Make the figures one after the other; the page is written after each."""
    names = list(FIGURES) if 'all' in args.figures else list(dict.fromkeys(args.figures))
    _check_flags(args, names)
    from posenet_ros.data.run import at_work
    from posenet_ros.explain.folder import write_page
    from posenet_ros.explain.subject import open_subject

    subject = open_subject(args.model, args.dataset, args.test_frames, args.device)
    output = args.output or subject.run / 'figures'
    with at_work(output):
        for name in names:
            _make(name, subject, output, args)
        print(write_page(output, list(FIGURES)))


def _make(name: str, subject: Subject, output: Path, args: argparse.Namespace) -> None:
    """Make one figure; of all, one that cannot be made is left out."""
    from posenet_ros.explain.folder import keep, write_page

    figure = FIGURES[name]
    module = importlib.import_module(f'posenet_ros.{figure.module}')
    options = {_dest(flag): getattr(args, _dest(flag)) for flag in figure.options}
    if getattr(module, 'TRAINS', False):
        options['output'] = output
    try:
        exhibit = module.draw(subject, **options)
    except PosenetError as error:
        if 'all' not in args.figures:
            raise
        print(f'{name} is left out: {error}', flush=True)
        return
    for path in keep(output, exhibit, subject.told):
        print(path, flush=True)
    write_page(output, list(FIGURES))


def _check_flags(args: argparse.Namespace, names: list[str]) -> None:
    """Refuse options that none of the figures would read."""
    read = {flag for name in names for flag in FIGURES[name].options}
    for flag, keywords in _flags().items():
        if flag not in read and getattr(args, _dest(flag)) != keywords.get('default'):
            of = [name for name, figure in FIGURES.items() if flag in figure.options]
            raise ConfigError(f'{flag} is for {", ".join(of)}; leave it out')


def _dest(flag: str) -> str:
    return flag.removeprefix('--').replace('-', '_')
