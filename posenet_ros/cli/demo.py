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
Watch a camera find itself, with nothing but this package.

Renders a furnished room to two recordings, trains on the one, starts the real node, replays
the other, which the model has never seen, over DDS, and compares what the node published with
the truth, beside two baselines. A demo that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import AbstractContextManager
import json
from pathlib import Path
import subprocess
import time

from posenet_ros.children import command, own_domain, running
from posenet_ros.errors import PosenetError

SIMULATION = ('--width', '480', '--height', '360')
LABELLING = ('--rate', '2.5')
TRAINING = ('--recipe', 'scratch')
POSE_TOPIC = '/posenet/pose'
_LATEST_START_S = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        '--output', type=Path, default=Path('demo'), metavar='DIR', help='default: ./demo'
    )
    parser.add_argument('--seed', type=int, default=0, help='another room, another path')


def run(args: argparse.Namespace) -> None:
    """Go through the stages, each a command that a user could type."""
    started = time.monotonic()
    output: Path = args.output
    world, model, trip = output / 'world', output / 'world_posenet', output / 'trip'
    _stage('1/4', 'render a room, three laps to learn from and one to be tested on')
    _run('simulate', '--output', world, '--seed', args.seed, *SIMULATION)
    _stage('2/4', 'label the recording by structure from motion, and train on it')
    _run('train', '--bag', world / 'train', '--output', model, *LABELLING, *TRAINING)
    _stage('3/4', 'start the node, and replay the lap it has never seen over DDS')
    trip.mkdir(parents=True, exist_ok=True)
    _drive(world / 'test', model, trip)
    _stage('4/4', 'compare what the node published with the truth')
    evaluate = ['evaluate', '--model', model, '--bag', world / 'test']
    evaluate += ['--estimates', trip / 'estimates.tum']
    evaluate += ['--truth', world / 'test.groundtruth.tum']
    evaluate += ['--labels-truth', world / 'train.groundtruth.tum']
    evaluate += ['--json', trip / 'metrics.json', '--report', trip]
    evaluate += ['--picture', trip / 'trip.png']
    _run(*evaluate)
    _conclude(trip, time.monotonic() - started)


def _stage(number: str, what: str) -> None:
    print(f'\n=== {number}  {what}', flush=True)


def _run(*words: object) -> None:
    """Run one command of ours to its end; its own line has already said what went wrong."""
    print('$ posenet_ros', *words, flush=True)
    _stop_on(subprocess.run(command(*words), check=False).returncode, words[0])


def _stop_on(code: int, command: object) -> None:
    if code == 130:
        raise KeyboardInterrupt
    if code != 0:
        raise PosenetError(f'the demo stopped: {command} ended with exit code {code}')


def _beside(
    *words: object, log: Path, environment: Mapping[str, str]
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Say what is run beside others, and run it."""
    print('$ posenet_ros', *words, '&', flush=True)
    return running(*words, log=log, environment=environment)


def _drive(bag: Path, model: Path, trip: Path) -> None:
    """Replay a recording to the node, and record what it answers."""
    from posenet_ros.data.bags import Recording

    with Recording(bag) as recording:
        image = recording.image_topic()
    raw = image.removesuffix('/compressed')
    transport = 'raw' if raw == image else 'compressed'
    environment = own_domain()
    node = ['relocalize', '--model', model, '--ros-args', '-r', f'image:={raw}']
    node += ['-r', 'camera_info:=/camera/camera_info', '-p', f'image_transport:={transport}']
    record = ['record', '--topic', POSE_TOPIC, '--image', image, '--until-silent', 5]
    record += ['--output', trip / 'estimates.tum', '--json', trip / 'node.json']
    replay = ['replay', '--bag', bag, '--topics', image, '/camera/camera_info']
    with (
        _beside(*node, log=trip / 'node.log', environment=environment) as relocalizer,
        _beside(*record, log=trip / 'record.log', environment=environment) as recorder,
    ):
        print('$ posenet_ros', *replay, flush=True)
        # The node subscribes when its model is loaded, the recorder to measure latency.
        code = subprocess.run(
            command(*replay, '--wait-for-subscribers', 2), check=False, env=environment
        ).returncode
        if relocalizer.poll() is not None:
            raise PosenetError(f'the node ended early: see {trip / "node.log"}')
        _stop_on(code, 'replay')
        _wait(recorder, trip)


def _wait(recorder: subprocess.Popen[bytes], trip: Path) -> None:
    """Let the recorder end by itself when the node falls silent."""
    try:
        code = recorder.wait(timeout=_LATEST_START_S)
    except subprocess.TimeoutExpired:
        raise PosenetError(f'no pose came: see {trip / "node.log"}') from None
    if code != 0:
        raise PosenetError(f'the poses could not be recorded: see {trip / "record.log"}')


def _conclude(trip: Path, took_s: float) -> None:
    """Say what the table does not: rate, latency, and where to look."""
    node = json.loads((trip / 'node.json').read_text(encoding='utf-8'))
    latency = node['latency_ms']
    print(f'{node["poses"]} poses at {node["rate_hz"]:.1f} a second', end='')
    print(f'; from image to pose {latency["p50"]:.0f} ms (median), {latency["p99"]:.0f} ms (p99)')
    print(f'\n{trip / "report.html"}\n{trip / "trip.png"}')
    print(f'all of it took {took_s / 60:.1f} minutes')
