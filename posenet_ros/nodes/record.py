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
Write a pose topic to a TUM file, with its rate and the latency from image to pose.

Ends with Ctrl-C (exit code 0: that is how a recording ends) or by --until-silent.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json
from pathlib import Path
from typing import TYPE_CHECKING

from posenet_ros.nodes.process import run_node, stops_on_signals

if TYPE_CHECKING:
    from posenet_ros.nodes.recorder import PoseRecorder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes besides ROS arguments."""
    parser.add_argument(
        '--topic', default='/posenet/pose', help='a PoseStamped topic (default: %(default)s)'
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('poses.tum'),
        metavar='FILE',
        help='TUM file to write (default: %(default)s)',
    )
    parser.add_argument(
        '--image', metavar='TOPIC', help='image topic, to measure the time from image to pose'
    )
    parser.add_argument(
        '--until-silent',
        type=float,
        metavar='S',
        help='stop when no pose has come for so many seconds after the first',
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures here as well')


def run(args: argparse.Namespace) -> None:
    """Record until stopped, then write."""
    with stops_on_signals() as stops:
        recorder = run_node(lambda stop: _make_recorder(args, stop), args.ros_arguments, stops)
        _write(args, recorder)


def _make_recorder(
    args: argparse.Namespace, stop: Callable[[BaseException | None], None]
) -> PoseRecorder:
    from posenet_ros.nodes.recorder import PoseRecorder

    return PoseRecorder(
        args.topic, image_topic=args.image, until_silent_s=args.until_silent, stop=stop
    )


def _write(args: argparse.Namespace, recorder: PoseRecorder) -> None:
    from posenet_ros.files import write_text
    from posenet_ros.geometry import write_tum

    trajectory = recorder.trajectory()
    figures = recorder.statistics()
    write_tum(args.output, trajectory)
    if args.json is not None:
        write_text(args.json, json.dumps(figures, indent=2) + '\n')
    line = f'{args.output}: {figures["poses"]} poses in {figures["duration_s"]:.1f} s'
    if figures['rate_hz']:
        line += f', {figures["rate_hz"]:.1f} Hz'
    if latency := figures['latency_ms']:
        line += f'; image to pose {latency["p50"]:.1f} ms median, {latency["p99"]:.1f} ms p99'
    print(line)
