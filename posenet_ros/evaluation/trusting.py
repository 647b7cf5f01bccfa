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

"""
Measure when a model may be believed: on held-out frames, as they are, disturbed, and mirrored.

A frame that is blurred, dark or seen from elsewhere (see `disturbed`) is still of the map, and its
error tells how the covariance has to grow with novelty. A mirrored frame has the colours and
textures of the map and shows a place that is not in it: the hardest stranger to be had without
leaving the room.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.evaluation.covariance import (
    residual_covariance,
    ResidualCovariance,
    residuals,
    Seen,
)
from posenet_ros.evaluation.disturbed import Disturb, Rgb
from posenet_ros.evaluation.stretches import Unseen, unseen
from posenet_ros.evaluation.told import by_axes, Settle, Settled
from posenet_ros.geometry import Pose
from posenet_ros.localization.regressor import Regressor
from posenet_ros.localization.retrieval import FeatureIndex, NearestImage
from posenet_ros.models.map_card import Measure
from posenet_ros.models.trust import FLOORS, Trust
from tqdm import tqdm

_MOST_DISTURBED = 40
_MOST_MIRRORED = 120
_BATCH = 16
_AS_USUAL = 2.0


class Calibrated(NamedTuple):
    """What a method's poses are worth: their covariance, and when it may be believed."""

    support: ResidualCovariance
    trust: Trust

    @property
    def measure(self) -> Measure:
        """What a card keeps of it."""
        return Measure(self.support.covariance, self.trust)


def calibrate(
    regressor: Regressor,
    nearest: NearestImage,
    train: Sequence[Frame],
    blocks: Sequence[Sequence[Frame]],
    disturb: Sequence[Disturb],
    stretches: Sequence[Seen],
    settle: Settle = by_axes,
) -> tuple[Calibrated, ...]:
    """
    Measure covariance by novelty on held-out blocks, and where refusing begins.

    Returns that of the regressor's poses, that of the poses of the nearest training images, of
    `nearest`, and, where poses come with covariances of their own, that of the former in units of
    these, by `settle`. `disturb` are what `disturbances` returns. All disturbed frames together
    count as much as all frames as they are. `stretches` are what `left_out` returns. Raises
    PosenetError when no held-out frame was answered.
    """
    strangers = _spread([*train, *chain(*blocks)], _MOST_MIRRORED)
    share = min(_MOST_DISTURBED / sum(map(len, blocks)), 1.0)
    few = [_spread(block, math.ceil(share * len(block))) for block in blocks]
    total = sum(map(len, blocks)) + sum(map(len, few)) * len(disturb) + len(strangers)
    with tqdm(total=total, desc='calibrating trust', unit='image', delay=2) as progress:
        seen = [
            _seen_of_block(regressor, nearest, block, some, disturb, progress)
            for block, some in zip(blocks, few)
        ]
        mirrored = _mirrored(regressor, nearest.index, strangers, progress)
    ways = (_as_they_are, _as_they_are, settle)
    return tuple(
        _calibrated(blocks, way, stretches, mirrored) for blocks, way in zip(zip(*seen), ways)
    )


def _as_they_are(blocks: Sequence[Sequence[Seen]]) -> Settled:
    return Settled(residual_covariance(blocks), blocks, in_holes=1.0)


def _calibrated(
    blocks: Sequence[Sequence[Seen]],
    settle: Settle,
    stretches: Sequence[Seen],
    foreign_N: NDArray[np.float64],
) -> Calibrated:
    support, blocks, in_holes = settle(blocks)
    beyond = unseen([block[0] for block in blocks], stretches if in_holes else ())
    beyond = beyond._replace(sizes=tuple(in_holes * size for size in beyond.sizes))
    return Calibrated(support, trust_of(support, blocks, foreign_N, beyond))


def trust_of(
    support: ResidualCovariance,
    blocks: Sequence[Sequence[Seen]],
    foreign_N: NDArray[np.float64],
    beyond: Unseen,
) -> Trust:
    """
    Conclude where refusing begins from what was seen, and from novelties of foreign images.

    A pose is right when both its errors are at most twice the medians of held-out frames as they
    are, and wrong ones decide nothing: a view so dark that nobody could tell is no stranger.
    """
    own = Seen.joined([block[0] for block in blocks])
    both = Seen.joined([seen for block in blocks for seen in block])
    right = np.ones(len(both.novelty_N), dtype=bool)
    for part in (slice(0, 3), slice(3, 6)):
        usual = np.median(np.linalg.norm(own.residuals_N6[:, part], axis=1))
        errors = np.linalg.norm(both.residuals_N6[:, part], axis=1)
        right &= errors <= np.maximum(_AS_USUAL * usual, FLOORS[part][0])
    right_N = both.novelty_N[right]
    limit = _border(right_N, foreign_N)
    by_novelty = support.by_novelty
    return Trust(
        by_novelty.lowest,
        by_novelty.typical,
        by_novelty.growth_position,
        by_novelty.growth_rotation,
        *beyond,
        support.half_reach,
        support.most_reach,
        limit,
        own_refused=float((right_N > limit).mean()),
        foreign_accepted=float((foreign_N <= limit).mean()),
    )


def _border(own_N: NDArray[np.float64], foreign_N: NDArray[np.float64]) -> float:
    """Return the novelty with the fewest of both kinds, as shares, on the wrong side of it."""
    values = np.unique(np.concatenate([own_N, foreign_N]))
    borders = (values[1:] + values[:-1]) / 2 if len(values) > 1 else values
    wrong = np.array([(own_N > b).mean() + (foreign_N <= b).mean() for b in borders])
    best = borders[wrong <= wrong.min() + 1e-12]
    return float((best[0] + best[-1]) / 2)


def _seen_of_block(
    regressor: Regressor,
    nearest: NearestImage,
    block: Sequence[Frame],
    few: Sequence[Frame],
    disturb: Sequence[Disturb],
    progress: tqdm,
) -> list[tuple[Seen, ...]]:
    """Return, by method, what was seen of a block, and of some of its frames disturbed."""
    own = _seen(regressor, nearest, block, _as_it_is, progress)
    others = [_seen(regressor, nearest, few, each, progress) for each in disturb]
    return [
        _weighted(seen, [each[way] for each in others if each]) for way, seen in enumerate(own)
    ]


def _weighted(own: Seen, others: Sequence[Seen]) -> tuple[Seen, ...]:
    """Have all others together count as much as all frames as they are."""
    share = len(own.weight_N) / max(sum(len(each.weight_N) for each in others), 1)
    return (own, *(each._replace(weight_N=share * each.weight_N) for each in others))


def _as_it_is(rgb: Rgb, frame: Frame, number: int) -> tuple[Rgb, Pose]:
    return rgb, frame.map_from_camera


def _seen(
    regressor: Regressor,
    nearest: NearestImage,
    frames: Sequence[Frame],
    disturb: Disturb,
    progress: tqdm,
) -> tuple[Seen, ...]:
    """Return what was seen by method (see `calibrate`); nothing where no frame could be made."""
    parts = []
    for start in range(0, len(frames), _BATCH):
        part = frames[start : start + _BATCH]
        made = [disturb(read_image(frame.image), frame, start + n) for n, frame in enumerate(part)]
        progress.update(len(part))
        shown = [each for each in made if each is not None]
        if not shown:
            continue
        found = regressor.regress([rgb for rgb, _ in shown])
        novelty_N = nearest.index.novelty(found.features)
        truth = [pose for _, pose in shown]
        own = _compared(truth, found.poses, novelty_N)
        ways = [own, _compared(truth, nearest.poses(found.features), novelty_N)]
        if found.covariances is not None:
            told = [each for each in found.covariances if each is not None]
            ways.append(own._replace(told_N66=np.array(told).reshape(-1, 6, 6)))
        parts.append(ways)
    return tuple(Seen.joined(each) for each in zip(*parts))


def _compared(
    truth: Sequence[Pose], poses: Sequence[Pose | None], novelty_N: NDArray[np.float64]
) -> Seen:
    errors = residuals(truth, poses)
    answered = [pose is not None for pose in poses]
    return Seen(novelty_N[answered], errors, np.ones(len(errors)))


def _mirrored(
    regressor: Regressor, index: FeatureIndex, frames: Sequence[Frame], progress: tqdm
) -> NDArray[np.float64]:
    found = []
    for start in range(0, len(frames), _BATCH):
        part = frames[start : start + _BATCH]
        images = [np.ascontiguousarray(read_image(frame.image)[:, ::-1]) for frame in part]
        found.append(index.novelty(regressor.regress(images).features))
        progress.update(len(part))
    return np.concatenate(found)


def _spread(frames: Sequence[Frame], most: int) -> list[Frame]:
    """Return at most so many frames, evenly spread over all."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(most, len(frames))).round())
    return [frames[int(number)] for number in chosen]
