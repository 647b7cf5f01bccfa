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

"""Intrinsics of the image that was delivered, from sensor_msgs/CameraInfo."""

from __future__ import annotations

from typing import Any

import numpy as np
from posenet_ros.geometry import Camera


def camera_from_info(message: Any, *, rectified: bool = False) -> Camera:
    """
    Return the camera of the delivered image from a CameraInfo of rosbags or rclpy.

    Calibration is given for the whole sensor; the region of interest, in unbinned pixels, moves
    the centre and binning divides focal lengths, centre and size (REP 104, computed as
    image_geometry does). A `rectified` image has the intrinsics of P and no distortion. Raises
    GeometryError for an uncalibrated camera or an unknown distortion model.
    """
    k = np.array(message.p, dtype=np.float64).reshape(3, 4)[:, :3] if rectified else message.k
    full = Camera.from_info(
        width=message.width,
        height=message.height,
        k=np.ravel(k),
        distortion_model='' if rectified else message.distortion_model,
        d=() if rectified else message.d,
    )
    # Zero means "not binned" and, for the region, "the whole sensor".
    bin_x, bin_y = max(message.binning_x, 1), max(message.binning_y, 1)
    roi = message.roi
    return Camera(
        width=(roi.width or full.width) // bin_x,
        height=(roi.height or full.height) // bin_y,
        fx=full.fx / bin_x,
        fy=full.fy / bin_y,
        cx=(full.cx - roi.x_offset) / bin_x,
        cy=(full.cy - roi.y_offset) / bin_y,
        distortion=full.distortion,
        coefficients=full.coefficients,
    )
