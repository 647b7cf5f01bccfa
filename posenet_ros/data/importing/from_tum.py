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

"""Images and a trajectory that tells where the camera, or the robot, was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from posenet_ros.data.capture import Rejected
from posenet_ros.data.importing.source import PosedImage, Source
from posenet_ros.data.importing.times import image_names, LIST, listed_times, Times, times_of
from posenet_ros.errors import DatasetError
from posenet_ros.geometry import Camera, NS_PER_S, Pose, read_tum, seconds_text, Trajectory

# Text files round stamps: within a millisecond it is the same instant.
_SAME_INSTANT_NS = NS_PER_S // 1000
_FASTEST_M_PER_S = 100.0
_UNITS = {10**3: 'milliseconds', 10**6: 'microseconds', 10**9: 'nanoseconds'}


@dataclass(frozen=True)
class TumOptions:
    """
    How the poses of a trajectory become those of images.

    Between two poses at most `max_gap_s` apart it is interpolated. `base_from_camera` is given
    where the poses are of the robot's base. A trajectory that is not `metric` may be of any
    size.
    """

    max_gap_s: float = 0.1
    base_from_camera: Pose | None = None
    metric: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML."""
        mount = self.base_from_camera
        matrix = None if mount is None else mount.matrix().tolist()
        return {'max_gap_s': self.max_gap_s, 'base_from_camera': matrix}


def source_from_tum(path: Path, images: Path, camera: Camera, options: TumOptions) -> Source:
    """
    Read a TUM file and give the images of a folder their poses by time.

    Raises GeometryError for a file that is no trajectory in seconds, and DatasetError for a
    folder without images, images of other times than the trajectory, and a trajectory that no
    camera moves along.
    """
    of_camera = options.base_from_camera is None
    trajectory = read_tum(path, target='map', source='camera' if of_camera else 'base')
    if not images.is_dir():
        raise DatasetError(f'no such folder: {images} (from --images)')
    images = images.resolve()
    names = _names(images)
    if not names:
        raise DatasetError(f'no images in {images} itself; name the folder that has them')
    times = times_of(images, names)
    _check_times(path, trajectory, images, times)
    posed, rejected = [], []
    for name, stamp_ns in times.stamps_ns.items():
        pose, reason = _pose_at(trajectory, stamp_ns, round(options.max_gap_s * NS_PER_S))
        if not (images / name).is_file():
            rejected.append(Rejected(stamp_ns, f'the image is missing: {name}'))
        elif pose is None:
            rejected.append(Rejected(stamp_ns, f'no pose at that time: {name}, {reason}'))
        else:
            pose = pose if of_camera else pose @ options.base_from_camera
            posed.append(PosedImage(images / name, stamp_ns, pose))
    if options.metric:
        _check_speed(path, posed)
    return Source(path, (path,), images, times, camera, tuple(posed), tuple(rejected))


def _names(images: Path) -> list[str]:
    """Return the images to take; those in folders below may be of another camera, or depth."""
    if (images / LIST).is_file():
        return list(listed_times(images))
    return [name for name in image_names(images) if '/' not in name]


def _pose_at(trajectory: Trajectory, stamp_ns: int, max_gap_ns: int) -> tuple[Pose | None, str]:
    """Return the pose at an instant, or None and the reason."""
    stamps = trajectory.stamps_ns
    after = int(np.searchsorted(stamps, stamp_ns))
    near = [row for row in (after - 1, after) if 0 <= row < len(stamps)]
    row = min(near, key=lambda row: abs(int(stamps[row]) - stamp_ns))
    off = int(stamps[row]) - stamp_ns
    if abs(off) <= _SAME_INSTANT_NS:
        return trajectory[row], ''
    if len(near) < 2:
        what = 'begins' if off > 0 else 'ended'
        return None, (
            f'the trajectory {what} {abs(off) / NS_PER_S:.3f} s {"later" if off > 0 else "before"}'
        )
    between = trajectory.select(slice(after - 1, after + 1))
    gap_ns = int(np.diff(between.stamps_ns)[0])
    if gap_ns > max_gap_ns:
        return None, f'the poses before and after are {gap_ns / NS_PER_S:.3f} s apart'
    return between.at(np.array([stamp_ns]))[0], ''


def _check_times(path: Path, trajectory: Trajectory, images: Path, times: Times) -> None:
    """Refuse images whose times cannot be told, or have nothing to do with the trajectory."""
    stamps_ns = sorted(times.stamps_ns.values())
    if times.told_by == 'order' and stamps_ns != trajectory.stamps_ns.tolist():
        raise DatasetError(
            f'the images in {images} tell no time: name them by nanoseconds or seconds, or list '
            f'them in {LIST}; numbers will do where {path} has the times 0, 1, 2, one an image'
        )
    first, last = int(trajectory.stamps_ns[0]), int(trajectory.stamps_ns[-1])
    begin, end = stamps_ns[0], stamps_ns[-1]
    if first - _SAME_INSTANT_NS <= end and begin <= last + _SAME_INSTANT_NS:
        return
    raise DatasetError(
        f'no image in {images} was taken while the trajectory {path} goes: that is from '
        f'{seconds_text(first)} to {seconds_text(last)} s, the images are from '
        f'{seconds_text(begin)} to {seconds_text(end)} s{_unit(first + last, begin + end)}'
    )


def _unit(trajectory_ns: int, images_ns: int) -> str:
    """Return the unit that times of a trajectory seem to have, where that explains them."""
    for factor, unit in _UNITS.items():
        if images_ns > 0 and 0.5 < trajectory_ns / images_ns / factor < 2:
            return f'; the times of the trajectory seem to be {unit}: a TUM file has seconds'
    return ''


def _check_speed(path: Path, posed: list[PosedImage]) -> None:
    """Refuse positions in millimetres, by the speed that they would mean."""
    if len(posed) < 2:
        return
    posed = sorted(posed, key=lambda image: image.stamp_ns)
    steps = np.diff([image.map_from_camera.translation for image in posed], axis=0)
    seconds = np.diff([image.stamp_ns for image in posed]) / NS_PER_S
    speed = float(np.median(np.linalg.norm(steps, axis=1) / seconds))
    if speed > _FASTEST_M_PER_S:
        raise DatasetError(
            f'along {path} the camera would move at {speed:.0f} m/s: a TUM file has metres; give '
            '--unscaled for positions in another unit'
        )
