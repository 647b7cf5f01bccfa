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
Render a furnished world and a robot's drives through it to rosbag2 recordings.

  simulate --output world0
  simulate --output world1 --seed 1 --laps 5 --width 320 --height 240
  simulate --output world2 --world corridor --laps 9
  simulate --output world3 --world twins --laps 5
  simulate --output foreign --seed 1 --textures 0

OUTPUT/train and OUTPUT/test are the recordings (mcap): images, CameraInfo, odometry that drifts,
/tf and a latched /tf_static. OUTPUT/train.groundtruth.tum and OUTPUT/test.groundtruth.tum hold
the true map_from_camera at the stamp of each image. The test drive keeps between the laps of the
training drive. The same options give the same recordings.

A room is 8 x 6 m, and a lap of it takes half a minute. With --textures it is painted with the
pictures, wood, wall papers and rugs of another: a foreign room that looks like a mapped one, with
other furniture in other places.

A corridor runs around a block: a lap is 47 m and takes 75 s, 1100 images; two laps one way round,
then two the other way, on both sides. It has what makes reconstructions fail: a white side of
12 m with next to nothing to see, two doors 14 m apart that are the same with all around them,
quick turns, and a stop of 6 s.

The twins are two halls of 18 m that are the same to the texel with all their furniture and light,
joined by two passages of 4 m that differ. Drives are as in a corridor, each lap through both.

In either, simulation.yaml says where these places are.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; those left out are as usual in the world."""
    parser.add_argument('--output', type=Path, required=True, metavar='DIR', help='folder to make')
    world = parser.add_argument_group('the drives')
    world.add_argument('--world', metavar='{room,corridor,twins}', help='where (default room)')
    world.add_argument(
        '--seed', type=int, help='which world of its kind, and which drives (default 0)'
    )
    world.add_argument(
        '--textures',
        type=int,
        metavar='SEED',
        help='paint the room with the textures of the room of this seed (default: its own)',
    )
    world.add_argument('--laps', type=int, help='laps of the training drive (default 3)')
    world.add_argument('--test-laps', type=int, help='laps of the test drive (default 1)')
    images = parser.add_argument_group('the images')
    images.add_argument('--rate', type=float, metavar='HZ', help='images a second (default 15)')
    images.add_argument('--width', type=int, help='in pixels (default 640)')
    images.add_argument('--height', type=int, help='in pixels (default 480)')
    images.add_argument(
        '--field-of-view', type=float, metavar='DEG', help='from left to right (default 75)'
    )
    form = images.add_mutually_exclusive_group()
    form.add_argument(
        '--compressed',
        action='store_true',
        default=None,
        help='JPEG on /camera/image_raw/compressed (default)',
    )
    form.add_argument(
        '--raw',
        dest='compressed',
        action='store_false',
        help='rgb8 on /camera/image_raw: 14 MB a second at 640x480 and 15 Hz',
    )
    parser.add_argument('--jobs', type=int, help='threads that render (default: one a core)')


def run(args: argparse.Namespace) -> None:
    """Simulate, and print the paths of what is there now."""
    from posenet_ros.errors import ConfigError
    from posenet_ros.simulation.options import SimulationOptions
    from posenet_ros.simulation.simulate import simulate

    if args.jobs is not None and args.jobs < 1:
        raise ConfigError(f'--jobs must be at least 1, not {args.jobs}')
    asked = {
        'world': args.world,
        'seed': args.seed,
        'textures': args.textures,
        'laps': args.laps,
        'test_laps': args.test_laps,
        'rate_hz': args.rate,
        'width': args.width,
        'height': args.height,
        'field_of_view': args.field_of_view,
        'compressed': args.compressed,
    }
    options = SimulationOptions.usual(
        **{name: value for name, value in asked.items() if value is not None}
    )
    made = simulate(args.output, options, jobs=args.jobs)
    if not made.made:
        print(f'{made.folder} holds this simulation already; nothing to do')
    for name, count in zip(made.recordings, made.images):
        print(f'{made.bag(name)}  {count} images')
        print(made.truth(name))
    print(made.picture)
