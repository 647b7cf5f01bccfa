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
Kidnap a simulated robot over DDS, and count how the real node recovers.

  simulate --output world0 --laps 8
  train --bag world0/train
  drill --model world0_posenet --world world0 --output drill0
  drill --model world0_posenet --world world0 --scenario elsewhere --trips 50
  drill --model world0_posenet --world world0 --scenario driving --trips 30

A simulated robot drives through the world of a folder made by `simulate`, with a model that was
trained on it: its camera is rendered live, its odometry drifts, and a stand-in for AMCL follows
it. The node runs as a user would start it, in a ROS domain of their own on this machine.

kidnapped (default): the robot is carried to another place of its lane, its camera covered or
blurred; one in ten has no localizer from the start. A trip is right where the localizer was
within 0.3 m and 6 degrees of the truth in 20 s, and never sent more than 1 m off.
elsewhere: it is set down in a room that is not in the map; whatever is sent is wrong.
driving: nobody carries it; a trip is a minute, and any reset or kidnapping told a false alarm.

Time passes as on the wall, and slower where the machine does not keep up, so that nothing is
lost by that. Writes OUTPUT/drill.json, OUTPUT/drill.png and the logs of the node.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from posenet_ros.errors import ConfigError

if TYPE_CHECKING:
    from posenet_ros.drill.record import Record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        '--model', type=Path, required=True, metavar='DIR', help='model folder, or its run'
    )
    parser.add_argument(
        '--world', type=Path, required=True, metavar='DIR', help='folder made by simulate'
    )
    parser.add_argument(
        '--output', type=Path, default=Path('drill'), metavar='DIR', help='default: ./drill'
    )
    parser.add_argument(
        '--scenario',
        default='kidnapped',
        metavar='{kidnapped,elsewhere,driving}',
        help='what is done to the robot (default kidnapped)',
    )
    parser.add_argument(
        '--trips', type=int, default=20, metavar='N', help='or minutes of driving (default 20)'
    )
    parser.add_argument('--seed', type=int, default=0, help='which trips (default 0)')
    worse = parser.add_argument_group('what is worse than usual')
    worse.add_argument(
        '--odometry-noise',
        type=float,
        default=1.0,
        metavar='F',
        help='times the usual errors of odometry',
    )
    worse.add_argument(
        '--spoilt',
        type=float,
        default=0.0,
        metavar='SHARE',
        help='of images that are blurred or covered, in bursts (default 0)',
    )
    worse.add_argument(
        '--rate', type=float, default=8.0, metavar='HZ', help='images a second (default 8)'
    )
    worse.add_argument(
        '--no-verification',
        action='store_true',
        help='the network alone: refine off, and resets by what no map has verified',
    )
    node = parser.add_argument_group('the node')
    node.add_argument(
        '--publish-tf-odom',
        action='store_true',
        help='no localizer: the node owns map -> odom, and its own transform has to be right',
    )
    node.add_argument(
        '--map-from-model',
        metavar='POSE',
        help="x y z roll pitch yaw (m, rad): the model's map in that of the world (default: by "
        'labels and truth of the recording, the same where there are none)',
    )
    node.add_argument(
        '-p',
        dest='parameters',
        action='append',
        default=[],
        metavar='NAME:=VALUE',
        help='a parameter of the node, as after --ros-args; may be given again',
    )
    parser.add_argument(
        '--pace',
        type=float,
        default=1.0,
        metavar='F',
        help='how fast time passes at most (default 1, as on the wall)',
    )


def run(args: argparse.Namespace) -> None:
    """Drill, and print the table and the paths."""
    from posenet_ros.drill.mapping import map_from_model
    from posenet_ros.drill.options import DrillOptions
    from posenet_ros.drill.run import drill, Telling
    from tqdm import tqdm

    options = DrillOptions(
        scenario=args.scenario,
        trips=args.trips,
        seed=args.seed,
        odometry=args.odometry_noise,
        spoilt=args.spoilt,
        rate_hz=args.rate,
        verification=not args.no_verification,
        publish_tf_odom=args.publish_tf_odom,
        pace=args.pace,
        map_from_model=args.map_from_model or map_from_model(args.model, args.world),
        parameters=dict(_parameter(each) for each in args.parameters),
    )
    counts: Counter[str] = Counter()
    with tqdm(total=options.trips, unit='trip', dynamic_ncols=True, delay=1) as progress:

        def over(record: Record) -> None:
            counts[record.verdict] += 1
            progress.write(record.line)
            progress.set_postfix(counts)
            progress.update()

        telling = Telling(over, progress.set_description, progress.write)
        result = drill(args.model, args.world, args.output, options, telling)
    print(f'\n{result.table}\n')
    for path in result.paths:
        print(path)


def _parameter(text: str) -> tuple[str, str]:
    name, between, value = text.partition(':=')
    if not (name and between):
        raise ConfigError(f'-p takes NAME:=VALUE, not {text}')
    return name, value
