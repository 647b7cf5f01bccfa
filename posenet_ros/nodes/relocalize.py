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
Run the ROS 2 node: images in, poses out.

Every image is answered on ~/pose; where the model has a map of landmarks, what that confirms is
on ~/verified_pose too (-p refine:=off does without).

Everything after --ros-args goes to ROS 2, as with any node: --ros-args -r image:=/camera/image_raw
-p publish_tf:=none --params-file FILE. Ctrl-C and SIGTERM end it with exit code 0.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from posenet_ros.nodes.process import run_node, stops_on_signals

if TYPE_CHECKING:
    from posenet_ros.nodes.relocalize_node import RelocalizeNode

# How long a thread that has an image waits for another to give the interpreter up. The usual 5 ms
# are longer than all that is done to an image besides the network.
_SWITCH_INTERVAL_S = 2e-4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes besides ROS arguments."""
    parser.add_argument(
        '--model',
        type=Path,
        metavar='DIR',
        help='model folder, or the run that holds it; the same as the parameter model',
    )


def run(args: argparse.Namespace) -> None:
    """Run the node until it is stopped."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # Signals first: what comes next imports for a while.
    with stops_on_signals() as stops:
        run_node(lambda fail: _make_node(args, fail), args.ros_arguments, stops)


def _make_node(
    args: argparse.Namespace, fail: Callable[[BaseException | None], None]
) -> RelocalizeNode:
    from posenet_ros.nodes.relocalize_node import RelocalizeNode
    from rclpy.parameter import Parameter

    overrides = []
    if args.model is not None:
        path = str(args.model.expanduser().resolve())
        overrides.append(Parameter('model', value=path))
    return RelocalizeNode(fail=fail, overrides=overrides)
