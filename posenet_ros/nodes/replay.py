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
Publish a recording over DDS at its own pace, where `ros2 bag play` is missing.

Every topic is offered as it was recorded: best effort or reliable, latched or not. What comes
after --ros-args goes to ROS 2, for instance -r /camera/image_raw:=/image.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
import sys
import time
from typing import TYPE_CHECKING

from posenet_ros.errors import BagError, ConfigError
from posenet_ros.nodes.process import ros_context

if TYPE_CHECKING:
    from posenet_ros.data.bags import Recording

_SUBSCRIBERS_TIMEOUT_S = 120.0
_ACKNOWLEDGED_TIMEOUT_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes besides ROS arguments."""
    parser.add_argument(
        '--bag', type=Path, required=True, help='rosbag2 folder or file, or a ROS 1 .bag'
    )
    parser.add_argument(
        '--topics', nargs='+', metavar='TOPIC', help='only these topics (default: all)'
    )
    parser.add_argument(
        '--rate', type=float, default=1.0, help='how many times as fast (default: %(default)s)'
    )
    parser.add_argument('--loop', action='store_true', help='start again at the end')
    parser.add_argument(
        '--clock', action='store_true', help='publish the time of recording on /clock'
    )
    parser.add_argument(
        '--wait-for-subscribers',
        type=int,
        default=0,
        metavar='N',
        help='start when every image topic that is replayed has N subscribers, or every topic '
        'where no images are (--topics names fewer); give up after two minutes',
    )


def run(args: argparse.Namespace) -> None:
    """Replay until the end, or without one with --loop."""
    if not 0.001 <= args.rate <= 1000:
        raise ConfigError(f'--rate {args.rate} is not between 0.001 and 1000')
    from posenet_ros.data.bags import Recording

    with Recording(args.bag) as recording:
        topics = _chosen(args.topics, recording.topics)
        with ros_context(args.ros_arguments):
            _replay(args, recording, topics)


def _chosen(asked: Sequence[str] | None, present: dict[str, str]) -> list[str]:
    if not asked:
        return sorted(present)
    for topic in asked:
        if topic not in present:
            known = ', '.join(sorted(present))
            raise BagError(f'the recording has no topic {topic}; its topics: {known}')
    return sorted(asked)


def _replay(args: argparse.Namespace, recording: Recording, topics: Sequence[str]) -> None:
    from posenet_ros.data.topics import IMAGES, of_types
    from posenet_ros.nodes.player import Player
    import rclpy
    from tqdm import tqdm

    node = rclpy.create_node('posenet_replay')
    player = Player(node, recording, topics, clock=args.clock)
    for topic, kind in player.left_out.items():
        print(f'left out {topic}: {kind} is not installed', file=sys.stderr)
    if args.wait_for_subscribers > 0:
        images = set(of_types(recording.topics, *IMAGES))
        awaited = [topic for topic in player.topics if topic in images] or player.topics
        names = ', '.join(map(player.name_of, awaited))
        print(f'waiting for {args.wait_for_subscribers} subscribers of {names}', file=sys.stderr)
        player.wait_for_subscribers(args.wait_for_subscribers, awaited, _SUBSCRIBERS_TIMEOUT_S)
    started, sent = time.monotonic(), 0
    total = None if args.loop else player.message_count
    with tqdm(total=total, unit='message', desc='replay', mininterval=0.5) as progress:
        while True:
            for _ in player.play(args.rate):
                sent += 1
                progress.update()
            if not args.loop:
                break
    player.finish(_ACKNOWLEDGED_TIMEOUT_S)
    node.destroy_node()
    took_s = time.monotonic() - started
    print(f'replayed {sent} messages of {len(player.topics)} topics in {took_s:.1f} s')
