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

"""Which frames a model is measured on while it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.errors import DatasetError

MIN_FRAMES = 10


class Split(NamedTuple):
    """Frames to train on and frames to measure on; no frame is in both."""

    train: tuple[Frame, ...]
    held_out: tuple[Frame, ...]


def hold_out(frames: Sequence[Frame], share: float = 0.2) -> Split:
    """
    Hold blocks of time out: of every `1/share` blocks of a sequence, the middle one.

    Each sequence is cut in time into twice `1/share` blocks of equal length, so ten of which
    the third and the eighth are held out by default. Whole blocks, since single frames have
    neighbours in the training part that look just like them, and errors on them say nothing.
    Raises DatasetError for fewer frames than can be split.
    """
    if len(frames) < MIN_FRAMES:
        raise DatasetError(
            f'{len(frames)} labelled frames are too few to train on; at least {MIN_FRAMES} are '
            'needed, and hundreds to be of use: record longer, or raise --rate'
        )
    period = max(round(1 / share), 2)
    train: list[Frame] = []
    held_out: list[Frame] = []
    for sequence in sorted({frame.sequence for frame in frames}):
        own = [frame for frame in frames if frame.sequence == sequence]
        own.sort(key=lambda frame: frame.stamp_ns)
        for number, block in enumerate(np.array_split(np.arange(len(own)), 2 * period)):
            part = held_out if number % period == period // 2 else train
            part.extend(own[index] for index in block)
    return Split(tuple(train), tuple(held_out))
