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
Simulate thousands of kidnappings of the logic that decides on resets: how often right or wrong.

  rehearse
  rehearse --scenario all --trips 1000 --json rehearsal.json
  rehearse --scenario errors2 network --odometry-noise 2 --refused 0.2 --rate 5

A trip is a robot with a camera and drifting odometry that is carried somewhere else at some
moment, or has no localizer from the start; the localizer is a stand-in for AMCL. Poses of images
are drawn from a model of errors that the logic does not know. A reset is wrong that is more than
1 m off; a trip is right where the robot was within 0.3 m and 6 degrees of the truth in 20 s, and
never sent to a wrong place. `at most` is the upper end of the 95 % interval (Clopper, Pearson).

The same seed gives the same trips, by any number of processes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from posenet_ros.errors import ConfigError

if TYPE_CHECKING:
    from posenet_ros.recovery.rehearsal import Scenario

ALL = 'all'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        '--trips', type=int, default=10_000, metavar='N', help='of each scenario (default 10000)'
    )
    parser.add_argument(
        '--scenario',
        nargs='+',
        default=['usual'],
        metavar='NAME',
        help='what is worse than the logic is told: usual (default), errors2, odometry2, '
        'slipping, blurred, slow, network, network2, deceived, twins, elsewhere, driving, silent; '
        'or all',
    )
    parser.add_argument('--seed', type=int, default=0, help='which trips (default 0)')
    parser.add_argument(
        '--odometry-noise', type=float, metavar='F', help='times the usual errors of odometry'
    )
    parser.add_argument(
        '--refused', type=float, metavar='SHARE', help='of frames that are blurred or covered'
    )
    parser.add_argument('--rate', type=float, metavar='HZ', help='images a second, 1 to 10')
    parser.add_argument('--jobs', type=int, help='processes (default: one a core)')
    parser.add_argument('--output', type=Path, metavar='FILE', help='write the table here as well')
    parser.add_argument('--json', type=Path, metavar='FILE', help='figures for programs')


def run(args: argparse.Namespace) -> None:
    """Rehearse, print the table, and write what was asked for."""
    from posenet_ros.machine import cores
    from posenet_ros.recovery.rehearsal import rehearse, text_table
    from tqdm import tqdm

    scenarios = _scenarios(args)
    for name in ('output', 'json'):
        _check_file(name, getattr(args, name))
    jobs = cores() if args.jobs is None else args.jobs
    if args.trips < 1 or jobs < 1 or args.seed < 0:
        raise ConfigError(
            f'--trips and --jobs are at least 1 and --seed at least 0, not {args.trips}, {jobs} '
            f'and {args.seed}'
        )
    tallies = []
    with tqdm(total=args.trips * len(scenarios), unit='trip', smoothing=0.05) as progress:
        for scenario in scenarios:
            progress.set_description(scenario.name)
            tallies.append(
                rehearse(scenario, args.trips, seed=args.seed, jobs=jobs, progress=progress.update)
            )
    table = text_table(tallies)
    told = '\n'.join(f'{scenario.name}: {scenario.about}' for scenario in scenarios)
    print(f'{told}\n\n{table}')
    _write(args, f'{told}\n\n{table}\n', [tally.to_dict() for tally in tallies])


def _scenarios(args: argparse.Namespace) -> list[Scenario]:
    """Return the scenarios asked for, with what is asked of all of them."""
    from posenet_ros.recovery.rehearsal import SCENARIOS

    unknown = set(args.scenario) - set(SCENARIOS) - {ALL}
    if unknown:
        raise ConfigError(
            f'no such scenario: {", ".join(sorted(unknown))}; there are {", ".join(SCENARIOS)}'
        )
    names = list(SCENARIOS) if ALL in args.scenario else list(dict.fromkeys(args.scenario))
    asked = {'odometry': args.odometry_noise, 'refused': args.refused, 'rate_hz': args.rate}
    given = {name: value for name, value in asked.items() if value is not None}
    return [replace(SCENARIOS[name], **given) for name in names]


def _check_file(option: str, path: Path | None) -> None:
    """Refuse what could not be written after minutes of work."""
    if path is None:
        return
    if path.is_dir():
        raise ConfigError(f'--{option} {path} is a folder: name a file')
    there = next(each for each in (path.parent, *path.parent.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f'--{option} {path} cannot be written; choose another path')


def _write(args: argparse.Namespace, table: str, figures: Sequence[dict[str, object]]) -> None:
    from posenet_ros.files import write_text

    asked = {'seed': args.seed, 'trips': args.trips, 'scenarios': list(figures)}
    for path, text in ((args.output, table), (args.json, json.dumps(asked, indent=2) + '\n')):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, text)
            print(path)
