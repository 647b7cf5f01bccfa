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

"""What the mapping stage found, as it is kept between runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import CaptureError
from posenet_ros.files import write_text
from posenet_ros.geometry import Camera, Trajectory
from scipy.spatial.transform import Rotation


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """
    The largest model: `sfm_from_camera`, with how many points each frame sees and how well.

    `points_seen`, `points_shared` (with the frame before) and `errors_px` are (N,) like the
    poses. `dropped` gives stamps and reasons of the other frames, `models` the stamps of each
    model, the largest first. `mapper` made it.
    """

    sfm_from_camera: Trajectory
    points_seen: NDArray[np.int64]
    points_shared: NDArray[np.int64]
    errors_px: NDArray[np.float64]
    camera: Camera
    dropped: Mapping[int, str]
    models: Sequence[Sequence[int]]
    points: int
    mean_error_px: float
    mean_track_length: float
    mapper: str

    @classmethod
    def from_stage(
        cls, values: Mapping[str, Any], stamp_of: Callable[[str], int]
    ) -> Reconstruction:
        """
        Build from what `mapping.reconstruct` returns; `stamp_of` knows the file names.

        Raises CaptureError for values that it did not return.
        """
        try:
            return cls._built(values, stamp_of)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CaptureError(f'what mapping found is damaged ({error!r})') from error

    @classmethod
    def _built(cls, values: Mapping[str, Any], stamp_of: Callable[[str], int]) -> Reconstruction:
        images = sorted((stamp_of(name), image) for name, image in values['images'].items())
        described = [image for _, image in images]
        poses = Trajectory(
            np.array([stamp_ns for stamp_ns, _ in images]),
            Rotation.from_matrix([image['rotation'] for image in described]),
            np.array([image['position'] for image in described]),
            'sfm',
            'camera',
        )
        return cls(
            poses,
            np.array([image['points'] for image in described]),
            np.array([image['shared'] for image in described]),
            np.array([image['error_px'] for image in described], dtype=np.float64),
            Camera.from_dict(values['camera']),
            {stamp_of(name): reason for name, reason in values['dropped'].items()},
            [[stamp_of(name) for name in model] for model in values['models']],
            values['points'],
            values['mean_error_px'],
            values['mean_track_length'],
            values['mapper'],
        )


def keep(path: Path, values: Mapping[str, Any]) -> None:
    """Write what a stage returned, whole or not at all."""
    write_text(path, json.dumps(values))


def kept(path: Path) -> dict[str, Any]:
    """Read what `keep` wrote; raise CaptureError where it is gone or damaged."""
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise CaptureError(f'{path} is gone or damaged ({error})') from error
