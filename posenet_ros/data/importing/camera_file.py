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

"""Cameras from a file, ours or that of ROS's camera_calibration, and from numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from posenet_ros.errors import ConfigError, GeometryError
from posenet_ros.files import read_yaml
from posenet_ros.geometry import Camera

# What numbers without a name can mean: as many coefficients as OpenCV has them.
_DISTORTIONS = {0: '', 4: 'plumb_bob', 5: 'plumb_bob', 8: 'rational_polynomial'}


def read_camera(path: Path) -> Camera:
    """
    Read a capture's camera.yaml, or the file that camera_info_url names.

    Raises ConfigError for a file that is neither, or has values that no camera has.
    """
    values = read_yaml(path, ConfigError)
    try:
        if 'camera_matrix' not in values:
            return Camera.from_dict(values)
        return Camera.from_info(
            width=values['image_width'],
            height=values['image_height'],
            k=values['camera_matrix']['data'],
            distortion_model=values['distortion_model'],
            d=values['distortion_coefficients']['data'],
        )
    except (KeyError, TypeError, ValueError, GeometryError) as error:
        raise ConfigError(f'{path} is the file of no camera ({error})') from error


def camera_from_numbers(numbers: Sequence[float]) -> Camera:
    """
    Return the camera of `width height fx fy cx cy` and 0, 4, 5 or 8 coefficients.

    Raises ConfigError for another count, and for values that no camera has.
    """
    *size, fx, fy, cx, cy = numbers[:6] if len(numbers) >= 6 else (0.0,) * 6
    coefficients = numbers[6:]
    if len(numbers) < 6 or len(coefficients) not in _DISTORTIONS:
        raise ConfigError(
            '--intrinsics takes W H FX FY CX CY and no, 4, 5 (plumb_bob) or 8 '
            f'(rational_polynomial) coefficients, got {len(numbers)} numbers; a fisheye goes by '
            '--camera'
        )
    width, height = (int(each) if each.is_integer() else 0 for each in size)
    try:
        return Camera.from_info(
            width=width,
            height=height,
            k=[fx, 0, cx, 0, fy, cy, 0, 0, 1],
            distortion_model=_DISTORTIONS[len(coefficients)],
            d=coefficients,
        )
    except GeometryError as error:
        raise ConfigError(f'--intrinsics are of no camera: {error}') from error
