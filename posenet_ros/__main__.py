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
The one entry of every command.

`python -m posenet_ros COMMAND` and `ros2 run posenet_ros COMMAND` both come here.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import errno
import importlib
import os
import sys
from typing import NamedTuple

from posenet_ros import __version__
from posenet_ros.errors import PosenetError

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


class Command(NamedTuple):
    """A command: the module that has its `add_arguments` and `run`, and a line about it."""

    module: str
    summary: str


COMMANDS = {
    'train': Command('cli.train', 'label a recording, train a model on it, report how good it is'),
    'train-relative': Command(
        'cli.train_relative', 'a network of relative poses, for places that it has never seen'
    ),
    'extend': Command('cli.extend', 'add posed images to a model that locates by relative poses'),
    'label': Command('cli.label', 'label a recording by structure from motion'),
    'import': Command('cli.import_poses', 'label images by poses from elsewhere: COLMAP, TUM'),
    'evaluate': Command('cli.evaluate', 'measure a model against poses it has not seen'),
    'benchmark-scenes': Command(
        'cli.benchmark_scenes', "train and measure on a data set's scenes: the paper's table"
    ),
    'explain': Command('cli.explain', 'figures of the paper, made of a model and its frames'),
    'benchmark': Command('cli.benchmark', 'how long an answer takes here, by every engine'),
    'export': Command('cli.export', 'a model as ONNX or OpenVINO IR, compared with what it was'),
    'simulate': Command('cli.simulate', 'render a world with known truth to recordings'),
    'simulate-rooms': Command(
        'cli.simulate_rooms', 'render many rooms by a camera in a hand, to learn relative poses'
    ),
    'demo': Command('cli.demo', 'simulate, train, start the node, replay an unseen lap, measure'),
    'rehearse': Command(
        'cli.rehearse',
        'simulate thousands of kidnappings of the recovery logic: right, late, wrong',
    ),
    'drill': Command(
        'cli.drill', 'kidnap a simulated robot over DDS, and count how the node recovers'
    ),
    'relocalize': Command('nodes.relocalize', 'the node: images in, poses out'),
    'replay': Command('nodes.replay', 'publish a recording over DDS at its own pace'),
    'record': Command('nodes.record', 'write a pose topic to a TUM file, with its latency'),
}


# What goes on where it was, given once more.
_RESUMED = (
    'train',
    'train-relative',
    'label',
    'import',
    'benchmark-scenes',
    'explain',
    'simulate-rooms',
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a user's error is one line and code 2."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ('-h', '--help', '--version') or argv[0] not in COMMANDS:
        return _overview(argv)
    # Threads of torch that wait by spinning starve beside any busy neighbour, be it Nav2 or a
    # second training: measured 7 times slower. Read once, when torch is imported.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    # What NumPy multiplies is small, and its threads spin, too: on two cores one of them makes all
    # else half as fast.
    os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
    name = argv[0]
    command = importlib.import_module(f'posenet_ros.{COMMANDS[name].module}')
    parser = argparse.ArgumentParser(
        prog=f'posenet_ros {name}',
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    arguments = argv[1:]
    if COMMANDS[name].module.startswith('nodes.'):
        arguments, ros_arguments = _ros_arguments_apart(arguments)
        parser.set_defaults(ros_arguments=ros_arguments)
    try:
        return command.run(parser.parse_args(arguments)) or 0
    except PosenetError as error:
        return _fail(name, str(error))
    except KeyboardInterrupt as stopped:
        again = 'run the same command again to continue' if name in _RESUMED else ''
        hint = str(stopped) or again
        print(f'\nposenet_ros {name}: interrupted{"; " if hint else ""}{hint}', file=sys.stderr)
        return EXIT_INTERRUPTED
    except OSError as error:
        if error.errno not in _USERS_OSERRORS:
            raise
        where = f' ({error.filename})' if error.filename else ''
        return _fail(name, f'{_USERS_OSERRORS[error.errno]}{where}')


def _ros_arguments_apart(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split off what is ROS 2's own: from --ros-args to the end, or to a lone --."""
    if '--ros-args' not in arguments:
        return arguments, []
    start = arguments.index('--ros-args')
    own, ros = arguments[:start], arguments[start:]
    end = ros.index('--') + 1 if '--' in ros else len(ros)
    return own + ros[end:], ros[:end]


_USERS_OSERRORS = {
    errno.ENOSPC: 'the disk is full; free some room and run the same command again to continue',
    errno.EDQUOT: 'the disk quota is used up; free some room and run the same command again',
    errno.EACCES: 'permission denied; choose another --output or mend the permissions',
    errno.EROFS: 'the file system is read-only; choose another --output',
    errno.ENOENT: 'no such file or folder, or none can be made there',
    errno.ENOTDIR: 'no file can be in another file; choose another path',
    errno.ENAMETOOLONG: 'the name is too long; choose another',
}


def _fail(name: str, message: str) -> int:
    print(f'posenet_ros {name}: {" ".join(message.split())}', file=sys.stderr)
    return EXIT_USER_ERROR


def _overview(argv: Sequence[str]) -> int:
    width = max(map(len, COMMANDS)) + 2
    lines = [f'  {name:<{width}}{command.summary}' for name, command in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog='posenet_ros',
        usage='posenet_ros COMMAND [options]; posenet_ros COMMAND --help',
        description='Find where a camera is, from one image.\n\ncommands:\n' + '\n'.join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=__version__)
    parser.add_argument('command', choices=COMMANDS, metavar='COMMAND', help=argparse.SUPPRESS)
    parser.parse_args(argv)
    return 0


if __name__ == '__main__':
    sys.exit(main())
