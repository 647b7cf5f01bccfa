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

"""Poses, cameras, trajectories and fits between them, on NumPy and SciPy alone."""

from posenet_ros.geometry.alignment import fit_similarity, Sim3
from posenet_ros.geometry.averaging import mean_and_spread, mean_pose
from posenet_ros.geometry.camera import Camera
from posenet_ros.geometry.pose import (
    check_unit,
    Pose,
    Quaternion,
    rotation_from_columns,
    rotation_from_parts,
)
from posenet_ros.geometry.rays import rays_of
from posenet_ros.geometry.trajectory import associate, NS_PER_S, Trajectory
from posenet_ros.geometry.tum import read_tum, seconds_text, write_tum
from posenet_ros.geometry.uncertainty import (
    check_covariance,
    covariance_at_lever,
    covariance_in_axes,
    covariance_of,
    pose_error,
)

__all__ = [
    'Camera',
    'NS_PER_S',
    'Pose',
    'Quaternion',
    'Sim3',
    'Trajectory',
    'associate',
    'check_covariance',
    'check_unit',
    'covariance_at_lever',
    'covariance_in_axes',
    'covariance_of',
    'fit_similarity',
    'mean_and_spread',
    'mean_pose',
    'pose_error',
    'rays_of',
    'read_tum',
    'rotation_from_columns',
    'rotation_from_parts',
    'seconds_text',
    'write_tum',
]
