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
From single poses to a fix: only what enough recent frames agree on, and honest about how sure.

A regressor answers every image and errs alike in all that show the same, so its frames count by
views and not by number. Poses that the map verified count by themselves, two at the least.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.recovery.agreement import Mean, pairwise, robust_mean, squared_distances, Stack
from posenet_ros.recovery.checks import check_numbers
from posenet_ros.recovery.drift import Drift, Reading
from posenet_ros.recovery.fix import Fix, Lack, NoFix
from posenet_ros.recovery.frames import Frame, Frames, thinned, with_odometry
from posenet_ros.recovery.observation import Kind, Observation
from posenet_ros.recovery.odometry import OdometryBuffer
from posenet_ros.recovery.views import count_views, ViewOptions
from scipy.spatial.transform import Rotation
from scipy.special import gammaincinv


@dataclass(frozen=True)
class ConsensusOptions:
    """
    What makes a fix.

    Frames of the last `window_s` count, at most `most` of them, and the newest with a pose must
    not be older than `oldest_s`. At most the share `most_refused` may be refused. `verified`
    frames that agree make a fix; without so many, `regressed` ones of `views` different views
    do. Two agree within the `agreement` quantile of their joint covariance, to which
    each brings at least `floor_m` and `floor_rad`. At least the share `agreeing` of the frames
    that the fix could rest on must agree, and no rival may: no two verified
    frames, nor the share `rival` of all and at least three, that agree on a pose more than
    `elsewhere_m` or `elsewhere_rad` away. Those that agree must not scatter, in any direction, by
    more than `scatter` times the variance that they tell, as do the answers of a network that is
    stuck at one while the robot drives on.
    """

    window_s: float = 3.0
    most: int = 14
    oldest_s: float = 2.0
    most_refused: float = 0.5
    verified: int = 2
    regressed: int = 5
    views: int = 2
    agreement: float = 0.999
    floor_m: float = 0.03
    floor_rad: float = math.radians(1)
    agreeing: float = 0.65
    rival: float = 0.25
    scatter: float = 4.0
    elsewhere_m: float = 0.75
    elsewhere_rad: float = math.radians(30)
    view: ViewOptions = field(default_factory=ViewOptions)

    def __post_init__(self) -> None:
        """Refuse what would make a fix of one frame, or of frames that disagree."""
        check_numbers(
            self,
            at_least=1e-3,
            most=(4, 64),
            most_refused=(0.0, 0.95),
            verified=(2, 32),
            regressed=(3, 64),
            views=(2, 32),
            agreement=(0.5, 1 - 1e-9),
            agreeing=(0.5, 1.0),
            rival=(0.01, 0.5),
        )
        if max(self.verified, self.regressed) > self.most:
            raise ConfigError(f'{self.most} frames at most cannot be the {self.regressed} needed')


class Consensus:
    """Collects observations in any order, and tells what they agree on."""

    def __init__(
        self, options: ConsensusOptions | None = None, drift: Drift | None = None
    ) -> None:
        """Start without frames."""
        self.options = options or ConsensusOptions()
        self.drift = drift or Drift()
        self.frames = Frames(self.options.window_s)
        # The quantile of chi squared of 6 degrees of freedom, without scipy.stats, which takes a
        # second or two to import.
        self._reach = 2 * float(gammaincinv(6 / 2, self.options.agreement))
        floor = np.array([self.options.floor_m] * 3 + [self.options.floor_rad] * 3) ** 2
        self._floor = np.diag(floor)

    def clear(self) -> None:
        """Forget all frames."""
        self.frames.clear()

    def add(self, observation: Observation) -> None:
        """
        Take what an image says; the stamp may lie before others.

        Network and map may both speak of one image; the same again changes nothing, and an image
        that has a pose is not refused.
        """
        self.frames.add(observation)

    def find(self, now_ns: int, odometry: OdometryBuffer) -> Fix | NoFix:
        """Return the fix that the frames up to now make, or why they make none."""
        answered, refused = self.frames.recent(now_ns)
        early = self._objection(now_ns, answered, refused)
        if early:
            return early
        moving, missing = with_odometry(answered, odometry)
        if len(moving) < self.options.verified:
            return NoFix(Lack.NO_ODOMETRY, missing)
        kept = thinned(moving, self.options.most)
        verified = [each for each in kept if each.verified]
        able = verified if len(verified) >= self.options.verified else kept
        end = able[-1].reading
        stack = Stack.of(
            [each.observation.map_from_base for each in kept],
            [each.observation.covariance + self._floor for each in kept],
        ).moved([each.reading for each in kept], end, self.drift)
        return self._agreed(now_ns, kept, stack, end)

    def _objection(self, now_ns: int, answered: list[Frame], refused: list[Frame]) -> NoFix | None:
        options = self.options
        images = len({each.stamp_ns for each in answered}) + len(refused)
        if not images:
            return NoFix(Lack.TOO_FEW, f'no image came in the last {options.window_s:g} s')
        if len(refused) > options.most_refused * images:
            why = Counter(
                each.observation.reasons[0] for each in refused if each.observation.reasons
            )
            told = f': {why.most_common(1)[0][0]}' if why else ''
            return NoFix(Lack.OUT_OF_MAP, f'{len(refused)} of {images} frames are refused{told}')
        if len(answered) < options.verified:
            return NoFix(Lack.TOO_FEW, f'{len(answered)} frames have a pose')
        age = (now_ns - answered[-1].stamp_ns) / NS_PER_S
        if age > options.oldest_s:
            return NoFix(Lack.TOO_OLD, f'the last pose is {age:.1f} s old')
        return None

    def _agreed(self, now_ns: int, frames: list[Frame], stack: Stack, end: Reading) -> Fix | NoFix:
        options = self.options
        close = pairwise(stack) <= self._reach
        verified = np.array([each.verified for each in frames])
        rests_on = Kind.VERIFIED if verified.sum() >= options.verified else Kind.REGRESSED
        able = verified if rests_on is Kind.VERIFIED else np.ones(len(frames), dtype=bool)
        fewest = options.verified if rests_on is Kind.VERIFIED else options.regressed
        if able.sum() < fewest:
            return NoFix(
                Lack.TOO_FEW,
                f'{len(frames)} frames have a pose, {verified.sum()} of them verified; '
                f'{options.verified} verified ones make a fix, or {options.regressed} in all',
            )
        members, mean = self._members(stack, close, able)
        if members.sum() < max(fewest, options.agreeing * able.sum()):
            return NoFix(
                Lack.DISAGREE,
                f'{members.sum()} of {able.sum()} {_named(rests_on)}frames agree on a pose',
            )
        scatter = _scatter(stack, members, mean)
        if scatter > options.scatter:
            return NoFix(
                Lack.DISAGREE,
                f'{members.sum()} frames scatter by {math.sqrt(scatter):.1f} of the deviations '
                f'that they tell, not {math.sqrt(options.scatter):.1f}',
            )
        rival = self._rival(stack, close, verified, members, mean)
        if rival:
            return NoFix(Lack.DISAGREE, rival)
        chosen = [frame for frame, member in zip(frames, members, strict=True) if member]
        age = (now_ns - chosen[-1].stamp_ns) / NS_PER_S
        if age > options.oldest_s:
            return NoFix(Lack.TOO_OLD, f'the last frame that agrees is {age:.1f} s old')
        views = count_views([each.reading for each in chosen], options.view)
        if rests_on is Kind.REGRESSED and views < options.views:
            return NoFix(
                Lack.ONE_VIEW,
                f'{len(chosen)} frames that no points of the map confirm are of {views} view, '
                f'not {options.views}: what errs in one errs in all',
            )
        # Who hardly knows where it is agrees with anything.
        seconded = (self._within(stack, ~verified, mean) & ~self._elsewhere(stack, mean)).sum()
        return self._fix(chosen, mean, end, rests_on, len(frames), views, seconded)

    def _members(
        self, stack: Stack, close: NDArray[np.bool_], able: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], Mean]:
        """Return who agrees with the pose that most agree with, and the robust mean of these."""
        votes = np.where(able, (close & able).sum(axis=1), -1)
        # The newest of those with as many votes.
        seed = len(votes) - 1 - int(np.argmax(votes[::-1]))
        members = close[seed] & able
        mean = robust_mean(
            stack.select(members), stack.positions_N3[seed], stack.matrices_N33[seed]
        )
        within = self._within(stack, able, mean)
        if (within != members).any() and within.any():
            members = within
            mean = robust_mean(stack.select(members), mean.position, mean.matrix)
        return members, mean

    def _within(self, stack: Stack, among: NDArray[np.bool_], mean: Mean) -> NDArray[np.bool_]:
        """Tell which of some frames agree with a mean."""
        errors_N6 = stack.errors_about(mean.position, mean.matrix)
        reach_N = squared_distances(errors_N6, stack.covariances_N66 + mean.intersection)
        return among & (reach_N <= self._reach)

    def _rival(
        self,
        stack: Stack,
        close: NDArray[np.bool_],
        verified: NDArray[np.bool_],
        members: NDArray[np.bool_],
        mean: Mean,
    ) -> str | None:
        """Say so where frames agree among themselves on another place."""
        # Who may be here by what it tells of itself speaks of no other place.
        here = members | self._within(stack, np.ones_like(members), mean)
        far = self._elsewhere(stack, mean) & ~here
        fewest = max(3, self.options.rival * len(stack))
        for seed in np.flatnonzero(far):
            others = close[seed] & far
            if others.sum() >= fewest or (others & verified).sum() >= 2:
                metres, radians = (each[seed] for each in _off(stack, mean))
                return (
                    f'{members.sum()} frames say one place and {others.sum()} another, '
                    f'{metres:.1f} m and {np.degrees(radians):.0f} deg away'
                )
        return None

    def _elsewhere(self, stack: Stack, mean: Mean) -> NDArray[np.bool_]:
        """Tell which frames say another place than a mean, however sure they are of it."""
        metres_N, radians_N = _off(stack, mean)
        return (metres_N > self.options.elsewhere_m) | (radians_N > self.options.elsewhere_rad)

    def _fix(
        self,
        chosen: list[Frame],
        mean: Mean,
        end: Reading,
        kind: Kind,
        of_frames: int,
        views: int,
        seconded: int,
    ) -> Fix:
        pose = Pose(Rotation.from_matrix(mean.matrix), mean.position, 'map', 'base')
        covariance, newest = mean.covariance, chosen[-1].reading
        if newest.stamp_ns != end.stamp_ns:
            # Back to an instant at which a frame that agrees was taken.
            pose, covariance = self.drift.moved(pose, covariance, end, newest)
        return Fix(
            newest.stamp_ns,
            pose,
            covariance,
            kind,
            len(chosen),
            of_frames,
            views,
            chosen[-1].stamp_ns - chosen[0].stamp_ns,
            *mean.spread,
            int(seconded) if kind is Kind.VERIFIED else 0,
            newest,
        )


def _off(stack: Stack, mean: Mean) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far frames are from a mean (N,), in metres and radians."""
    errors_N6 = stack.errors_about(mean.position, mean.matrix)
    return np.linalg.norm(errors_N6[:, :3], axis=1), np.linalg.norm(errors_N6[:, 3:], axis=1)


def _scatter(stack: Stack, members: NDArray[np.bool_], mean: Mean) -> float:
    """Return by how many times the variance told frames scatter in the worst direction."""
    told = np.linalg.cholesky(stack.covariances_N66[members].mean(axis=0))
    whitened_6N = np.linalg.solve(told, mean.errors_N6.T)
    return float(np.linalg.norm(whitened_6N, ord=2) ** 2 / len(mean.errors_N6))


def _named(kind: Kind) -> str:
    return 'verified ' if kind is Kind.VERIFIED else ''
