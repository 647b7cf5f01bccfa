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

"""What a user chooses about labelling."""

from __future__ import annotations

from dataclasses import dataclass, fields
import math
from typing import Any, TYPE_CHECKING

from posenet_ros.errors import ConfigError

if TYPE_CHECKING:
    from posenet_ros.geometry import Pose

REFERENCES = ('auto', 'odom', 'tf', 'none')
MAPPERS = ('auto', 'incremental', 'global')


@dataclass(frozen=True)
class LabelOptions:
    """
    How to label a recording.

    `image_topic` may be left out where there is only one camera. `rate_hz` frames are taken a
    second. `reference` says where metres and the upright direction come from: nav_msgs/Odometry
    on `odom_topic` ('odom'), /tf ('tf', or 'tf:FRAME' for the motion in a frame of that name),
    whichever there is ('auto'), or nowhere ('none', which `allow_unscaled` must confirm).
    `tf:FRAME` of a frame that does not drift (any but odom) also makes it the frame of the
    labels. `reference_scale_error` is how wrong the reference's own metres may be (share; None
    for what is usual). Of frames at most `rate_hz` apart, those that moved less than
    `min_translation_m` and `min_rotation_deg` by the reference are left out. `mapper` is
    COLMAP's 'incremental' or 'global', or 'auto'.
    `base_from_camera` is x, y, z in metres and roll, pitch, yaw in radians (fixed axes) of the
    camera's optical frame, for recordings whose /tf_static lacks it.
    """

    image_topic: str | None = None
    rate_hz: float = 2.0
    min_translation_m: float = 0.02
    min_rotation_deg: float = 1.0
    reference: str = 'auto'
    odom_topic: str | None = None
    base_from_camera: tuple[float, ...] | None = None
    allow_unscaled: bool = False
    reference_scale_error: float | None = None
    mapper: str = 'auto'

    def __post_init__(self) -> None:
        """Raise ConfigError for values that cannot be."""
        if not 0.01 <= self.rate_hz <= 1000:
            raise ConfigError(f'--rate must be 0.01 to 1000 frames a second, got {self.rate_hz}')
        for flag, value in (
            ('--min-translation', self.min_translation_m),
            ('--min-rotation', self.min_rotation_deg),
        ):
            if not 0 <= value < math.inf:
                raise ConfigError(f'{flag} must be zero or more, got {value}')
        if self.reference_scale_error is not None and not 0 <= self.reference_scale_error < 1:
            raise ConfigError(
                '--reference-scale-error is a share from 0 to 1 (0.02 for 2 %), got '
                f'{self.reference_scale_error}'
            )
        if self.mapper not in MAPPERS:
            raise ConfigError(f'--mapper must be one of {", ".join(MAPPERS)}, got {self.mapper!r}')
        if self.reference not in REFERENCES and not self.reference.startswith('tf:'):
            raise ConfigError(
                f'--reference must be one of {", ".join(REFERENCES)} or tf:FRAME, '
                f'got {self.reference!r}'
            )
        if self.odom_topic and self.reference not in ('auto', 'odom'):
            raise ConfigError(
                f'--odom-topic {self.odom_topic} and --reference {self.reference} contradict '
                'each other: leave one out'
            )
        if self.base_from_camera is not None:
            values = tuple(map(float, self.base_from_camera))
            if len(values) != 6 or not all(map(math.isfinite, values)):
                raise ConfigError(
                    '--base-from-camera takes six finite numbers, x y z in metres and '
                    f'roll pitch yaw in radians, got {values}'
                )
            object.__setattr__(self, 'base_from_camera', values)

    def mount(self, base: str, camera: str) -> Pose | None:
        """Return `base_from_camera` as given by hand, or None."""
        if self.base_from_camera is None:
            return None
        # Here, because options are parsed before it is known that anything is to be done.
        import numpy as np
        from posenet_ros.geometry import Pose
        from scipy.spatial.transform import Rotation

        x, y, z, *angles = self.base_from_camera
        # ROS's roll, pitch, yaw turn about fixed axes: SciPy's lower case.
        return Pose(Rotation.from_euler('xyz', angles), np.array([x, y, z]), base, camera)

    @property
    def told_by(self) -> dict[str, Any]:
        """What decides which motion the reference tells."""
        values = self.to_dict()
        return {name: values[name] for name in ('reference', 'odom_topic', 'base_from_camera')}

    @property
    def anchor_frame(self) -> str | None:
        """The frame that labels shall be in; None for a map of their own."""
        frame = self.reference.removeprefix('tf:')
        named = frame != self.reference and frame.rpartition('/')[2] != 'odom'
        return frame if named else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        mount = values['base_from_camera']
        values['base_from_camera'] = None if mount is None else list(mount)
        return values
