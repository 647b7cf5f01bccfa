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

"""Places that were recognised again: verified matches of frames far apart in time."""

from __future__ import annotations

import logging
from pathlib import Path
import sqlite3

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S
from posenet_ros.sfm.workspace import Workspace

_LOG = logging.getLogger(__name__)

# A camera that has been elsewhere in between, for a robot at walking speed.
APART_S = 10.0
# How COLMAP numbers a pair of images: the smaller id times this, plus the larger.
_PAIR_BASE = 2147483647


def loop_closures(space: Workspace) -> NDArray[np.int64]:
    """
    Return stamps (K, 2) of frames that show the same place at least ten seconds apart.

    For each frame only the other with the most verified matches, or there would be more lines
    than can be drawn. None are returned where the database cannot be read.
    """
    try:
        pairs = _verified(space.database)
    except sqlite3.Error as error:
        _LOG.warning('%s: %s; the report shows no loop closures', space.database, error)
        return np.zeros((0, 2), dtype=np.int64)
    best: dict[int, tuple[int, tuple[int, int]]] = {}
    for first, second, count in pairs:
        stamps = space.stamp_ns(first), space.stamp_ns(second)
        if abs(stamps[0] - stamps[1]) < APART_S * NS_PER_S:
            continue
        for stamp_ns in stamps:
            if count > best.get(stamp_ns, (0, stamps))[0]:
                best[stamp_ns] = (count, (min(stamps), max(stamps)))
    chosen = sorted({pair for _, pair in best.values()})
    return np.array(chosen, dtype=np.int64).reshape(-1, 2)


def _verified(database: Path) -> list[tuple[str, str, int]]:
    """Return the names of every two images that match, and the number of verified matches."""
    # Read as it lies there: no lock and no journal is left beside it.
    connection = sqlite3.connect(f'{database.resolve().as_uri()}?immutable=1', uri=True)
    try:
        names = dict(connection.execute('SELECT image_id, name FROM images'))
        rows = connection.execute(
            'SELECT pair_id, rows FROM two_view_geometries WHERE rows > 0'
        ).fetchall()
    finally:
        connection.close()
    numbered = [(divmod(pair, _PAIR_BASE), count) for pair, count in rows]
    return [(names[first], names[second], count) for (first, second), count in numbered]
