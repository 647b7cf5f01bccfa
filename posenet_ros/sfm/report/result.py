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

"""All that labelling knows when it ends, as the pictures ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.capture import Rejected
from posenet_ros.data.grids import OccupancyGrid
from posenet_ros.geometry import Sim3, Trajectory
from posenet_ros.sfm.alignment import Alignment
from posenet_ros.sfm.reconstruction import Reconstruction
from posenet_ros.sfm.reference import Reference
from posenet_ros.sfm.report.timeline import Timeline


@dataclass(frozen=True, eq=False)
class LabelResult:
    """
    What became of the frames of a run.

    `chosen_ns` are the stamps of all frames, of which each is in `labels` (`map_from_camera`)
    or in `rejected`. `placed` is `map_from_sfm` of the reconstruction `found`. `reference` and
    `alignment` are None for labels without metres. `grid` is the localizer's map where the labels
    are in it, `loops` (K, 2) are stamps of frames far apart in time that show the same place.
    """

    chosen_ns: Sequence[int]
    found: Reconstruction
    placed: Sim3
    labels: Trajectory
    rejected: Sequence[Rejected]
    reference: Reference | None
    alignment: Alignment | None
    grid: OccupancyGrid | None = None
    loops: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))

    @cached_property
    def timeline(self) -> Timeline:
        """The time axis of every picture."""
        return Timeline(self.chosen_ns)

    @property
    def unit(self) -> str:
        """What lengths of the map are in."""
        return 'units' if self.alignment is None else 'm'

    @cached_property
    def map_from_camera(self) -> Trajectory:
        """The pose of every frame of the largest model, labelled or not."""
        return self.placed.apply_to(self.found.sfm_from_camera)

    @property
    def seen_again(self) -> float:
        """The share of the labels of places that another shows too, long before or after."""
        both = np.isin(self.loops, self.labels.stamps_ns).all(axis=1)
        return float(np.isin(self.labels.stamps_ns, self.loops[both]).mean())

    @cached_property
    def is_label(self) -> NDArray[np.bool_]:
        """Which frames of the largest model (N,) are labelled."""
        return np.isin(self.map_from_camera.stamps_ns, self.labels.stamps_ns)
