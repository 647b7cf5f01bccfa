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

"""Whether the map of the model is the running localizer's, or where in that it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
import time
from typing import Any

from nav_msgs.msg import OccupancyGrid as GridMessage
from posenet_ros.data.grids import grid_from_message
from posenet_ros.errors import BagError, ConfigError
from posenet_ros.geometry import Pose
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from scipy.spatial.transform import Rotation


def read_map_from_model(text: str) -> Pose | None:
    """
    Read `x y z roll pitch yaw` in metres and radians, turned about fixed axes; None where empty.

    Raises ConfigError for anything else.
    """
    if not text.strip():
        return None
    try:
        x, y, z, *turns = map(float, text.replace(',', ' ').split())
        roll, pitch, yaw = turns
    except ValueError:
        raise ConfigError('must be six numbers, x y z roll pitch yaw, in m and rad') from None
    if not all(map(math.isfinite, (x, y, z, roll, pitch, yaw))):
        raise ConfigError('must be finite numbers')
    return Pose(Rotation.from_euler('xyz', [roll, pitch, yaw]), [x, y, z], 'map', 'model')


@dataclass(frozen=True)
class MapRelation:
    """
    How poses of a model become poses in the localizer's map.

    `same_map` is False where nobody knows whether they are, and then `doubt` says why. `trained`
    tells which map it was (see OccupancyGrid.identity), where that was recorded.
    """

    same_map: bool
    doubt: str = ''
    trained: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, card: Any, map_from_model: Pose | None) -> MapRelation:
        """Return what a model's card tells, and who runs it."""
        if not card.metric:
            return cls(False, 'the model has no metres: its labels had no reference for them')
        if map_from_model is not None:
            return cls(True)
        origin = card.training.get('poses') or {}
        if not origin.get('frame'):
            return cls(
                False,
                "the model's map is its own: train on labels made with --reference tf:map, or set "
                'map_from_model',
            )
        return cls(True, trained=origin.get('localizer_map'))


class ServedMap:
    """
    Listens to the map that is served at present, and compares it with the one of training.

    A localizer that was given another map since is in other coordinates under the same name.
    """

    def __init__(self, node: LifecycleNode) -> None:
        """Take the node to subscribe with."""
        self._node = node
        self._trained: Mapping[str, Any] = {}
        self._subscription: Subscription | None = None
        self._waiting_since_ns: int | None = None
        self.other = ''

    def expect(self, trained: Mapping[str, Any] | None) -> None:
        """Compare with this map from now on; nothing is compared where it is not known."""
        self.close()
        if not trained:
            return
        self._trained = trained
        self._waiting_since_ns = time.monotonic_ns()
        latched = QoSProfile(
            depth=1,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL,
        )
        self._subscription = self._node.create_subscription(
            GridMessage,
            'map',
            self._compare,
            latched,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def close(self) -> None:
        """Listen no more."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription, self.other = None, ''
        self._waiting_since_ns = None

    def silent_for(self, patience_ns: int) -> bool:
        """Tell whether a map is waited for since longer than that."""
        since_ns = self._waiting_since_ns
        return since_ns is not None and time.monotonic_ns() - since_ns > patience_ns

    def _compare(self, message: GridMessage) -> None:
        self._waiting_since_ns = None
        try:
            served = grid_from_message('map', message, frame=message.header.frame_id).identity
        except BagError as error:
            self.other = str(error)
            return
        same = served['sha256'] == self._trained.get('sha256')
        told = [
            f'{each.get("width")} x {each.get("height")} cells, origin {each.get("origin")}'
            for each in (served, self._trained)
        ]
        self.other = (
            ''
            if same
            else (
                f'the map that is served ({told[0]}) is not the one that the model was trained in '
                f'({told[1]}): train anew, or set map_from_model'
            )
        )
