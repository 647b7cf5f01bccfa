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

"""The stage that reads the points of a model, thinned, to draw them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def read_points(
    progress: Callable[[int, int], None], *, model: str, most: int
) -> dict[str, list[Any]]:
    """
    Return `positions` in the coordinates of a COLMAP model and `errors_px`, of `most` points.

    They are taken at even steps from all points, so that their errors are those of all.
    """
    import pycolmap

    progress(0, 1)
    points = pycolmap.Reconstruction(model).points3D
    ids = sorted(points)
    some = [points[each] for each in ids[:: max(1, -(-len(ids) // most))]]
    progress(1, 1)
    return {
        'positions': [[round(value, 4) for value in point.xyz.tolist()] for point in some],
        'errors_px': [round(point.error, 3) for point in some],
    }
