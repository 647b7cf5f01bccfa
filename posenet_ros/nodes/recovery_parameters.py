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

"""The parameters of recovery: what it may do, to which robot, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posenet_ros.errors import ConfigError
from posenet_ros.nodes.map_relation import read_map_from_model
from posenet_ros.nodes.specification import frame, Specification


def _relation(value: Any) -> str:
    try:
        read_map_from_model(value)
    except ConfigError as error:
        return str(error)
    return ''


RECOVERY_PARAMETERS: Mapping[str, Specification] = {
    'recovery': Specification(
        'advise',
        'What is done about a robot that was carried away: off does nothing; advise logs what act '
        'would do; act sets the running localizer to the fix, on initialpose.',
        choices=('off', 'advise', 'act'),
        spellings={False: 'off'},
        live=True,
    ),
    'odom_frame': Specification(
        'odom',
        'Frame of odometry, above base_frame on /tf.',
        check=frame,
        takes='a frame',
    ),
    'planar': Specification(
        True,
        'The robot keeps to a floor: fixes are x, y and yaw, and refused where they are tilted or '
        'off the floor. False for what flies, or drives on slopes.',
    ),
    'map_from_model': Specification(
        '',
        "Where the map of the model lies in the localizer's: x y z roll pitch yaw in m and rad. "
        'Zeros say that the two are the same; empty, that they are if the labels were made with '
        '--reference tf:map.',
        check=_relation,
        takes='six numbers, or empty',
    ),
    'smoothing': Specification(
        True,
        'With publish_tf: odom, whether map -> odom follows fixes by bounded steps; false goes to '
        'each at once.',
        live=True,
    ),
    'smoothing_speed': Specification(
        0.2,
        'At most so many metres a second is the robot moved on the map by smoothing.',
        limits=(0.01, 10.0),
        live=True,
    ),
    'smoothing_turn': Specification(
        0.17,
        'At most so many radians a second is the robot turned on the map by smoothing.',
        limits=(0.01, 10.0),
        live=True,
    ),
    'transform_tolerance': Specification(
        0.2,
        'Seconds by which map -> odom is dated ahead, so that who looks up the present finds it.',
        limits=(0.0, 10.0),
        live=True,
    ),
    'relocalize_timeout': Specification(
        15.0,
        'Seconds after which ~/relocalize is answered that there is no fix, and why.',
        limits=(0.5, 600.0),
        live=True,
    ),
    'reset_attempts': Specification(
        4,
        'How often a localizer is set to a fix that it does not take, before recovery gives up.',
        limits=(1, 100),
    ),
    'kidnap_distance': Specification(
        0.6,
        'Metres between fix and localizer from which on they disagree.',
        limits=(0.1, 100.0),
    ),
    'kidnap_angle': Specification(
        0.35,
        'Radians between fix and localizer from which on they disagree.',
        limits=(0.05, 3.0),
    ),
    'unverified_resets': Specification(
        False,
        'Whether poses that no points of the map confirm may reset a localizer. They cannot tell '
        'places that look alike.',
    ),
    'offer_global_localization': Specification(
        False,
        "Offer reinitialize_global_localization, for Nav2's behaviour trees, unless somebody else "
        'does.',
        live=True,
    ),
}
