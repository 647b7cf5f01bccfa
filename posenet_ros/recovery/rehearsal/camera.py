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
Poses of images, drawn from a model of errors that the logic does not know.

Errors are those of what is seen: while the robot stands they stay, and they change over about a
metre or half a turn of the head. Their sizes vary from place to place, which makes long tails.
Some views are taken for another place altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import NS_PER_S, Pose
from posenet_ros.recovery.observation import Kind, Observation
from posenet_ros.recovery.rehearsal.drive import Drive, RATE_HZ
from posenet_ros.recovery.rehearsal.floor import anywhere, to_twin
from posenet_ros.recovery.rehearsal.scenario import (
    REGRESSED_SIGMAS,
    Scenario,
    VERIFIED_SIGMAS,
)
from scipy.spatial.transform import Rotation

# Errors change with so many metres driven or radians turned.
_VIEW_M, _VIEW_RAD = 0.7, math.radians(35)
# The part of errors that is new in every image, and how much sizes of errors vary by place.
_NEW_SHARE, _TAILS = 0.25, 0.4
_REGRESSED_S, _VERIFIED_S = 0.04, 0.35
_VERIFIED_HZ = 3.0
# Views that show enough of the map, and among those of places that have a twin.
_VERIFIABLE, _VERIFIABLE_TWIN = 0.85, 0.5
# Longest burst of blurred frames.
_BURST_S = 0.8


@dataclass(frozen=True, eq=False)
class Seen:
    """What one image says, made when it is asked for, and when it is there."""

    arrives_ns: int
    observation: Callable[[], Observation]


def draw_images(drive: Drive, scenario: Scenario, rng: np.random.Generator) -> Sequence[Seen]:
    """Return what images of a drive say, in the order in which it is known."""
    samples = _samples(len(drive), scenario.rate_hz)
    truth_N3 = drive.truth_N3[samples]
    view_N = np.cumsum(drive.way_N2[:, 0] / _VIEW_M + drive.way_N2[:, 1] / _VIEW_RAD)
    # Carried through the air a robot sees ever new places.
    view_N = view_N + np.clip(np.arange(len(drive)) - drive.lifted, 0, None).clip(
        max=drive.set_down - drive.lifted
    )
    view_N = view_N[samples]
    carried_N = (samples >= drive.lifted) & (samples < drive.set_down)
    gone_N = (samples >= drive.set_down) & (not scenario.in_map)
    numbers_N = np.unique(np.floor(view_N), return_inverse=True)[1]
    draws = _Draws(view_N, numbers_N, scenario, rng)
    mistaken_N = draws.visits(truth_N3, scenario.mistaken)
    refused_N = bursts(len(samples), scenario.refused, scenario.rate_hz, rng) | (
        carried_N & (rng.random(len(samples)) < 0.7)
    )
    refused_N |= gone_N & (rng.random(len(samples)) < 0.97)
    regressed_N3 = draws.poses(truth_N3, mistaken_N, gone_N | carried_N, scenario.outliers)
    errors_N6 = draws.errors(REGRESSED_SIGMAS)
    stamps_N = samples * (NS_PER_S // RATE_HZ)
    sizes_N = np.exp(0.2 * rng.standard_normal(numbers_N.max() + 1))[numbers_N]
    seen = _observed(
        stamps_N,
        regressed_N3,
        errors_N6,
        refused_N,
        REGRESSED_SIGMAS,
        Kind.REGRESSED,
        _REGRESSED_S,
        sizes_N,
    )
    if scenario.verification:
        seen += _verified(draws, truth_N3, stamps_N, mistaken_N, carried_N | gone_N, refused_N)
    return sorted(seen, key=lambda each: each.arrives_ns)


def _samples(length: int, rate_hz: float) -> NDArray[np.int64]:
    return np.arange(0, length, max(RATE_HZ / rate_hz, 1.0)).astype(np.int64)


def bursts(
    count: int, share: float, rate_hz: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return which of so many frames are spoilt, about a share of them, by some at a time."""
    longest = max(round(_BURST_S * rate_hz), 1)
    begins = np.flatnonzero(rng.random(count) < share / ((longest + 1) / 2))
    spoilt = np.zeros(count, dtype=bool)
    for first in begins:
        spoilt[first : first + int(rng.integers(1, longest + 1))] = True
    return spoilt


class _Draws:
    """What goes with the views of one drive."""

    def __init__(
        self,
        view_N: NDArray[np.float64],
        numbers_N: NDArray[np.int64],
        scenario: Scenario,
        rng: np.random.Generator,
    ) -> None:
        self.view_N, self.numbers_N = view_N, numbers_N
        self.scenario, self.rng = scenario, rng

    def per_view(self, chance: float) -> NDArray[np.bool_]:
        """Draw for each view, alike in all of its images."""
        return (self.rng.random(self.numbers_N.max() + 1) < chance)[self.numbers_N]

    def visits(self, truth_N3: NDArray, chance: float) -> NDArray[np.bool_]:
        """Draw for each visit to a place that has a twin."""
        there_N = to_twin(truth_N3).any(axis=1)
        number_N = np.cumsum(np.diff(there_N.astype(int), prepend=0) == 1)
        return there_N & (self.rng.random(number_N.max() + 1) < chance)[number_N]

    def poses(
        self, truth_N3: NDArray, mistaken_N: NDArray, gone_N: NDArray, outliers: float
    ) -> NDArray[np.float64]:
        """Return what images are taken for: where they are, the twin of that, or anywhere."""
        poses_N3 = truth_N3.copy()
        poses_N3[mistaken_N, :2] += to_twin(truth_N3)[mistaken_N]
        wrong_N = self.per_view(outliers) | gone_N
        for number in np.unique(self.numbers_N[wrong_N]):
            poses_N3[wrong_N & (self.numbers_N == number)] = anywhere(self.rng)
        return poses_N3

    def errors(self, sigmas: tuple[float, float, float, float]) -> NDArray[np.float64]:
        """Return errors (N, 6) that stay while the view does."""
        along, up, tilt, yaw = sigmas
        sizes = self.scenario.errors * np.array([along, along, up, tilt, tilt, yaw])
        kept_N = np.exp(-np.diff(self.view_N, prepend=self.view_N[:1]))
        draws_N7 = self.rng.standard_normal((len(self.view_N), 7))
        new_N = np.sqrt(1 - kept_N**2)
        for index in range(1, len(draws_N7)):
            draws_N7[index] = kept_N[index] * draws_N7[index - 1] + new_N[index] * draws_N7[index]
        tails_N = np.exp(_TAILS * draws_N7[:, 6])[:, None]
        fresh_N6 = self.rng.standard_normal((len(self.view_N), 6))
        share = _NEW_SHARE
        return sizes * tails_N * (math.sqrt(1 - share**2) * draws_N7[:, :6] + share * fresh_N6)


def _verified(
    draws: _Draws,
    truth_N3: NDArray,
    stamps_N: NDArray,
    mistaken_N: NDArray,
    nowhere_N: NDArray,
    refused_N: NDArray,
) -> list[Seen]:
    """Return what the map says of every few images, where it says anything."""
    scenario, rng = draws.scenario, draws.rng
    every = max(round(scenario.rate_hz / _VERIFIED_HZ), 1)
    has_twin_N = to_twin(truth_N3).any(axis=1)
    able_N = np.where(
        has_twin_N, draws.per_view(_VERIFIABLE_TWIN), draws.per_view(_VERIFIABLE)
    ).astype(bool)
    by_chance_N = draws.per_view(scenario.false_verified)
    chance = scenario.twin_verified
    fooled_N = draws.visits(truth_N3, chance) if scenario.twin_visits else draws.per_view(chance)
    twin_N = fooled_N & has_twin_N & (mistaken_N | scenario.twin_visits)
    poses_N3 = draws.poses(truth_N3, twin_N, by_chance_N, 0.0)
    told_N = (able_N & ~nowhere_N & ~refused_N) | by_chance_N | twin_N
    told_N &= (np.arange(len(told_N)) % every == 0) & ~(refused_N & ~by_chance_N)
    chosen = np.flatnonzero(told_N)
    errors_N6 = draws.errors(VERIFIED_SIGMAS)
    late_s = _VERIFIED_S * float(np.exp(0.3 * rng.standard_normal()))
    return _observed(
        stamps_N[chosen],
        poses_N3[chosen],
        errors_N6[chosen],
        np.zeros(len(chosen), dtype=bool),
        VERIFIED_SIGMAS,
        Kind.VERIFIED,
        late_s,
        np.ones(len(chosen)),
    )


def _observed(
    stamps_N: NDArray,
    poses_N3: NDArray,
    errors_N6: NDArray,
    refused_N: NDArray,
    sigmas: tuple[float, float, float, float],
    kind: Kind,
    late_s: float,
    sizes_N: NDArray,
) -> list[Seen]:
    """Make observations of poses on the floor with errors; told covariances vary by `sizes_N`."""
    if not len(stamps_N):
        return []
    along, up, tilt, yaw = sigmas
    told = np.diag(np.array([along, along, up, tilt, tilt, yaw]) ** 2)
    rotations = Rotation.from_rotvec(errors_N6[:, 3:] * sizes_N[:, None]) * Rotation.from_euler(
        'z', poses_N3[:, 2:]
    )
    positions_N3 = errors_N6[:, :3] * sizes_N[:, None]
    positions_N3[:, :2] += poses_N3[:, :2]
    late_ns = round(late_s * NS_PER_S)

    def make(index: int, stamp_ns: int) -> Observation:
        if refused_N[index]:
            return Observation.refused(stamp_ns, 'looks like no place of the map')
        pose = Pose(rotations[index], positions_N3[index], 'map', 'base')
        return Observation(stamp_ns, pose, sizes_N[index] ** 2 * told, kind)

    return [
        Seen(stamp_ns + late_ns, partial(make, index, stamp_ns))
        for index, stamp_ns in enumerate(stamps_N.tolist())
    ]
