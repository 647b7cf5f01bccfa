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
Whether the camera moved as the reference says: the test of every label.

Structure from motion answers whatever it is given. Frames paired with wrong instants, or a
camera that was not on this robot, show in motions over a second that do not agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Trajectory
from posenet_ros.sfm.motions import motions, Windows, windows
from scipy.spatial.transform import Rotation

DURATIONS_S = (0.5, 1.0)
# For a robot so slow that these show hardly any motion.
_SLOW_DURATIONS_S = (2.0, 4.0)
_ENOUGH_MOVED = 0.1
# Two motions agree when they differ by less than a fixed part and a share of the motion.
_METRES, _METRES_SHARE = 0.03, 0.3
_DEGREES, _DEGREES_SHARE, _DEGREES_PER_METRE, _MOST_DEGREES = 5.0, 0.1, 3.0, 20.0
# A heading that drifts evenly is odometry as it is; beyond this it is another motion.
_MOST_DRIFT = np.radians(15.0)
# Where neither moves more than this there is nothing to compare.
_MOVED_METRES, _MOVED_DEGREES = 0.05, 4.0

# How much the said mounting counts beside all motions.
_SAID_WEIGHT = 1e-3
_MOUNT_ROUNDS = 10
_MOUNT_NOISE = np.radians(3.0)


@dataclass(frozen=True, eq=False)
class Agreement:
    """
    How well motions in metres agree with the reference, over windows of about a second.

    `windows` of them moved enough to be compared, `share` of these agree; the medians are over
    these too. `drift` is how far the reference turns too much a metre, in radians (3,) about the
    axes of the camera; it is taken into account. `frames` (N,) is false for frames of which
    every compared window, two at least, disagrees.
    """

    windows: int
    share: float
    median_metres: float
    median_degrees: float
    drift: NDArray[np.float64]
    frames: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Differences:
    """
    How K motions differ from those of the reference, and by how much they may.

    `metres` and `degrees` (K,) are what is left when the reference's `drift` is taken away,
    `most_metres` and `most_degrees` the tolerances. `moved` tells which motions are large enough
    to be compared at all.
    """

    over: Windows
    metres: NDArray[np.float64]
    most_metres: NDArray[np.float64]
    degrees: NDArray[np.float64]
    most_degrees: NDArray[np.float64]
    moved: NDArray[np.bool_]
    drift: NDArray[np.float64]

    @property
    def agree(self) -> NDArray[np.bool_]:
        """Which motions (K,) are within both tolerances."""
        return (self.metres < self.most_metres) & (self.degrees < self.most_degrees)


def differences(camera: Trajectory, reference: Trajectory) -> Differences:
    """Return how two trajectories (N poses, same stamps, both in metres) move differently."""
    for durations_s in (DURATIONS_S, _SLOW_DURATIONS_S):
        over = windows(camera.stamps_ns, durations_s)
        seen, told = motions(camera, over), motions(reference, over)
        length = np.maximum(seen.lengths, told.lengths)
        degrees = np.degrees(np.maximum(seen.angles, told.angles))
        moved = (length > _MOVED_METRES) | (degrees > _MOVED_DEGREES)
        if moved.sum() > _ENOUGH_MOVED * len(moved):
            break
    turned_off = (seen.rotations.inv() * told.rotations).as_rotvec()
    drift = _drift(turned_off[moved], length[moved])
    return Differences(
        over=over,
        metres=np.linalg.norm(seen.steps - told.steps, axis=1),
        most_metres=_METRES + _METRES_SHARE * length,
        degrees=np.degrees(np.linalg.norm(turned_off - length[:, None] * drift, axis=1)),
        most_degrees=np.minimum(
            _DEGREES + _DEGREES_SHARE * degrees + _DEGREES_PER_METRE * length, _MOST_DEGREES
        ),
        moved=moved,
        drift=drift,
    )


def compare(camera: Trajectory, reference: Trajectory) -> Agreement:
    """Compare two trajectories (N poses, same stamps, both in metres) by their motions."""
    off = differences(camera, reference)
    moved, agree = off.moved, off.agree
    good = _count(off.over, agree & moved, len(camera))
    bad = _count(off.over, ~agree & moved, len(camera))
    nothing = not moved.any()
    return Agreement(
        windows=int(moved.sum()),
        share=0.0 if nothing else float(agree[moved].mean()),
        median_metres=0.0 if nothing else float(np.median(off.metres[moved])),
        median_degrees=0.0 if nothing else float(np.median(off.degrees[moved])),
        drift=off.drift,
        frames=~((good == 0) & (bad >= 2)),
    )


def _drift(turned_off: NDArray[np.float64], length: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the usual turn a metre (3,), at most what odometry drifts."""
    travels = length > _MOVED_METRES
    if not travels.any():
        return np.zeros(3)
    drift = np.median(turned_off[travels] / length[travels, None], axis=0)
    return drift * min(1.0, _MOST_DRIFT / max(float(np.linalg.norm(drift)), 1e-12))


def seeming_mount(camera: Trajectory, reference: Trajectory) -> Rotation:
    """
    Return the turn `said_from_true` of the camera's mounting that explains the motions best.

    Lengths are not used, so the scale of `camera` does not matter. A driver that stamps images
    with the frame of the body of the camera, not its optical frame, shows here as 120 degrees.
    """
    over = windows(camera.stamps_ns, DURATIONS_S)
    seen, told = motions(camera, over), motions(reference, over)
    # No step counts more than the usual one: a frame out of place makes them of any length.
    steps = np.minimum(seen.lengths / max(float(np.median(seen.lengths)), 1e-12), 1.0)
    weights = np.concatenate([seen.angles, steps])
    vectors = [np.concatenate([each.rotations.as_rotvec(), each.steps]) for each in (told, seen)]
    told_units, seen_units = (
        each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-12) for each in vectors
    )
    # What no motion tells, as on a straight line, is taken to be as said.
    told_units, seen_units = (
        np.concatenate([each, np.eye(3)]) for each in (told_units, seen_units)
    )
    weights = np.concatenate([weights, np.full(3, _SAID_WEIGHT * weights.sum() + 1e-12)])
    mount, doubt = Rotation.identity(), np.ones(len(weights))
    for _ in range(_MOUNT_ROUNDS):
        mount, _ = Rotation.align_vectors(told_units, seen_units, weights=weights * doubt)
        off = np.linalg.norm(told_units - mount.apply(seen_units), axis=1)
        # A frame out of place makes long motions of any direction: few, and far off.
        doubt = 1.0 / (1.0 + (off / max(float(np.median(off)), _MOUNT_NOISE)) ** 2)
    return mount


def _count(over: Windows, which: NDArray[np.bool_], frames: int) -> NDArray[np.int64]:
    """Return for each frame how many of some windows begin or end there."""
    ends = np.concatenate([over.first[which], over.last[which]])
    return np.bincount(ends, minlength=frames)
