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

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.errors import DatasetError

MIN_FRAMES = 10
# Blocks of a sequence. Two would be two places, and the figures a matter of where they fall; a
# sequence that is too short for a frame in each of four makes do with them.
_BLOCKS = 4
_FEWEST_BLOCKS = 2
# So many times the usual step between two frames, and the camera was away or stood still.
_GAP_STEPS = 5


class Split(NamedTuple):
    """Frames to train on, and blocks of frames to measure on; no frame is in both."""

    train: tuple[Frame, ...]
    blocks: tuple[tuple[Frame, ...], ...]

    @property
    def held_out(self) -> tuple[Frame, ...]:
        """All frames to measure on, block after block."""
        return tuple(chain.from_iterable(self.blocks))

    @property
    def share(self) -> float:
        """The share of all frames that is held out; times decide it, so not quite as asked."""
        return len(self.held_out) / (len(self.held_out) + len(self.train))


def hold_out(frames: Sequence[Frame], share: float = 0.2) -> Split:
    """
    Hold four blocks of time out of every sequence, one in the middle of each quarter.

    Together they last `share` of the sequence: by default each is a twentieth. Whole blocks,
    since single frames have neighbours in the training part that look just like them, and
    errors on them say nothing. A gap in time counts as one step, so that no block is only a gap;
    sequences that are too short for two blocks are strung together. Raises DatasetError where
    the share is less than two frames.
    """
    if len(frames) < MIN_FRAMES:
        raise DatasetError(
            f'{len(frames)} labelled frames are too few to train on; at least {MIN_FRAMES} are '
            'needed, and hundreds to be of use: record longer, or raise --rate'
        )
    train: list[Frame] = []
    blocks: list[tuple[Frame, ...]] = []
    for timeline in _timelines(frames, share):
        if not _fills_blocks(timeline, share):
            train += timeline
            continue
        parts = _held_out(timeline, share)
        blocks += [tuple(timeline[part]) for part in parts]
        starts = [0, *(part.stop for part in parts)]
        stops = [*(part.start for part in parts), len(timeline)]
        for start, stop in zip(starts, stops, strict=True):
            train += timeline[start:stop]
    if not blocks:
        raise DatasetError(
            f'held_out {share:g} of {len(frames)} frames is less than two, and two blocks are the '
            'least to measure on: raise it (--set held_out=0.2), or record longer'
        )
    return Split(tuple(train), tuple(blocks))


def _fills_blocks(timeline: Sequence[Frame], share: float) -> bool:
    """Tell whether a share of a timeline is at least a frame for each of the fewest blocks."""
    return share * len(timeline) >= _FEWEST_BLOCKS - 1e-9


def _timelines(frames: Sequence[Frame], share: float) -> Iterator[list[Frame]]:
    """Yield the frames of each sequence in order of time, and short sequences as if one."""
    strung: list[Frame] = []
    for sequence in sorted({frame.sequence for frame in frames}):
        own = [frame for frame in frames if frame.sequence == sequence]
        own.sort(key=lambda frame: frame.stamp_ns)
        if _fills_blocks(own, share):
            yield own
        else:
            strung += own
    if strung:
        yield strung


def _held_out(timeline: Sequence[Frame], share: float) -> list[slice]:
    """Return the blocks of a timeline; each has a frame."""
    places = _places(np.array([frame.stamp_ns for frame in timeline], dtype=np.int64))
    parts = []
    count = _BLOCKS if share * len(timeline) >= _BLOCKS - 1e-9 else _FEWEST_BLOCKS
    half = share / count / 2
    for block in range(count):
        middle = (block + 0.5) / count
        start, stop = np.searchsorted(places, [middle - half, middle + half])
        # Where frames are far apart, a block may fall between two.
        parts.append(slice(int(start), int(max(stop, start + 1))))
    return parts


def _places(stamps_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where in its timeline each frame is, from 0 to 1, where gaps take a usual step."""
    steps = np.diff(stamps_ns).astype(np.float64)
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    # A step back leads to the next of several short sequences.
    steps[(steps <= 0) | (steps > _GAP_STEPS * usual)] = usual
    times = np.concatenate([[0.0], np.cumsum(steps)]) + usual / 2
    return times / (times[-1] + usual / 2)
