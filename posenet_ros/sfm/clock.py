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

"""How far the clocks of the camera and of the odometry are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Trajectory
from posenet_ros.sfm.motions import motions, Windows, windows

_USUAL_RANGE_S = 0.5
_RANGE_S = 2.0
_COARSE_S = 0.02
_FINE_S = 0.004
# Turns of single frames are compared; what differs by more than this is simply wrong.
_CAP_RAD = np.radians(8.0)
# A shift must explain the turns this much better than none before it is believed.
_CLEARLY_BETTER = 0.8


def clock_offset(camera: Trajectory, reference: Trajectory) -> float:
    """
    Return the seconds to add to the camera's stamps to have the reference's.

    Found by comparing how fast both turn, since turns need neither scale nor a common world;
    zero where another value does not explain the turns clearly better, as on a straight path.
    """
    pairs = windows(camera.stamps_ns, [1e-3])
    found, cost = 0.0, _disagreement(camera, reference, pairs, 0.0)
    # Far offsets only where near ones explain nothing: a robot that sways repeats itself.
    for widest_s in (_USUAL_RANGE_S, _RANGE_S):
        coarse = np.arange(-widest_s, widest_s + _COARSE_S / 2, _COARSE_S)
        costs = [_disagreement(camera, reference, pairs, shift) for shift in coarse]
        best = float(coarse[int(np.argmin(costs))])
        if abs(best) > widest_s - _COARSE_S / 2:
            # The least of what was tried, and not the least there is.
            continue
        fine = best + np.arange(-_COARSE_S, _COARSE_S + _FINE_S / 2, _FINE_S)
        fine_costs = [_disagreement(camera, reference, pairs, shift) for shift in fine]
        if min(fine_costs) < _CLEARLY_BETTER * cost:
            found, cost = float(fine[int(np.argmin(fine_costs))]), min(fine_costs)
    return found


def covered(
    camera_ns: NDArray[np.int64], reference: Trajectory, offset_s: float
) -> NDArray[np.bool_]:
    """Tell for which of the camera's stamps the reference knows the pose."""
    shifted = camera_ns + round(offset_s * NS_PER_S)
    return reference.covers(shifted, max_gap_ns=reference.usual_gap_ns)


def reference_at(
    camera_ns: NDArray[np.int64], reference: Trajectory, offset_s: float
) -> Trajectory:
    """Return the reference at the camera's stamps, which it must cover, with these stamps."""
    found = reference.at(camera_ns + round(offset_s * NS_PER_S))
    return Trajectory(
        camera_ns, found.rotations, found.translations, reference.target, reference.source
    )


def _disagreement(
    camera: Trajectory, reference: Trajectory, pairs: Windows, offset_s: float
) -> float:
    """Return the mean difference of turns, capped, in radians; infinite where few are covered."""
    known = covered(camera.stamps_ns, reference, offset_s)
    usable = known[pairs.first] & known[pairs.last]
    if usable.sum() < max(5, len(pairs) // 3):
        return float('inf')
    index = np.cumsum(known) - 1
    chosen = pairs.select(usable)
    within = Windows(index[chosen.first], index[chosen.first], index[chosen.last])
    seen = motions(camera.select(known), within)
    told = motions(reference_at(camera.stamps_ns[known], reference, offset_s), within)
    difference = (seen.rotations.inv() * told.rotations).as_rotvec()
    # A heading that drifts evenly is no matter of time.
    difference -= np.median(difference, axis=0)
    return float(np.minimum(np.linalg.norm(difference, axis=1), _CAP_RAD).mean())
