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

"""The stage that reads what each image of a model sees: points, as its camera has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def read_seen(
    progress: Callable[[int, int], None], *, model: str, most: int
) -> dict[str, dict[str, Any]]:
    """
    Return for each image of a COLMAP model, by name, at most so many of the points that it sees.

    `pixels` (N, 2) are where they are in the image, the centre of its first pixel at (0, 0);
    `points` (N, 3) are in the frame of the camera and `position` (3,) is the camera's, both in
    the model's unit.
    """
    import numpy as np
    import pycolmap

    reconstruction = pycolmap.Reconstruction(model)
    images = [image for image in reconstruction.images.values() if image.has_pose]
    seen = {}
    for number, image in enumerate(images):
        observed = [point for point in image.points2D if point.has_point3D()]
        observed = observed[:: max(1, -(-len(observed) // most))]
        camera_from_map = image.cam_from_world()
        positions = [reconstruction.points3D[point.point3D_id].xyz for point in observed]
        points = np.array(positions).reshape(-1, 3) @ camera_from_map.rotation.matrix().T
        points += camera_from_map.translation
        # COLMAP puts the centre of the first pixel at 0.5.
        pixels = np.array([point.xy for point in observed]).reshape(-1, 2) - 0.5
        seen[image.name] = {
            'pixels': pixels.round(2).tolist(),
            'points': points.round(5).tolist(),
            'position': image.projection_center().tolist(),
        }
        progress(number + 1, len(images))
    return seen
