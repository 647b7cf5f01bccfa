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
Decide what a robot may act on: agreement over frames, kidnap detection, the reset (no ROS).

`Watch` is all of it together, and each part can be used on its own.
"""

from posenet_ros.recovery.amcl import acceptable_covariance, initial_pose, objections
from posenet_ros.recovery.attempt import Attempt, Outcome
from posenet_ros.recovery.belief import Belief, Difference, difference
from posenet_ros.recovery.consensus import Consensus, ConsensusOptions
from posenet_ros.recovery.decisions import (
    Advise,
    Decision,
    GiveUp,
    Mode,
    Recovered,
    RequestNoMotionUpdate,
    SendInitialPose,
    Stage,
)
from posenet_ros.recovery.demands import ResetOptions
from posenet_ros.recovery.drift import Drift, Reading
from posenet_ros.recovery.fix import Fix, Lack, NoFix
from posenet_ros.recovery.kidnap import (
    Evidence,
    KidnapMonitor,
    KidnapOptions,
    State,
    Status,
)
from posenet_ros.recovery.observation import Kind, Observation
from posenet_ros.recovery.odometry import Missing, OdometryBuffer, OdometryOptions
from posenet_ros.recovery.planar import flattened, planar_part, PlanarLimits
from posenet_ros.recovery.reset import Recovery
from posenet_ros.recovery.smoothing import map_from_odom, Smoother, SmoothingOptions
from posenet_ros.recovery.views import count_views, ViewOptions
from posenet_ros.recovery.watch import Report, Watch, WatchOptions

__all__ = [
    'Advise',
    'Attempt',
    'Belief',
    'Consensus',
    'ConsensusOptions',
    'Decision',
    'Difference',
    'Drift',
    'Evidence',
    'Fix',
    'GiveUp',
    'KidnapMonitor',
    'KidnapOptions',
    'Kind',
    'Lack',
    'Missing',
    'Mode',
    'NoFix',
    'Observation',
    'OdometryBuffer',
    'OdometryOptions',
    'Outcome',
    'PlanarLimits',
    'Reading',
    'Recovered',
    'Recovery',
    'Report',
    'RequestNoMotionUpdate',
    'ResetOptions',
    'SendInitialPose',
    'Smoother',
    'SmoothingOptions',
    'Stage',
    'State',
    'Status',
    'ViewOptions',
    'Watch',
    'WatchOptions',
    'acceptable_covariance',
    'count_views',
    'difference',
    'flattened',
    'initial_pose',
    'map_from_odom',
    'objections',
    'planar_part',
]
