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
Take poses that others have found, in place of structure from motion.

  import --colmap reconstruction --images photos --output office
  import --tum groundtruth.txt --images rgb --camera camera.yaml --output desk
  import --tum slam.tum --images rgb --intrinsics 640 480 525 525 319.5 239.5 --output desk

OUTPUT/capture then has the images with labels.tum, as label leaves it, and OUTPUT/sfm the COLMAP
model. The poses are map_from_camera, of the optical frame (z forward); those of a robot's base
need --base-from-camera. Images are copied. An import that was stopped continues when the same
command is given again. Train on it with: train --dataset capture:OUTPUT
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
import re
from typing import TYPE_CHECKING

from posenet_ros.errors import ConfigError

if TYPE_CHECKING:
    from posenet_ros.data.importing.from_tum import TumOptions
    from posenet_ros.geometry import Camera

_MAX_GAP_S = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    # To argparse before Python 3.14, -1e-3 is an option, and so no part of --intrinsics.
    parser._negative_number_matcher = re.compile(r'-\.?\d')
    poses = parser.add_argument_group('poses').add_mutually_exclusive_group(required=True)
    poses.add_argument('--colmap', type=Path, metavar='DIR', help='model, binary or text')
    poses.add_argument(
        '--tum', type=Path, metavar='FILE', help='trajectory: time[s] tx ty tz[m] qx qy qz qw'
    )
    parser.add_argument(
        '--images',
        type=Path,
        metavar='DIR',
        help='for --colmap by default a folder "images" beside the model or above it',
    )
    parser.add_argument('--output', type=Path, required=True, metavar='DIR', help='folder to make')
    scale = parser.add_argument_group('scale').add_mutually_exclusive_group()
    scale.add_argument(
        '--metric',
        action='store_true',
        default=None,
        help='positions are in metres (default for --tum)',
    )
    scale.add_argument(
        '--unscaled',
        dest='metric',
        action='store_false',
        help='positions are in units of their own (default for --colmap)',
    )
    tum = parser.add_argument_group('with --tum')
    camera = tum.add_mutually_exclusive_group()
    camera.add_argument(
        '--intrinsics',
        type=float,
        nargs='+',
        metavar='N',
        help='W H FX FY CX CY of the images in pixels, as in CameraInfo, then its coefficients: '
        '4 or 5 (plumb_bob) or 8 (rational_polynomial)',
    )
    camera.add_argument(
        '--camera',
        type=Path,
        metavar='FILE',
        help="a capture's camera.yaml, or the calibration file of a ROS camera",
    )
    tum.add_argument(
        '--base-from-camera',
        type=float,
        nargs=6,
        metavar=('X', 'Y', 'Z', 'ROLL', 'PITCH', 'YAW'),
        help="where the optical frame of the camera is on the robot, for poses of the robot's "
        'base, in metres and radians (looking ahead is -1.5708 0 -1.5708)',
    )
    tum.add_argument(
        '--max-gap',
        type=float,
        metavar='SECONDS',
        help=f'interpolate between poses at most this far apart (default: {_MAX_GAP_S:g})',
    )


def run(args: argparse.Namespace) -> None:
    """Import, and print the summary and the paths of what is there now."""
    _check_options(args)
    from posenet_ros.data.importing.capture import import_poses
    from posenet_ros.data.importing.from_colmap import source_from_colmap
    from posenet_ros.data.importing.from_tum import source_from_tum

    metric = bool(args.tum) if args.metric is None else args.metric
    if args.tum:
        options = _tum_options(args, metric)
        source = source_from_tum(args.tum, args.images, _camera(args), options)
        described = options.to_dict()
    else:
        source, described = source_from_colmap(args.colmap, args.images), {}
    summary = import_poses(source, args.output, metric=metric, options=described)
    print(summary.text())
    print(f'labels: {args.output / "capture" / "labels.tum"}')
    if source.model is not None:
        print(f'model: {args.output / "sfm"}')


def _check_options(args: argparse.Namespace) -> None:
    """Refuse options that nothing would read, and ask for those that are missing."""
    if args.colmap:
        for name in ('intrinsics', 'camera', 'base_from_camera', 'max_gap'):
            if getattr(args, name) is not None:
                option = f'--{name.replace("_", "-")}'
                raise ConfigError(f'{option} is for --tum: with --colmap, leave it out')
        return
    if args.images is None:
        raise ConfigError('--tum needs --images, the folder of the images')
    if args.intrinsics is None and args.camera is None:
        raise ConfigError('--tum needs --intrinsics or --camera: a trajectory has no camera')
    if args.max_gap is not None and not 0 < args.max_gap < math.inf:
        raise ConfigError(f'--max-gap is a time above zero, got {args.max_gap:g}')


def _camera(args: argparse.Namespace) -> Camera:
    from posenet_ros.data.importing.camera_file import camera_from_numbers, read_camera

    return read_camera(args.camera) if args.camera else camera_from_numbers(args.intrinsics)


def _tum_options(args: argparse.Namespace, metric: bool) -> TumOptions:
    from posenet_ros.data.importing.from_tum import TumOptions
    from posenet_ros.sfm.options import LabelOptions

    mount = args.base_from_camera
    placed = LabelOptions(base_from_camera=None if mount is None else tuple(mount))
    return TumOptions(
        _MAX_GAP_S if args.max_gap is None else args.max_gap,
        placed.mount('base', 'camera'),
        metric,
    )
