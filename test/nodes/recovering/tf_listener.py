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

"""Another process: what it hears of a fix and of map -> odom, compared; ends on SIGINT."""

from __future__ import annotations

import json
from pathlib import Path
import sys

from geometry_msgs.msg import PoseWithCovarianceStamped
from posenet_ros.errors import TransformError
from posenet_ros.geometry import Pose
from posenet_ros.nodes.conversions import pose_from_message, stamp_ns
from posenet_ros.nodes.process import run_node, stops_on_signals
from posenet_ros.nodes.transform_buffer import Sample, TransformBuffer
from posenet_ros.nodes.transforms import tf_qos
from rclpy.node import Node
from tf2_msgs.msg import TFMessage

ENOUGH = 8


class Listener(Node):
    """
    Compares each fix with map -> odom until the next, by odometry at the stamp of the fix.

    Topics overtake each other, so that the nearest of those is what is told.
    """

    def __init__(self) -> None:
        super().__init__('listener')
        self.fixes: list[tuple[int, Pose]] = []
        # Those that came when there was a transform to compare them with.
        self.since = 0
        self.odometry = TransformBuffer(kept_s=60.0)
        self.map_from_odom: list[Pose] = []
        self.create_subscription(TFMessage, '/tf', self._hear, tf_qos())
        self.create_subscription(PoseWithCovarianceStamped, '/posenet/fix', self._take, 10)
        print('listening', flush=True)

    def _take(self, message: PoseWithCovarianceStamped) -> None:
        pose = pose_from_message(message.pose.pose, target='map', source='base_link')
        self.fixes.append((stamp_ns(message.header.stamp), pose))
        self.since += bool(self.map_from_odom)
        if self.since == ENOUGH:
            print('enough', flush=True)

    def _hear(self, message: TFMessage) -> None:
        for transform in message.transforms:
            if transform.child_frame_id == 'base_link':
                self.odometry.put(transform, static=False)
            elif transform.child_frame_id == 'odom':
                self.map_from_odom.append(Sample.from_message(transform).pose)

    def compared(self) -> list[dict]:
        """Return, for each fix since there was a transform, how far the nearest has the robot."""
        told = []
        for at_ns, fix in self.fixes:
            try:
                odom_from_base = self.odometry.look_up('odom', 'base_link', at_ns)
            except TransformError:
                # From before this process heard of odometry.
                continue
            apart = [(each @ odom_from_base).distance(fix) for each in self.map_from_odom]
            told.append(min(apart))
        return told

    def close(self) -> bool:
        return True


def main() -> None:
    with stops_on_signals() as stops:
        node = run_node(lambda fail: Listener(), [], stops)
    last = node.map_from_odom[-1].matrix().tolist()
    heard = {'compared': node.compared(), 'map_from_odom': last}
    Path(sys.argv[1]).write_text(json.dumps(heard))


if __name__ == '__main__':
    main()
