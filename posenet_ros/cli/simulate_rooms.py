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
Render many furnished rooms, each seen by a camera in a hand, to learn relative poses of.

  simulate-rooms --output rooms --rooms 100
  train-relative --scenes rooms --output weights

OUTPUT/0000, OUTPUT/0001 and so on are captures: images, camera and true poses. Every seed is
another room, of another size, with other textures, in another light, by another lens. Rooms that
are there are kept, so that a run that was stopped goes on, and more rooms come to those there are.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('--output', type=Path, required=True, metavar='DIR', help='folder to make')
    parser.add_argument('--rooms', type=int, default=100, metavar='N', help='how many (100)')
    parser.add_argument('--views', type=int, default=96, metavar='N', help='images of each (96)')
    parser.add_argument('--seed', type=int, default=0, help='of the first room (0)')
    parser.add_argument('--width', type=int, default=256, help='in pixels (256)')
    parser.add_argument('--height', type=int, default=192, help='in pixels (192)')
    parser.add_argument('--jobs', type=int, help='processes that render (default: one a core)')


def run(args: argparse.Namespace) -> None:
    """Render what is not there yet."""
    from posenet_ros.cli.outputs import check_folder
    from posenet_ros.errors import ConfigError
    from posenet_ros.simulation.rooms import write_rooms

    for name, least in (('rooms', 1), ('views', 2), ('width', 64), ('height', 48), ('jobs', 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise ConfigError(f'--{name} must be at least {least}, not {value}')
    if args.seed < 0:
        raise ConfigError(f'--seed must not be negative, got {args.seed}')
    check_folder(f'--output {args.output}', args.output)
    made = write_rooms(
        args.output,
        range(args.seed, args.seed + args.rooms),
        views=args.views,
        size=(args.width, args.height),
        jobs=args.jobs,
    )
    kept = f' ({args.rooms - made} were there)' if made < args.rooms else ''
    print(f'rooms rendered: {made}{kept}\n{args.output}')
