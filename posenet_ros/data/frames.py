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

"""Images with known poses, whatever folder they came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from posenet_ros.geometry import Camera, Pose


@dataclass(frozen=True)
class Frame:
    """
    One labelled image.

    `stamp_ns` orders the frames of one `sequence` in time; data sets without clocks use the
    frame number at their nominal rate.
    """

    image: Path
    map_from_camera: Pose
    stamp_ns: int
    sequence: str = ''


@dataclass(frozen=True)
class Scene:
    """
    Labelled images of one place, taken with one camera.

    `test` holds what the data set keeps apart, and is empty where it keeps nothing apart.
    `camera` is None where the data set does not tell the intrinsics.
    """

    name: str
    train: tuple[Frame, ...]
    test: tuple[Frame, ...] = ()
    camera: Camera | None = None
