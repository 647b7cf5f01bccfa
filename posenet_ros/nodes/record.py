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

Ends with Ctrl-C (exit code 0: that is how a recording ends) or by --until-silent. Of poses in
several frames those of the most frequent one are written; the last line counts what is left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json
from pathlib import Path
import tempfile
from typing import TYPE_CHECKING

from posenet_ros.errors import ConfigError
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
    """Record until stopped, then write; a defect on the way is raised after that."""
    # What cannot be written is told now, and not when the drive is over.
    for path in filter(None, (args.output, args.json)):
        _make_writable(path)
    made: list[PoseRecorder] = []

    def make(stop: Callable[[BaseException | None], None]) -> PoseRecorder:
        made.append(_make_recorder(args, stop))
        return made[0]

    with stops_on_signals() as stops:
        try:
            run_node(make, args.ros_arguments, stops)
        except BaseException:
            if made and made[0].log:
                _write(args, made[0])
            raise
        _write(args, made[0])


def _make_writable(path: Path) -> None:
    """Make the folder of a file, and see that the file can be written."""
    if path.is_dir():
        raise ConfigError(f'{path} is a folder; name a file to write to')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ConfigError(f'cannot write {path}: {error.strerror}') from error


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
    # The folder may have gone since the start.
    _make_writable(args.output)
    write_tum(args.output, trajectory)
    line = f'{args.output}: {len(trajectory)} poses in {figures["duration_s"]:.1f} s'
    if figures['rate_hz']:
        line += f', {figures["rate_hz"]:.1f} Hz'
    if latency := figures['latency_ms']:
        line += f'; image to pose {latency["p50"]:.1f} ms median, {latency["p99"]:.1f} ms p99'
    if left_out := recorder.log.left_out():
        line += '; left out: ' + ', '.join(f'{count} {why}' for why, count in left_out.items())
    print(line)
    if args.json is not None:
        _make_writable(args.json)
        write_text(args.json, json.dumps(figures, indent=2) + '\n')
