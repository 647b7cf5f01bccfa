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

"""The map that a localizer ran on while the robot recorded."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import BagError, GeometryError
from posenet_ros.geometry import Pose

# Percent, as nav2's map_server reads and writes its images.
_OCCUPIED, _FREE = 65, 25


@dataclass(frozen=True, eq=False)
class OccupancyGrid:
    """
    A nav_msgs/OccupancyGrid of a topic: cells of `resolution_m` metres in the `frame`.

    `cells` (H, W) are percent, -1 unknown; the corner of cell (0, 0) is the origin of the grid,
    which `frame_from_grid` places; columns follow its x, rows its y.
    """

    topic: str
    frame: str
    resolution_m: float
    frame_from_grid: Pose
    cells: NDArray[np.int8]

    @property
    def identity(self) -> dict[str, Any]:
        """
        Return what tells this map from others, as plain values.

        The hash is over cells, size, resolution and origin: a map that is saved, loaded and
        published again keeps it, unless the cells were changed on the way.
        """
        height, width = self.cells.shape
        origin = self.frame_from_grid.matrix()
        # Adding zero turns -0.0 into 0.0.
        x, y, yaw = (
            round(float(value), 6) + 0.0
            for value in (origin[0, 3], origin[1, 3], np.arctan2(origin[1, 0], origin[0, 0]))
        )
        shape = f'{width} {height} {self.resolution_m:.6f} {x:.6f} {y:.6f} {yaw:.6f}'
        digest = hashlib.sha256(shape.encode())
        digest.update(np.ascontiguousarray(self.cells).tobytes())
        return {
            'topic': self.topic,
            'frame': self.frame,
            'width': width,
            'height': height,
            'resolution_m': round(self.resolution_m, 6),
            'origin': [x, y, yaw],
            'sha256': digest.hexdigest(),
        }

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """Which cells (H, W) are walls and other obstacles."""
        return self.cells >= _OCCUPIED

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which cells (H, W) are free; what is neither is not known well enough."""
        return (self.cells >= 0) & (self.cells <= _FREE)


def grid_from_message(topic: str, message: Any, *, frame: str) -> OccupancyGrid:
    """Return a nav_msgs/OccupancyGrid message as a grid; raise BagError where it contradicts."""
    info = message.info
    cells = np.asarray(message.data, dtype=np.int8)
    if cells.size != info.width * info.height or not info.resolution > 0:
        raise BagError(
            f'the map on {topic} is damaged: {cells.size} cells for {info.width} x {info.height} '
            f'of {info.resolution} m'
        )
    position, turn = info.origin.position, info.origin.orientation
    place = np.array([position.x, position.y, position.z])
    # All zero is an orientation that nobody filled in: none.
    upright = (turn.w, turn.x, turn.y, turn.z) == (0, 0, 0, 0)
    try:
        frame_from_grid = Pose.from_quaternion(
            w=1.0 if upright else turn.w,
            x=turn.x,
            y=turn.y,
            z=turn.z,
            translation=place,
            target=frame,
            source='grid',
        )
    except GeometryError as error:
        raise BagError(f'the map on {topic} is damaged: its origin: {error}') from error
    return OccupancyGrid(
        topic,
        frame,
        float(info.resolution),
        frame_from_grid,
        cells.reshape(info.height, info.width),
    )
