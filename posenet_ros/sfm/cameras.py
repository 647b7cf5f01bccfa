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

"""The camera as COLMAP wants it, from ROS's CameraInfo or from nothing."""

from __future__ import annotations

from typing import Any

from posenet_ros.geometry import Camera

# Self-calibration starts from the view of a usual lens, 45 degrees across.
_FOCAL_BY_WIDTH = 1.2
_SQUARE_PIXELS = 0.01


def colmap_camera(camera: Camera | None, width: int, height: int) -> dict[str, Any]:
    """
    Return COLMAP's camera model, its parameters, and how far it is to be trusted.

    A calibrated distortion is kept as it is. Without one, which is what drivers publish for a
    lens that nobody calibrated, one radial coefficient is estimated from the images. The focal
    length is refined either way, starting from the known one (`calibrated`) or from a guess.
    """
    if camera is None:
        focal = _FOCAL_BY_WIDTH * max(width, height)
        camera = Camera(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
        calibrated = False
    else:
        calibrated = True
    model, params = _model(camera)
    return {
        'model': model,
        'width': camera.width,
        'height': camera.height,
        'params': params,
        'calibrated': calibrated,
        'refine_distortion': camera.distortion == 'none',
    }


def _model(camera: Camera) -> tuple[str, list[float]]:
    # COLMAP puts the centre of the first pixel at 0.5, ROS at 0.
    centre = [camera.cx + 0.5, camera.cy + 0.5]
    focal = [camera.fx, camera.fy]
    coefficients = list(camera.coefficients)
    if camera.distortion == 'none':
        if abs(camera.fx / camera.fy - 1) < _SQUARE_PIXELS:
            return 'SIMPLE_RADIAL', [sum(focal) / 2, *centre, 0.0]
        return 'OPENCV', [*focal, *centre, 0.0, 0.0, 0.0, 0.0]
    if camera.distortion == 'equidistant':
        return 'OPENCV_FISHEYE', [*focal, *centre, *coefficients]
    if camera.distortion == 'plumb_bob':
        *four, k3 = coefficients
        if k3 == 0:
            return 'OPENCV', [*focal, *centre, *four]
        coefficients = [*four, k3, 0.0, 0.0, 0.0]
    return 'FULL_OPENCV', [*focal, *centre, *coefficients]
