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
One position of several rays, of which some are wrong: ours.

A position is the mean of the neighbours that agree, weighted by how sure each is (see `ways`).
Rays that may as well be parallel, by their noise, leave it open, and the answer is that there is
none: where cameras are close together noisy rays cross right beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError
from posenet_ros.fusion.neighbours import Neighbours
from posenet_ros.fusion.rays import cross, widest_angle
from posenet_ros.fusion.ways import Noise, Ways
from posenet_ros.fusion.weights import cauchy_weights, effective_number

# So many hypotheses are refined, the best first.
_REFINED, _FEW_STEPS = 5, 3
_MOST_STEPS = 30
_STILL = 1e-9
# Of the largest eigenvalue of an information matrix; less is rounding.
_SINGULAR = 1e-12
# Rays to a point at infinity may be what is seen unless they are less likely by so much: five
# deviations, since noisy rays cross too near, and less than their covariance says.
_OPEN_CHI2 = 25.0
# Times the angle within which rays agree: those that do not count up to that.
_OUTLYING = 3.0


@dataclass(frozen=True)
class PositionOptions:
    """
    What makes a position of rays.

    Rays agree with a point that is at most `within_rad` off them, ahead; those of neighbours that
    tell how sure they are, with one within three deviations. At least `least` of them must, and a
    `share` of all. Hypotheses are where two cross that are `apart_rad` from parallel. `alike` is
    the correlation of what is wrong with any two of them: what one network says of one image is
    wrong in part in the same way for all, and a mean of many is not as sure as it would seem.
    """

    within_rad: float = math.radians(10)
    least: int = 3
    share: float = 0.35
    apart_rad: float = math.radians(4)
    noise: Noise = field(default_factory=Noise)
    alike: float = 0.0

    def enough(self, usable: int) -> int:
        """Return how many of so many neighbours must agree."""
        return max(self.least, math.ceil(self.share * usable))

    def __post_init__(self) -> None:
        """Refuse limits that take anything, or nothing."""
        angles = 0 < self.within_rad <= math.pi / 2 and 0 <= self.apart_rad <= math.pi / 2
        shares = 0 <= self.share < 1 and 0 <= self.alike <= 1
        if not angles or self.least < 1 or not shares:
            raise ConfigError(f'nothing can be located by {self}')


class Position(NamedTuple):
    """
    Where the camera is, or why nobody knows.

    `centre_3` with its `covariance_33` in axes of the map are None where there is a `reason`;
    `agree_N` are the neighbours that say so. `guess_3` is the best there is in any case, nothing
    to act on, None where there is nothing.
    """

    centre_3: NDArray[np.float64] | None
    covariance_33: NDArray[np.float64] | None
    agree_N: NDArray[np.bool_]
    reason: str
    guess_3: NDArray[np.float64] | None


def locate(neighbours: Neighbours, options: PositionOptions) -> Position:
    """
    Return the position that most rays agree with.

    Hypotheses are where two rays cross, and, where distances are told, the end of each ray. The
    cost of one is the sum of squared angles, each at most `within_rad` (MSAC: Torr, Zisserman,
    2000); the best few are refined on what agrees with them, until that stays the same (locally
    optimised RANSAC: Chum, Matas, Kittler, 2003, with all samples drawn). What agrees weighs by
    how far it is off beside the others, so that of six exact rays and one that passes near by
    accident the six remain. Neighbours that are not usable agree with nothing. As many as must
    agree, so many have to be about as sure: see `confirmed`.
    """
    usable = np.flatnonzero(neighbours.usable_N)
    ways = Ways(neighbours, options.noise, options.within_rad, options.least)
    search = _Search(ways, options)
    points_H3 = search.hypotheses()
    agree_N = np.zeros(len(neighbours), dtype=bool)
    if not len(points_H3):
        return Position(None, None, agree_N, _why_none(ways, len(neighbours)), None)
    order = np.argsort(search.costs(points_H3), kind='stable')[:_REFINED]
    refined = [search.refine(points_H3[index], _FEW_STEPS) for index in order]
    best = search.refine(min(refined, key=lambda each: each.cost).centre_3, _MOST_STEPS)
    agree_N[usable[best.agree_N]] = True
    reason = search.objection(best)
    if reason:
        return Position(None, None, agree_N, reason, best.centre_3)
    return Position(best.centre_3, search.covariance(best), agree_N, '', best.centre_3)


class _Refined(NamedTuple):
    """
    A point, its cost, which of the rays agree, and the information on it.

    `grown` is how many times larger variances are than is usual, `told` how many distances count,
    and `many` of how many that are equally sure it would be the mean.
    """

    centre_3: NDArray[np.float64]
    cost: float
    agree_N: NDArray[np.bool_]
    information_33: NDArray[np.float64]
    grown: float
    told: int
    many: float


class _Search:
    """Looks for the point that most ways lead to."""

    def __init__(self, ways: Ways, options: PositionOptions) -> None:
        self.ways, self.options = ways, options

    def hypotheses(self) -> NDArray[np.float64]:
        """Return where pairs cross ahead, and where rays end whose length is told."""
        crossings = cross(self.ways.centres_N3, self.ways.directions_N3)
        sound = crossings.ahead_P & (crossings.angles_P >= self.options.apart_rad)
        sound &= np.isfinite(crossings.points_P3).all(axis=1)
        return np.concatenate([crossings.points_P3[sound], self.ways.ends()])

    def costs(self, points_H3: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is against each of some points."""
        return (np.minimum(self.ways.off(points_H3), self.options.within_rad) ** 2).sum(axis=1)

    def refine(self, start_3: NDArray[np.float64], steps: int) -> _Refined:
        """Return the mean of what agrees with a point, and agrees with that again."""
        centre_3 = start_3
        agree_N, information, grown, told = self._agreeing(centre_3), np.zeros((3, 3)), 1.0, 0
        many = 1.0
        for _ in range(steps):
            omega_n33, said_n3, told_n = self.ways.said(agree_N, centre_3)
            left_n3 = centre_3 - said_n3
            off_n = np.sqrt(np.einsum('ni,nij,nj->n', left_n3, omega_n33, left_n3))
            # Those that tell a distance are off in three directions, others in two.
            weight_n = cauchy_weights(off_n, 3 if told_n.all() else 2)
            told = int(told_n.sum())
            many = effective_number(weight_n * np.trace(omega_n33, axis1=1, axis2=2))
            information = np.einsum('n,nij->ij', weight_n, omega_n33)
            eigenvalues = np.linalg.eigvalsh(information)
            if eigenvalues[0] <= _SINGULAR * eigenvalues[-1]:
                break
            freedom = float(weight_n @ (2 + told_n)) - 3
            grown = float(weight_n @ off_n**2) / freedom if freedom > 0 else 1.0
            mean = np.linalg.solve(
                information, np.einsum('n,nij,nj->i', weight_n, omega_n33, said_n3)
            )
            moved, centre_3 = np.linalg.norm(mean - centre_3), mean
            before, agree_N = agree_N, self._agreeing(centre_3)
            still = moved <= _STILL * (1 + np.abs(centre_3).max())
            if still and (agree_N == before).all():
                break
        cost = float(self.costs(centre_3[None])[0])
        return _Refined(centre_3, cost, agree_N, information, max(grown, 1.0), told, many)

    def _agreeing(self, centre_3: NDArray[np.float64]) -> NDArray[np.bool_]:
        return self.ways.off(centre_3[None])[0] <= self.options.within_rad

    def objection(self, found: _Refined) -> str:
        """Return why a point is no answer, or ''."""
        agree, least = int(found.agree_N.sum()), self.options.enough(len(self.ways))
        if agree < least:
            return f'{agree} of {len(self.ways)} neighbours agree, and {least} must'
        if found.told < self.options.least and self._may_be_parallel(found):
            apart = math.degrees(widest_angle(self.ways.directions_N3[found.agree_N]))
            return f'the rays may as well be parallel: they are {apart:.1f} deg apart at most'
        eigenvalues = np.linalg.eigvalsh(found.information_33)
        if eigenvalues[0] <= _SINGULAR * eigenvalues[-1]:
            return 'the rays leave the position open'
        return ''

    def _may_be_parallel(self, found: _Refined) -> bool:
        """Tell whether a point at infinity, in some direction, explains all rays about as well."""
        rays_N3 = self.ways.directions_N3
        far_W3 = np.concatenate([rays_N3, rays_N3[found.agree_N].sum(axis=0)[None]])
        across_WN = np.linalg.norm(np.cross(far_W3[:, None], rays_N3[None]), axis=2)
        at_infinity_WN = np.arctan2(across_WN, far_W3 @ rays_N3.T)
        most_N = np.where(found.agree_N, math.pi, _OUTLYING * self.options.within_rad)
        here_N = np.minimum(self.ways.off(found.centre_3[None])[0], most_N)
        # The few whose ways end somewhere are not asked.
        open_N = ~self.ways.sure_N
        far_WN = np.minimum(at_infinity_WN, most_N)[:, open_N]
        worse = (far_WN**2).sum(axis=1).min() - (here_N[open_N] ** 2).sum()
        return bool(worse < _OPEN_CHI2 * self.options.noise.angle_rad**2 * found.grown)

    def covariance(self, found: _Refined) -> NDArray[np.float64]:
        """
        Return the covariance of a mean, larger where rays differ by more than is usual.

        And where errors are alike: of n that are equally sure and correlated by r, the mean has
        1 + r (n - 1) times the variance.
        """
        alike = 1 + self.options.alike * (found.many - 1)
        covariance = np.linalg.inv(found.information_33) * found.grown * alike
        return (covariance + covariance.T) / 2


def _why_none(ways: Ways, given: int) -> str:
    if len(ways) < given:
        return f'{len(ways)} of {given} neighbours are usable, and none of their rays cross ahead'
    return 'there are no neighbours' if not given else 'no rays cross ahead of their cameras'
