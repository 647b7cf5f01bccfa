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

"""Position and rotation of several neighbours, or why there is no pose."""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError
from posenet_ros.fusion.neighbours import Neighbours, pose_at
from posenet_ros.fusion.position import locate, PositionOptions
from posenet_ros.fusion.rotations import weighed_rotation
from posenet_ros.fusion.weights import confirmed
from posenet_ros.geometry import Pose

# Of a rotation whose errors about three axes are normal, 99 % are within so many deviations.
_FAR_TURNED = 3.37


@dataclass(frozen=True)
class FusionOptions:
    """
    What makes a pose of relative ones.

    Rotations agree within `rotation_within_rad`, and those of neighbours that tell how sure they
    are within 3.4 deviations. As many neighbours as must agree on the position must agree on
    both.
    """

    position: PositionOptions = field(default_factory=PositionOptions)
    rotation_within_rad: float = math.radians(20)

    def __post_init__(self) -> None:
        """Refuse an angle at which all rotations agree."""
        if not 0 < self.rotation_within_rad <= math.pi / 2:
            raise ConfigError(f'rotations agree within 90 deg, not {self.rotation_within_rad} rad')


class Fused(NamedTuple):
    """
    The pose `map_from_camera` with its covariance (6, 6), or the reasons why there is none.

    `agree_N` are the neighbours on which the position rests, and `turned_N` those on which the
    rotation does. `guess` is the best that can be said in any case, or the pose that the most
    similar camera has: where to look, nothing to act on; None where no neighbour is usable.
    """

    map_from_camera: Pose | None
    covariance: NDArray[np.float64] | None
    agree_N: NDArray[np.bool_]
    turned_N: NDArray[np.bool_]
    reasons: tuple[str, ...]
    guess: Pose | None


def fuse(neighbours: Neighbours, options: FusionOptions | None = None) -> Fused:
    """
    Return the pose that enough neighbours agree on.

    Defined for any input. No neighbours, or none with finite numbers: no pose and no guess. Two
    of them, where `least` is two: the pose from two rays, which nothing checks. Rays that may as
    well be parallel, as those from about one place or along one line: no pose unless distances
    are told, since the position is open along them. Neighbours that are given twice count twice:
    whoever chooses them should not.

    None is taken to be much surer than as many others as must agree. The rotation is as unsure as
    one neighbour's: what one network says of one image is wrong in the same way for all of them.
    """
    options = options or FusionOptions()
    usable = np.flatnonzero(neighbours.usable_N)
    position = locate(neighbours, options.position)
    told_n = confirmed(neighbours.deviations_N3[usable, 2], options.position.least)
    tells_n = np.isfinite(told_n)
    deviations_n = np.where(tells_n, told_n, options.position.noise.rotation_rad)
    within_n = np.where(tells_n, _FAR_TURNED * told_n, options.rotation_within_rad)
    turned = weighed_rotation(neighbours.rotations_N33[usable], deviations_n, within_n)
    turned_N = np.zeros(len(neighbours), dtype=bool)
    if turned is None:
        return Fused(None, None, position.agree_N, turned_N, (position.reason,), None)
    turned_N[usable[turned.agree_N]] = True
    reasons = (position.reason,) if position.reason else ()
    both, least = int((turned_N & position.agree_N).sum()), options.position.enough(len(usable))
    if not reasons and both < least:
        reasons = (f'{both} of {len(usable)} neighbours agree on both, and {least} must',)
    guess_3 = neighbours.centres_N3[usable[0]] if position.guess_3 is None else position.guess_3
    guess = pose_at(guess_3, turned.rotation_33)
    if reasons or position.covariance_33 is None:
        return Fused(None, None, position.agree_N, turned_N, reasons, guess)
    # The spread is of all three axes together.
    one = math.sqrt(1 / float(np.mean(deviations_n[turned.agree_N] ** -2.0)))
    sigma = max(one, turned.spread_rad / math.sqrt(3))
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = position.covariance_33
    covariance[3:, 3:] = np.eye(3) * sigma**2
    return Fused(guess, covariance, position.agree_N, turned_N, (), guess)
