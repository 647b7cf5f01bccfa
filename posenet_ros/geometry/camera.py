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

"""A calibrated pinhole or fisheye camera, in ROS's and OpenCV's pixel convention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import GeometryError

# ROS distortion models and how many coefficients each takes.
DISTORTION_COEFFICIENTS = {'none': 0, 'plumb_bob': 5, 'rational_polynomial': 8, 'equidistant': 4}


@dataclass(frozen=True)
class Camera:
    """
    Intrinsics of one image stream: focal lengths and centre in pixels, lens distortion.

    The centre of the first pixel is at (0, 0), as in ROS and OpenCV; COLMAP puts it at
    (0.5, 0.5). `distortion` names the model as sensor_msgs/CameraInfo does and `coefficients`
    are in that message's order.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: str = 'none'
    coefficients: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse sizes, focal lengths and coefficients that no camera has."""
        numbers = (self.fx, self.fy, self.cx, self.cy, *self.coefficients)
        if not all(math.isfinite(number) for number in numbers):
            raise GeometryError(f'camera intrinsics must be finite, got {numbers}')
        if self.width < 1 or self.height < 1 or self.fx <= 0 or self.fy <= 0:
            raise GeometryError(
                f'a camera needs a positive size and focal length, got {self.width}x{self.height}'
                f' with fx={self.fx}, fy={self.fy}'
            )
        expected = DISTORTION_COEFFICIENTS.get(self.distortion)
        if expected is None:
            known = ', '.join(DISTORTION_COEFFICIENTS)
            raise GeometryError(f'unknown distortion {self.distortion!r}; known are {known}')
        if len(self.coefficients) != expected:
            raise GeometryError(
                f'distortion {self.distortion} has {expected} coefficients, '
                f'not {len(self.coefficients)}'
            )
        # NumPy's numbers would not go into YAML.
        for name in ('fx', 'fy', 'cx', 'cy'):
            object.__setattr__(self, name, float(getattr(self, name)))
        object.__setattr__(self, 'coefficients', tuple(map(float, self.coefficients)))

    @classmethod
    def from_info(
        cls,
        *,
        width: int,
        height: int,
        k: Sequence[float],
        distortion_model: str = '',
        d: Sequence[float] = (),
    ) -> Camera:
        """
        Build from the fields of sensor_msgs/CameraInfo (`k` row-major 3x3).

        An empty model, or coefficients that are all zero, is a camera without distortion.
        Raises GeometryError for an uncalibrated camera (`k` all zero), an unknown model, or
        more coefficients than the model has, unless those are zero.
        """
        fx, _, cx, _, fy, cy, *_ = (float(value) for value in k)
        if fx == 0 and fy == 0:
            raise GeometryError('the CameraInfo is uncalibrated (k is zero)')
        coefficients = [float(value) for value in d]
        if not distortion_model or not any(coefficients):
            return cls(width, height, fx, fy, cx, cy)
        # plumb_bob may come with 4 coefficients: k3 is zero then.
        if distortion_model == 'plumb_bob' and len(coefficients) == 4:
            coefficients.append(0.0)
        expected = DISTORTION_COEFFICIENTS.get(distortion_model, len(coefficients))
        if not any(coefficients[expected:]):
            coefficients = coefficients[:expected]
        return cls(width, height, fx, fy, cx, cy, distortion_model, tuple(coefficients))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The 3x3 matrix K."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])

    def resized(self, width: int, height: int) -> Camera:
        """
        Return the camera of the same image scaled to another size.

        Pixel centres are at whole numbers, so the centre maps as `(c + 0.5) * s - 0.5`.
        """
        sx, sy = width / self.width, height / self.height
        return replace(
            self,
            width=width,
            height=height,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
        )

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Project points (N, 3) in the camera frame to pixels (N, 2), without distortion.

        Points at or behind the image plane give NaN.
        """
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        depth = np.where(points[:, 2] > 1e-9, points[:, 2], np.nan)
        return np.stack(
            [
                self.fx * points[:, 0] / depth + self.cx,
                self.fy * points[:, 1] / depth + self.cy,
            ],
            axis=1,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `from_dict` reads them back."""
        values = asdict(self)
        values['coefficients'] = list(self.coefficients)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Camera:
        """Read what `to_dict` wrote; raise GeometryError for missing or unknown keys."""
        try:
            return cls(**{**values, 'coefficients': tuple(values.get('coefficients', ()))})
        except (TypeError, ValueError) as error:
            raise GeometryError(f'not a camera: {dict(values)} ({error})') from error
