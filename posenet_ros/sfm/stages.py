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

"""The stages of a reconstruction that run in a child process, by name (see `process`)."""

from __future__ import annotations

from posenet_ros.sfm.features import extract
from posenet_ros.sfm.mapping import reconstruct
from posenet_ros.sfm.matching import match
from posenet_ros.sfm.parting import part
from posenet_ros.sfm.placing import place
from posenet_ros.sfm.points import read_points
from posenet_ros.sfm.poses import read_poses
from posenet_ros.sfm.seen import read_seen
from posenet_ros.sfm.triangulating import triangulate

STAGES = {
    'features': extract,
    'matching': match,
    'mapping': reconstruct,
    'parting': part,
    'placing': place,
    'points': read_points,
    'poses': read_poses,
    'seen': read_seen,
    'triangulating': triangulate,
}
