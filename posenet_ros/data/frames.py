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

from collections.abc import Iterable
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


def by_end_of_path(frames: Iterable[Frame]) -> dict[str, Frame]:
    """Return frames by the ends of their images' paths, those that only one frame has."""
    found: dict[str, Frame | None] = {}
    for frame in frames:
        parts = frame.image.parts
        for count in range(1, len(parts) + 1):
            name = '/'.join(parts[-count:])
            found[name] = None if name in found else frame
    return {name: frame for name, frame in found.items() if frame is not None}


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
