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

"""The path of the labels beside that of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Pose, Trajectory
from posenet_ros.sfm.clock import reference_at
from posenet_ros.sfm.report.result import LabelResult

# Odometry begins anew in each recording; within one it hardly pauses as long.
_ANEW_S = 5.0
# Where a path begins anew it is laid onto the labels over this time, as the map was at first.
_BEGINNING_S = 5.0


def checked_paths(result: LabelResult) -> tuple[Trajectory, Trajectory] | None:
    """
    Return the poses of the frames that the reference covers: by the images, and by it.

    Both at the same stamps, labelled or not; None where there is no reference.
    """
    alignment, reference = result.alignment, result.reference
    if alignment is None or reference is None:
        return None
    camera = result.map_from_camera.select(alignment.checked)
    return camera, reference_at(camera.stamps_ns, reference.odom_from_camera, alignment.offset_s)


@dataclass(frozen=True, eq=False)
class Beside:
    """
    The labels that the reference covers, by the images (`camera`) and by it (`told`).

    `pieces` are the stretches between which the reference may have begun anew. `told` is in the
    map, laid onto `camera` where a piece begins, unless it is a localizer's that does not drift.
    """

    name: str
    drifts: bool
    camera: Trajectory
    told: Trajectory
    pieces: Sequence[slice]

    @classmethod
    def of(cls, result: LabelResult, camera: Trajectory, told: Trajectory) -> Beside:
        """Return the paths of a result with a reference, from its `checked_paths`."""
        labelled = np.isin(camera.stamps_ns, result.labels.stamps_ns)
        camera, told = camera.select(labelled), told.select(labelled)
        asked_ns = camera.stamps_ns + round(result.alignment.offset_s * NS_PER_S)
        pieces = _pieces(asked_ns, result.reference.odom_from_camera.stamps_ns)
        drifts = result.alignment.anchor is None
        if drifts:
            told = _joined([_laid(told.select(each), camera.select(each)) for each in pieces])
        return cls(result.reference.name, drifts, camera, told, pieces)

    def drift(self) -> tuple[float, float]:
        """Return how long the longest piece is, and how far apart the paths come there."""
        piece = max(self.pieces, key=lambda each: each.stop - each.start)
        camera, told = self.camera.select(piece), self.told.select(piece)
        steps = np.linalg.norm(np.diff(camera.translations, axis=0), axis=1)
        apart = np.linalg.norm(told.translations - camera.translations, axis=1)
        return float(steps.sum()), float(apart.max())


def _pieces(asked_ns: NDArray[np.int64], known_ns: NDArray[np.int64]) -> list[slice]:
    """Return stretches of stamps between which no long pause of the reference lies."""
    ends = known_ns[:-1][np.diff(known_ns) > _ANEW_S * NS_PER_S]
    breaks = np.unique(np.searchsorted(asked_ns, ends, side='right'))
    inside = breaks[(breaks > 0) & (breaks < len(asked_ns))].tolist()
    return [slice(begin, end) for begin, end in pairwise([0, *inside, len(asked_ns)])]


def _laid(told: Trajectory, camera: Trajectory) -> Trajectory:
    """Return a piece of the reference laid onto the labels where it begins."""
    begin = camera.stamps_ns <= camera.stamps_ns[0] + _BEGINNING_S * NS_PER_S
    turn = (camera.rotations[begin] * told.rotations[begin].inv()).mean()
    moved = camera.translations[begin] - turn.apply(told.translations[begin])
    return told.transformed(Pose(turn, np.median(moved, axis=0), camera.target, told.target))


def _joined(pieces: Sequence[Trajectory]) -> Trajectory:
    stamps_ns = [int(stamp_ns) for piece in pieces for stamp_ns in piece.stamps_ns]
    return Trajectory.from_poses(stamps_ns, [pose for piece in pieces for pose in piece])
