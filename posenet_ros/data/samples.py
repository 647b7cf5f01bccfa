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

"""Poses that arrive message by message, kept small until they are a trajectory."""

from __future__ import annotations

from array import array
import logging
import math
from typing import Any

import numpy as np
from posenet_ros.geometry import Pose, Trajectory

_LOG = logging.getLogger(__name__)


class PoseSamples:
    """
    A stream of geometry_msgs poses of one frame in another.

    Drivers that are still starting up send quaternions of length zero or NaN; those samples are
    left out, and how many there were is logged.
    """

    def __init__(self) -> None:
        """Start without samples."""
        self.refused = 0
        self._stamps_ns = array('q')
        self._recorded_ns = array('q')
        self._values = array('d')

    def add(self, stamp_ns: int, recorded_ns: int, translation: Any, rotation: Any) -> None:
        """Add a Point or Vector3 and a Quaternion, with the header's stamp and the bag's."""
        position = (translation.x, translation.y, translation.z)
        parts_wxyz = (rotation.w, rotation.x, rotation.y, rotation.z)
        length = math.hypot(*parts_wxyz)
        if not all(map(math.isfinite, (*position, length))) or length < 1e-3:
            self.refused += 1
            return
        self._stamps_ns.append(stamp_ns)
        self._recorded_ns.append(recorded_ns)
        self._values.extend((*position, *parts_wxyz))

    def trajectory(self, target: str, source: str) -> Trajectory | None:
        """
        Return the samples in order of time as `target_from_source`, None where none is left.

        Where no header has a stamp, the time of recording stands in.
        """
        if self.refused:
            _LOG.warning(
                'left out %d of %d transforms %s <- %s: not a rotation, or not finite',
                self.refused,
                self.refused + len(self._stamps_ns),
                target,
                source,
            )
        if not self._stamps_ns:
            return None
        table = np.frombuffer(self._values).reshape(-1, 7)
        w, x, y, z = table[:, 3:].T
        stamps_ns = self._stamps_ns if any(self._stamps_ns) else self._recorded_ns
        return Trajectory.from_quaternions(
            np.frombuffer(stamps_ns, dtype=np.int64),
            table[:, :3],
            w=w,
            x=x,
            y=y,
            z=z,
            target=target,
            source=source,
        )

    def latest(self, target: str, source: str) -> Pose | None:
        """Return the sample with the newest stamp as `target_from_source`."""
        trajectory = self.trajectory(target, source)
        return None if trajectory is None else trajectory[len(trajectory) - 1]
