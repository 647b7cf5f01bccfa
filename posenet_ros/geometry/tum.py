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

"""The TUM text format for trajectories, which evo reads too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from posenet_ros.errors import GeometryError
from posenet_ros.files import write_text
from posenet_ros.geometry.pose import check_unit, Pose
from posenet_ros.geometry.trajectory import NS_PER_S, Trajectory

_LARGEST_NS = int(np.iinfo(np.int64).max)


def seconds_text(stamp_ns: int) -> str:
    """Return nanoseconds as decimal seconds with all nine places, without going via a float."""
    seconds, rest = divmod(abs(stamp_ns), NS_PER_S)
    return f'{"-" if stamp_ns < 0 else ""}{seconds}.{rest:09d}'


def _nanoseconds(text: str) -> int:
    """Read decimal seconds exactly where they are plain, and via a float where they are not."""
    whole, _, fraction = text.removeprefix('-').partition('.')
    if whole.isdigit() and (fraction.isdigit() or not fraction):
        stamp_ns = int(whole) * NS_PER_S + int(fraction[:9].ljust(9, '0'))
        stamp_ns = -stamp_ns if text.startswith('-') else stamp_ns
    else:
        stamp_ns = round(float(text) * NS_PER_S)
    if abs(stamp_ns) > _LARGEST_NS:
        raise GeometryError('stamps are seconds; these look like nanoseconds')
    return stamp_ns


def write_tum(path: Path, trajectory: Trajectory) -> None:
    """
    Write `time tx ty tz qx qy qz qw` rows, seconds and metres; the frames go in the comment.

    The file appears whole or not at all.
    """
    lines = [
        f'# {trajectory.target}_from_{trajectory.source}: time[s] tx ty tz[m] qx qy qz qw',
        *_tum_rows(trajectory.stamps_ns, trajectory),
    ]
    write_text(path, '\n'.join(lines) + '\n')


def _tum_rows(stamps_ns: Iterable[int], poses: Iterable[Pose]) -> Iterator[str]:
    for stamp_ns, pose in zip(stamps_ns, poses, strict=True):
        quaternion = pose.quaternion()
        values = [*pose.translation, quaternion.x, quaternion.y, quaternion.z, quaternion.w]
        numbers = ' '.join(f'{value:.9f}' for value in values)
        yield f'{seconds_text(int(stamp_ns))} {numbers}'


def read_tum(path: Path, *, target: str = 'map', source: str = 'camera') -> Trajectory:
    """
    Read a TUM file as `target_from_source`.

    Raises GeometryError, with the line number, for a row that is not eight finite numbers with
    a quaternion of length 1 and a stamp in seconds, and for a file that is missing or has no
    rows.
    """
    try:
        text = path.read_text(encoding='utf-8', errors='replace')
    except OSError as error:
        raise GeometryError(f'cannot read the trajectory {path}: {error.strerror}') from error
    stamps_ns, poses = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split('#')[0].replace(',', ' ').split()
        if not fields:
            continue
        try:
            poses.append(_pose(fields[1:], target, source))
            stamps_ns.append(_nanoseconds(fields[0]))
        except (ValueError, OverflowError, GeometryError) as error:
            reason = f': {error}' if isinstance(error, GeometryError) else ''
            raise GeometryError(
                f'{path}:{number}: expected "time tx ty tz qx qy qz qw" with finite numbers, '
                f'got {line.strip()[:80]!r}{reason}'
            ) from error
    if not poses:
        raise GeometryError(f'{path} holds no poses; a TUM file has eight numbers a line')
    return Trajectory.from_poses(stamps_ns, poses)


def _pose(fields: Sequence[str], target: str, source: str) -> Pose:
    tx, ty, tz, qx, qy, qz, qw = (float(field) for field in fields)
    check_unit(w=qw, x=qx, y=qy, z=qz)
    return Pose.from_quaternion(
        w=qw, x=qx, y=qy, z=qz, translation=[tx, ty, tz], target=target, source=source
    )
