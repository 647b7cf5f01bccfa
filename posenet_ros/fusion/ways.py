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
What each neighbour says of where the camera is: a way from its own, and how sure it is of that.

Across its way and along it as it tells itself, or else across it as the usual angle and the
distance make it, and along it as the usual error of the distance, or endless where none is told.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError
from posenet_ros.fusion.neighbours import Neighbours
from posenet_ros.fusion.rays import angles_off
from posenet_ros.fusion.weights import confirmed

# What is further off, in deviations, is a mistake.
_FAR_OFF = 3.0


@dataclass(frozen=True)
class Noise:
    """
    What is usual of a relative pose: standard deviations.

    `angle_rad` of its direction in each of the two ways across, `distance` as a share of it,
    `rotation_rad` about each axis, and `floor_m`, below which neither says anything: from that
    near every direction leads to the camera.
    """

    angle_rad: float = math.radians(6)
    distance: float = 0.35
    floor_m: float = 0.05
    rotation_rad: float = math.radians(6)

    def __post_init__(self) -> None:
        """Refuse relative poses that are exact, or worth nothing."""
        sizes = (self.angle_rad, self.distance, self.floor_m, self.rotation_rad)
        if not all(0 < size < math.inf for size in sizes):
            raise ConfigError(f'the noise of relative poses is above 0 and finite, not {self}')


class Ways:
    """
    The ways of the neighbours that are usable.

    What is `within_rad` off a ray agrees with it, and of those that tell how sure they are, none
    counts as much surer than the `least`-th: see `confirmed`.
    """

    def __init__(
        self, neighbours: Neighbours, noise: Noise, within_rad: float, least: int
    ) -> None:
        """Take neighbours, of which some may not be usable."""
        usable_N = neighbours.usable_N
        self.centres_N3 = neighbours.centres_N3[usable_N]
        self.directions_N3 = neighbours.directions_N3[usable_N]
        self.distances_N = neighbours.distances_N[usable_N]
        self._noise, self._within_rad = noise, within_rad
        deviations_N3 = neighbours.deviations_N3[usable_N]
        # Who tells how sure it is of where its way ends, and how sure.
        self.sure_N = np.isfinite(self.distances_N) & np.isfinite(deviations_N3).all(axis=1)
        self._across_N, self._along_N = (
            confirmed(deviations_N, least) for deviations_N in deviations_N3[:, :2].T
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.centres_N3)

    def ends(self) -> NDArray[np.float64]:
        """Return where the ways end (E, 3) whose length is told."""
        told = np.isfinite(self.distances_N)
        along = self.distances_N[told, None] * self.directions_N3[told]
        return self.centres_N3[told] + along

    def off(self, points_H3: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Return the angles (H, N) by which points are off, or what counts as such.

        From within the floor of a camera every direction leads to it, so that its ray says
        nothing: it counts as off, unless its distance says that it is there. Where a neighbour
        tells how sure it is, it counts how many deviations a point is from the end of its way,
        three of them as much as the angle within which rays agree.
        """
        noise = self._noise
        off_HN = angles_off(points_H3, self.centres_N3, self.directions_N3)
        to_HN = np.linalg.norm(points_H3[:, None] - self.centres_N3[None], axis=2)
        with np.errstate(invalid='ignore'):
            there_N = self.distances_N <= _FAR_OFF * noise.floor_m
        within_HN = np.where(there_N, 0.0, math.pi)
        off_HN = np.where(to_HN <= noise.floor_m, within_HN, off_HN)
        if self.sure_N.any():
            deviations_Hs = self._deviations_off(points_H3)
            off_HN[:, self.sure_N] = self._within_rad * deviations_Hs / _FAR_OFF
        return off_HN

    def _deviations_off(self, points_H3: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how many deviations points are from what each of the sure ones says (H, s)."""
        sure_N = self.sure_N
        u_s3, told_s = self.directions_N3[sure_N], self.distances_N[sure_N]
        to_Hs3 = points_H3[:, None] - self.centres_N3[None, sure_N]
        away_Hs = np.einsum('hsi,si->hs', to_Hs3, u_s3)
        beside_Hs = np.linalg.norm(to_Hs3 - away_Hs[..., None] * u_s3, axis=2)
        across_Hs = _widened(self._across_N[sure_N], away_Hs, told_s)
        return np.hypot(beside_Hs / across_Hs, (away_Hs - told_s) / self._along_N[sure_N])

    def said(
        self, agree_N: NDArray[np.bool_], centre_3: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Return information (n, 3, 3), what points it is on (n, 3), and who told a distance."""
        noise = self._noise
        u_n3, start_n3 = self.directions_N3[agree_N], self.centres_N3[agree_N]
        told_n = self.distances_N[agree_N]
        away_n = np.einsum('ni,ni->n', centre_3 - start_n3, u_n3)
        across_n = (noise.angle_rad * away_n) ** 2 + noise.floor_m**2
        along_n = (noise.distance * told_n) ** 2 + noise.floor_m**2
        sure_n = self.sure_N[agree_N]
        if sure_n.any():
            wide_n = _widened(self._across_N[agree_N], away_n, told_n)
            across_n = np.where(sure_n, wide_n**2, across_n)
            along_n = np.where(sure_n, self._along_N[agree_N] ** 2, along_n)
        with np.errstate(invalid='ignore'):
            counts_n = np.abs(away_n - told_n) <= _FAR_OFF * np.sqrt(along_n)
        weight_n = np.where(counts_n, 1 / np.where(counts_n, along_n, 1.0), 0.0)
        line_n33 = u_n3[:, :, None] * u_n3[:, None, :]
        omega = (np.eye(3) - line_n33) / across_n[:, None, None]
        omega += line_n33 * weight_n[:, None, None]
        # Without a distance any point of the ray will do.
        said_n3 = start_n3 + np.where(counts_n, told_n, away_n)[:, None] * u_n3
        return omega, said_n3, counts_n


def _widened(
    across: NDArray[np.float64], away: NDArray[np.float64], told: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return how wide a ray is at some distance, by its deviation across at the one that is told.

    Beyond that it widens in proportion where it is long beside its width; of one that is not, the
    direction is not known anyway.
    """
    farther = np.fmax(away, told)
    return across * np.hypot(farther, across) / np.hypot(told, across)
