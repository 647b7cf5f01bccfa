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
A stand-in for the node under test, which knows the truth and behaves by a script.

    python scripted_node.py MODE WORDS...

`good` resets a localizer that is lost, `foreign` answers as if it were elsewhere, and `dies`
ends itself after some images.
"""

from __future__ import annotations

import importlib
import sys

from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
import numpy as np
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.nodes.conversions import (
    pose_from_message,
    pose_stamped,
    pose_with_covariance,
    stamp_ns,
    transform_parts,
)
from posenet_ros.nodes.process import run_node, stops_on_signals
from posenet_ros.nodes.transforms import tf_qos
from posenet_ros.recovery.rehearsal.floor import Spot
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import String

# How long the localizer has to be lost, longer than a robot is in the air; and between resets.
LOST_S, AGAIN_S = 4.5, 1.0


class Scripted(Node):
    """Says what the mode has it say."""

    def __init__(self, mode: str) -> None:
        super().__init__('posenet')
        self.mode = mode
        self.images = 0
        self.truth: PoseStamped | None = None
        self.edges: dict[str, Spot] = {}
        self.fine_s = self.sent_s = 0.0
        self.state = ''
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.poses = self.create_publisher(PoseStamped, '/posenet/pose', 10)
        self.states = self.create_publisher(String, '/posenet/state', latched)
        self.initial = self.create_publisher(PoseWithCovarianceStamped, 'initialpose', 1)
        self.create_subscription(PoseStamped, 'truth', self.on_truth, 10)
        tf_message = importlib.import_module('tf2_msgs.msg').TFMessage
        self.create_subscription(tf_message, '/tf', self.on_transforms, tf_qos())
        self.create_subscription(Image, 'image', self.on_image, qos_profile_sensor_data)

    def say(self, state: str) -> None:
        if state != self.state:
            self.states.publish(String(data=f'{state}: by the script'))
        self.state = state

    def on_transforms(self, message) -> None:
        for each in message.transforms:
            (x, y, z), quaternion = transform_parts(each.transform)
            pose = Pose.from_quaternion(
                **quaternion._asdict(), translation=[x, y, z], target='a', source='b'
            )
            self.edges[each.header.frame_id] = Spot.of(pose)

    def on_image(self, message: Image) -> None:
        self.images += 1
        if self.mode == 'dies' and self.images > 10:
            print('a defect of the script', flush=True)
            raise SystemExit(3)
        if self.truth is not None:
            pose = pose_from_message(self.truth.pose, target='map', source='base')
            if self.mode == 'foreign':
                pose = Pose(pose.rotation, pose.translation + [3.0, 0, 0], 'map', 'base')
            self.poses.publish(pose_stamped(pose, message.header.stamp, 'map'))

    def on_truth(self, message: PoseStamped) -> None:
        self.truth = message
        now_s = stamp_ns(message.header.stamp) / NS_PER_S
        truth = Spot.of(pose_from_message(message.pose, target='map', source='base'))
        lost = not {'map', 'odom'} <= set(self.edges) or (
            (self.edges['map'] @ self.edges['odom']).off(truth)[0] > 0.5
        )
        if not lost:
            self.fine_s = now_s
            self.say('tracking')
        elif now_s - self.fine_s > LOST_S and now_s - self.sent_s > AGAIN_S:
            self.say('kidnapped')
            self.sent_s = now_s
            self.send(truth, message.header.stamp)

    def send(self, truth: Spot, stamp) -> None:
        pose = truth.pose('map', 'base')
        self.initial.publish(pose_with_covariance(pose, np.eye(6) * 0.01, stamp, 'map'))
        self.say('recovering')

    def close(self) -> bool:
        return True


if __name__ == '__main__':
    with stops_on_signals() as stops:
        run_node(lambda fail: Scripted(sys.argv[1]), [], stops)
