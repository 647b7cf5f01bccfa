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
What was published for the scenes that everybody measures on: medians in metres and degrees.

The degrees of the PoseNet paper are twice those that it prints: its authors first took the angle
between two quaternions, which is half that between two rotations, and corrected it later. So it
is with those of its nearest neighbour and of its dense evaluation.
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """Medians (m, deg) of a scene, None where a paper has none."""

    nearest: tuple[float, float] | None
    posenet_2015: tuple[float, float] | None
    dense_2015: tuple[float, float] | None
    posenet_2017: tuple[float, float] | None


# Kendall, Grimes, Cipolla, ICCV 2015 (figure 6), and Kendall, Cipolla, CVPR 2017.
PUBLISHED = {
    'kingscollege': Published((3.34, 5.92), (1.92, 5.4), (1.66, 4.86), (0.88, 1)),
    'street': Published((1.95, 9.02), (3.67, 6.5), (2.96, 6), None),
    'oldhospital': Published((5.38, 9.02), (2.31, 5.38), (2.62, 4.9), (3.20, 3.3)),
    'shopfacade': Published((2.10, 10.4), (1.46, 8.08), (1.41, 7.18), (0.88, 3.8)),
    'stmaryschurch': Published((4.48, 11.3), (2.65, 8.48), (2.45, 7.96), (1.57, 3.3)),
    'chess': Published((0.41, 11.2), (0.32, 8.12), (0.32, 6.6), (0.13, 4.48)),
    'fire': Published((0.54, 15.54), (0.47, 14.66), (0.47, 14.04), (0.27, 11.3)),
    'heads': Published((0.28, 14), (0.29, 12), (0.30, 12.18), (0.17, 13)),
    'office': Published((0.49, 12.04), (0.48, 7.68), (0.48, 7.24), (0.19, 5.55)),
    'pumpkin': Published((0.58, 12.16), (0.47, 8.42), (0.49, 8.12), (0.26, 4.75)),
    'redkitchen': Published((0.58, 11.3), (0.59, 8.64), (0.58, 8.34), (0.23, 5.35)),
    'stairs': Published((0.56, 15.42), (0.47, 13.86), (0.48, 13.08), (0.35, 12.4)),
}


def published(scene: str) -> Published:
    """Return what was published for a scene by its folder's name, however that is written."""
    key = ''.join(letter for letter in scene.lower() if letter.isalpha())
    return PUBLISHED.get(key, Published(None, None, None, None))
