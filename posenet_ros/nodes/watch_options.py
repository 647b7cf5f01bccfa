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

"""The options of recovery as the node's parameters have them."""

from __future__ import annotations

from posenet_ros.nodes.parameters import Parameters
from posenet_ros.recovery import (
    KidnapOptions,
    PlanarLimits,
    ResetOptions,
    SmoothingOptions,
    WatchOptions,
)


def watch_options(settings: Parameters) -> WatchOptions:
    """Return what is asked of fixes, of a kidnapping and of a reset."""
    unverified = settings['unverified_resets']
    distance, angle = settings['kidnap_distance'], settings['kidnap_angle']
    usual, demanded = KidnapOptions(), ResetOptions()
    return WatchOptions(
        planar=PlanarLimits() if settings['planar'] else None,
        kidnap=KidnapOptions(
            differ_m=distance,
            differ_rad=angle,
            # Between agreeing and differing there has to be a space.
            agree_m=min(usual.agree_m, distance / 2),
            agree_rad=min(usual.agree_rad, angle / 2),
            regressed=unverified,
        ),
        reset=ResetOptions(
            regressed=unverified,
            attempts=settings['reset_attempts'],
            # What counts as there must not count as kidnapped.
            near_m=min(demanded.near_m, distance / 2),
            near_rad=min(demanded.near_rad, angle / 2),
        ),
    )


def smoothing_options(settings: Parameters) -> SmoothingOptions:
    """Return how fast map -> odom may follow; the parameters may change at any time."""
    return SmoothingOptions(
        on=settings['smoothing'],
        m_per_s=settings['smoothing_speed'],
        rad_per_s=settings['smoothing_turn'],
    )
