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

"""The stage that reads where the images of a COLMAP model were taken, and by which camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def read_poses(progress: Callable[[int, int], None], *, model: str) -> dict[str, Any]:
    """
    Return the poses of a COLMAP model's images by name, and their camera.

    `images` has `rotation` (3, 3) and `position` (3,) of each, map from camera, in the model's
    unit. `camera` is None where there are several, or one that ROS has no name for.
    """
    from posenet_ros.data.colmap import camera_from_colmap
    import pycolmap

    reconstruction = pycolmap.Reconstruction(model)
    images = [image for image in reconstruction.images.values() if image.has_pose]
    cameras = list(reconstruction.cameras.values())
    camera = camera_from_colmap(cameras[0]) if len(cameras) == 1 else None
    progress(len(images), len(images))
    return {
        'images': {
            image.name: {
                'rotation': image.cam_from_world().rotation.matrix().T.tolist(),
                'position': image.projection_center().tolist(),
            }
            for image in images
        },
        'camera': camera and camera.to_dict(),
    }
