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
One pose of several: known cameras, where each has another one, and what all of them say together.

NumPy and SciPy alone. `fuse` is ours, `fuse_as_published` that of Laskar, Melekhov, Kalia and
Kannala (Camera Relocalization by Computing Pairwise Relative Poses Using CNN, 2017).
"""

from posenet_ros.fusion.fuse import fuse, Fused, FusionOptions
from posenet_ros.fusion.neighbours import Neighbours
from posenet_ros.fusion.position import Position, PositionOptions
from posenet_ros.fusion.published import fuse_as_published
from posenet_ros.fusion.ways import Noise

__all__ = [
    'Fused',
    'FusionOptions',
    'Neighbours',
    'Noise',
    'Position',
    'PositionOptions',
    'fuse',
    'fuse_as_published',
]
