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
Label the images of a recording with poses, by structure from motion.

Frames are taken from the recording, reconstructed from what they show, and placed in a map in
metres by the robot's odometry. OUTPUT/capture then has the frames with labels.tum, OUTPUT/sfm a
COLMAP model. A run that was stopped continues when the same command is given again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
import re

from posenet_ros.sfm.options import LabelOptions, MAPPERS, REFERENCES


def add_label_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of labelling, which `label` and `train` share."""
    # To argparse before Python 3.14, -1e-3 is an option, and so no part of --base-from-camera.
    parser._negative_number_matcher = re.compile(r'-\.?\d')
    defaults = LabelOptions()
    group = parser.add_argument_group('labelling')
    group.add_argument(
        '--image-topic', metavar='TOPIC', help='needed where the recording has several cameras'
    )
    group.add_argument(
        '--rate',
        type=float,
        default=defaults.rate_hz,
        metavar='HZ',
        help='frames to take a second, the sharpest of each interval (default: %(default)g)',
    )
    group.add_argument(
        '--min-translation',
        type=float,
        default=defaults.min_translation_m,
        metavar='METRES',
        help='leave out frames that moved less since the one before, and turned less than '
        '--min-rotation, as the reference tells it (default: %(default)g)',
    )
    group.add_argument(
        '--min-rotation',
        type=float,
        default=defaults.min_rotation_deg,
        metavar='DEG',
        help='see --min-translation (default: %(default)g)',
    )
    group.add_argument(
        '--mapper',
        choices=MAPPERS,
        default=defaults.mapper,
        help='of COLMAP: frame after frame, all at once, or the second where the first leaves '
        'many frames out (default: %(default)s)',
    )
    group.add_argument(
        '--reference',
        default=defaults.reference,
        metavar='{' + ','.join(REFERENCES) + ',tf:FRAME}',
        help='where metres and up come from: odometry, the motion on /tf, whichever there is '
        '(auto, the default), or nowhere; tf:map makes the map of the localizer that was running '
        'that of the labels',
    )
    group.add_argument(
        '--reference-scale-error',
        type=float,
        metavar='SHARE',
        help='how wrong the metres of the reference may be (default: 0.02 for odometry, 0.005 '
        'for a localizer)',
    )
    group.add_argument(
        '--odom-topic', metavar='TOPIC', help='the odometry to take (default: /odom or the only)'
    )
    group.add_argument(
        '--base-from-camera',
        type=float,
        nargs=6,
        metavar=('X', 'Y', 'Z', 'ROLL', 'PITCH', 'YAW'),
        help='where the optical frame of the camera is on the robot, in metres and radians, '
        'where /tf_static does not say (looking ahead is -1.5708 0 -1.5708)',
    )
    group.add_argument(
        '--allow-unscaled',
        action='store_true',
        help='go on without a reference: labels without metres and without up',
    )


def label_options(args: argparse.Namespace) -> LabelOptions:
    """Return the options that `add_label_arguments` parsed; raise ConfigError for bad values."""
    mount = args.base_from_camera
    return LabelOptions(
        image_topic=args.image_topic,
        rate_hz=args.rate,
        min_translation_m=args.min_translation,
        min_rotation_deg=args.min_rotation,
        mapper=args.mapper,
        reference_scale_error=args.reference_scale_error,
        reference=args.reference,
        odom_topic=args.odom_topic,
        base_from_camera=None if mount is None else tuple(mount),
        allow_unscaled=args.allow_unscaled,
    )


def default_output(bag: Path) -> Path:
    """Return the folder of a recording's results: its name with `_posenet`, here."""
    return Path(f'{bag.resolve().name.removesuffix(".bag")}_posenet')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        '--bag',
        type=Path,
        required=True,
        nargs='+',
        help='the recording, or several of one camera that share a map',
    )
    parser.add_argument(
        '--output', type=Path, help="default: the recording's name with _posenet, here"
    )
    add_label_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Label, and print the summary and where the labels are."""
    options = label_options(args)
    # The parts of labelling load much; --help does without.
    from posenet_ros.sfm.labelling import label_recordings
    from posenet_ros.sfm.report import PAGE
    from posenet_ros.sfm.sources import open_sources

    output = args.output or default_output(args.bag[0])
    summary = label_recordings(open_sources(args.bag, options), output, options)
    print(summary.text())
    print(f'labels: {output / "capture" / "labels.tum"}')
    print(f'report: {output / "report" / PAGE}')
