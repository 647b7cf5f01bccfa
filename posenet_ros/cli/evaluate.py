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
Measure a model against poses it has not seen, beside two baselines.

  evaluate --model run1_posenet --bag run2 --truth run2.tum
  evaluate --model kitchen_posenet --dataset 7scenes:redkitchen
  evaluate --estimates recorded.tum --truth run2.tum
  evaluate --model run1_posenet --bag run2 --truth run2.tum --foreign other_room scrambled:200

Every figure counts all images whose true pose is known: one without an answer is infinitely
wrong. Truth is `map_from_camera` in TUM format (time tx ty tz qx qy qz qw). Where the map of the
model is not the frame of the truth, --labels-truth gives the true poses of the training
recording: the training labels are fitted to them rigidly, and that is applied. Nothing is fitted
on predictions.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING

from posenet_ros.cli.outputs import check_file, check_folder
from posenet_ros.engines.names import AUTO, ENGINES
from posenet_ros.errors import ConfigError
from posenet_ros.evaluation.request import Request
from posenet_ros.evaluation.strangers import foreign_source
from posenet_ros.localization.methods import AUTO_METHOD, METHODS

if TYPE_CHECKING:
    from posenet_ros.evaluation.session import Measured


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    asked = parser.add_argument_group('what is asked')
    asked.add_argument('--model', type=Path, metavar='DIR', help='folder that train left')
    asked.add_argument('--bag', type=Path, help='recording whose images are asked about')
    asked.add_argument('--image-topic', metavar='TOPIC', help='where the bag has several')
    asked.add_argument(
        '--rate',
        dest='rate_hz',
        type=hertz,
        metavar='HZ',
        help='ask at most so often a second',
    )
    asked.add_argument(
        '--dataset',
        metavar='KIND:DIR',
        help='7scenes:DIR, cambridge:DIR, colmap:DIR or capture:DIR; its test part, or all of '
        'it where it keeps none apart',
    )
    asked.add_argument(
        '--test-frames',
        metavar='START:STOP[:PERIOD]',
        help='frames of the data set to ask about, by the number in their names: 350:650, or '
        '50:100:200 for the second fifty of every two hundred; what train left out by the same',
    )
    asked.add_argument(
        '--estimates',
        type=Path,
        metavar='FILE.tum',
        help='poses recorded from the running node, in place of asking the model; with --bag '
        'every image without a recorded pose counts as unanswered',
    )
    asked.add_argument('--device', default='auto', help='auto (default), cpu or cuda')
    asked.add_argument(
        '--engine',
        choices=ENGINES,
        default=AUTO,
        help="what runs the network on the CPU, as the node's parameter of this name: auto "
        '(default) takes the fastest, eager is torch as it trains; one in bf16 wants a model that '
        'export measured',
    )
    asked.add_argument(
        '--crops',
        type=int,
        default=1,
        metavar='N',
        help='average the answers to so many crops of each image (128 in the paper); 1 is the '
        'centre crop, what the node answers',
    )
    asked.add_argument(
        '--samples',
        type=int,
        default=0,
        metavar='N',
        help='average so many answers drawn with dropout left on (40 in Bayesian PoseNet)',
    )
    asked.add_argument(
        '--foreign',
        nargs='+',
        default=(),
        metavar='BAG',
        help='recordings, or folders of images, of other places: how many are refused, how well '
        'novelty tells them from the images asked about, and how many are verified, which none '
        'should be; or KIND:N for images that are made here: noise:200, scrambled:200 and '
        "mirrored:200, the latter two of the map's own images. Images of another shape than the "
        "camera's are never verified, and prove nothing",
    )
    asked.add_argument(
        '--always',
        action='store_true',
        help='answer every image, also those that the model would refuse',
    )
    asked.add_argument(
        '--refine',
        choices=('auto', 'off'),
        default='auto',
        help='auto (default) has poses verified by the map of landmarks, where the model has one; '
        'off takes what the network says',
    )
    asked.add_argument(
        '--method',
        choices=METHODS,
        default=AUTO_METHOD,
        help='what the model is made for (auto, default): posenet, the pose that the network '
        'regresses, or relative, one made of relative poses; or retrieval, that of the training '
        'image that looks most alike',
    )
    asked.add_argument(
        '--neighbours',
        type=int,
        metavar='N',
        help='of relative poses: compare with so many images, in place of those of the model',
    )
    asked.add_argument(
        '--solver',
        choices=('ours', 'published'),
        help='of relative poses: published is that of Laskar et al., to compare with',
    )
    truth = parser.add_argument_group('what is true')
    truth.add_argument('--truth', type=Path, metavar='FILE.tum', help='true poses of the camera')
    truth.add_argument(
        '--labels-truth',
        type=Path,
        metavar='FILE.tum',
        help='true poses of the training recording, in the frame of --truth',
    )
    written = parser.add_argument_group('what is written')
    written.add_argument('--json', type=Path, metavar='FILE', help='figures for programs')
    written.add_argument('--report', type=Path, metavar='DIR', help='report.html with plots')
    written.add_argument(
        '--picture', type=Path, metavar='FILE.png', help='the map with true and estimated path'
    )


def run(args: argparse.Namespace) -> None:
    """Evaluate, print the table, and write what was asked for."""
    asked = {field.name: getattr(args, field.name) for field in dataclasses.fields(Request)}
    request = Request(**{**asked, 'foreign': tuple(map(foreign_source, args.foreign))})
    _check_outputs(args)
    from posenet_ros.evaluation.session import measure
    from posenet_ros.evaluation.table import text_table

    measured = measure(request)
    table = text_table(measured.evaluation, measured.name)
    print(*measured.notes(), '', table, '', sep='\n')
    _write(args, measured)


def hertz(text: str) -> float:
    """Read a rate; argparse turns what is raised into its one line."""
    rate = float(text)
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f'a rate is above zero, got {text}')
    return rate


def _check_outputs(args: argparse.Namespace) -> None:
    """Refuse what could not be written after minutes of work."""
    check_file('--json', args.json)
    check_file('--picture', args.picture)
    if args.report:
        check_folder(f'--report {args.report}', args.report)
    if args.picture and args.picture.suffix not in ('.png', '.pdf', '.svg'):
        raise ConfigError(f'--picture writes .png, .pdf or .svg, not {args.picture.name!r}')


def _write(args: argparse.Namespace, measured: Measured) -> None:
    from posenet_ros.evaluation.plots import plot_trip
    from posenet_ros.evaluation.report import write_metrics, write_report
    from posenet_ros.evaluation.table import caption

    request, evaluation = measured.request, measured.evaluation
    title = f'{request.model or request.estimates} on {request.asked}'
    for path in (args.json, args.picture):
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
    if args.json:
        write_metrics(args.json, measured.to_dict())
        print(args.json)
    if args.picture:
        text = caption(evaluation, measured.name)
        plot_trip(args.picture, evaluation, measured.training_poses(), title=title, text=text)
        print(args.picture)
    if args.report:
        page = write_report(
            args.report,
            evaluation,
            method=measured.name,
            title=title,
            subtitle='; '.join(measured.notes()),
            training_poses=measured.training_poses(),
            facts=measured.facts(),
            metrics=measured.to_dict(),
        )
        print(page)
