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

"""Sample frames to look at: what was rejected and why, and what was not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from posenet_ros.data.capture import Rejected
from posenet_ros.data.images import read_image
from posenet_ros.errors import ImageError
from posenet_ros.reporting.page import data_address
from posenet_ros.sfm.gates import reason_kind
from posenet_ros.sfm.report.result import LabelResult
from posenet_ros.sfm.workspace import Workspace

MOST_REJECTED = 12
MOST_LABELLED = 8
_WIDTH = 320
_QUALITY = 80


class Sample(NamedTuple):
    """A small picture of a frame (None where it cannot be read), its time, and a remark."""

    image: str | None
    time: str
    remark: str


def rejected_samples(space: Workspace, result: LabelResult) -> list[Sample]:
    """Return some rejected frames in order of time, of every kind of reason."""
    return [
        Sample(
            _thumbnail(space.images / space.image_name(each.stamp_ns)),
            result.timeline.clock(each.stamp_ns),
            each.reason,
        )
        for each in spread_by_kind(result.rejected, MOST_REJECTED)
    ]


def labelled_samples(space: Workspace, result: LabelResult) -> list[Sample]:
    """Return some labelled frames, evenly over the recording."""
    labelled = np.flatnonzero(result.is_label)
    found = result.found
    return [
        Sample(
            _thumbnail(space.images / space.image_name(stamp_ns)),
            result.timeline.clock(stamp_ns),
            f'{found.points_seen[index]} points, {found.errors_px[index]:.1f} px',
        )
        for index in _evenly(labelled.tolist(), MOST_LABELLED)
        for stamp_ns in [int(found.sfm_from_camera.stamps_ns[index])]
    ]


def spread_by_kind(rejected: Sequence[Rejected], most: int) -> list[Rejected]:
    """Return at most so many: some of each kind, more of frequent ones, evenly over time."""
    kinds: dict[str, list[Rejected]] = defaultdict(list)
    for each in sorted(rejected):
        kinds[reason_kind(each.reason)].append(each)
    given = dict.fromkeys(kinds, 0)
    for _ in range(min(most, len(rejected))):
        # Highest averages: each kind has one before any has two of a hundred.
        neediest = max(
            kinds, key=lambda kind: (not given[kind], len(kinds[kind]) / (1 + given[kind]))
        )
        given[neediest] += 1
    return sorted(
        each for kind, count in given.items() if count for each in _evenly(kinds[kind], count)
    )


def _evenly(items: list, count: int) -> list:
    """Return at most so many items at even steps, the first and the last among them."""
    indices = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[index] for index in indices]


def _thumbnail(path: Path) -> str | None:
    try:
        rgb = read_image(path)
    except ImageError:
        return None
    factor = min(1.0, _WIDTH / rgb.shape[1])
    small = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(
        '.jpg', cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    return data_address('image/jpeg', data.tobytes())
