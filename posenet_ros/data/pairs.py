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

"""Pairs of posed images that see something in common: what a network of relative poses learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError, DatasetError
from posenet_ros.geometry import Camera, Pose
from scipy.spatial import cKDTree

# Points that a view is taken to hold: so many across and down, at these shares of the distance.
_ACROSS, _DOWN = 4, 3
_SHARES = (0.5, 1.0, 2.0)
_AT_ONCE = 4096
# Pairs are drawn evenly over so many steps of the logarithm of their distance.
_STEPS = 8


@dataclass(frozen=True)
class PairOptions:
    """
    Which two images are a pair.

    Either shows at least `overlap` of what the other shows, where things are about `distance_m`
    away; cameras are between `nearest_m` and `farthest_m` apart. With `across`, and where there
    is more than one sequence, they are of different ones.
    """

    overlap: float = 0.25
    distance_m: float = 2.5
    nearest_m: float = 0.05
    farthest_m: float = 2.5
    across: bool = False

    def __post_init__(self) -> None:
        """Refuse limits that no pair, or any, is within."""
        sound = 0 < self.nearest_m < self.farthest_m < math.inf and 0 < self.overlap <= 1
        if not (sound and 0 < self.distance_m < math.inf):
            raise ConfigError(f'no pairs can be chosen by {self}')


@dataclass(frozen=True, eq=False)
class Pairs:
    """
    P pairs, each once, by the numbers of their frames.

    `overlap_P` is the smaller share of the two views, `distance_P` in metres between the cameras
    and `angle_P` in radians between their attitudes.
    """

    first_P: NDArray[np.int64]
    second_P: NDArray[np.int64]
    overlap_P: NDArray[np.float64]
    distance_P: NDArray[np.float64]
    angle_P: NDArray[np.float64]

    def __len__(self) -> int:
        """Return P."""
        return len(self.first_P)

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """
        Return so many pairs (asked, known), with repetition and either way round.

        They are drawn evenly over the logarithms of the distances that there are: of a drive
        most pairs are near, of views from anywhere hardly any, and those alone would be learned.
        """
        drawn = rng.choice(len(self), size=count, p=self.chances())
        swapped = rng.random(count) < 0.5
        first, second = self.first_P[drawn], self.second_P[drawn]
        return np.where(swapped, second, first), np.where(swapped, first, second)

    def chances(self) -> NDArray[np.float64]:
        """Return how likely each of them is to be drawn (P,)."""
        edges = np.geomspace(self.distance_P.min(), self.distance_P.max(), _STEPS + 1)[1:-1]
        step_P = np.searchsorted(edges, self.distance_P)
        counts = np.bincount(step_P, minlength=_STEPS)
        chance_P = 1 / counts[step_P]
        return chance_P / chance_P.sum()

    def told(self) -> str:
        """Return how they are spread, for a card or a log."""
        metres = np.percentile(self.distance_P, (5, 50, 95))
        degrees = np.degrees(np.percentile(self.angle_P, (5, 50, 95)))
        return (
            f'{len(self)} pairs, {metres[1]:.2f} m ({metres[0]:.2f} to {metres[2]:.2f}) and '
            f'{degrees[1]:.0f} deg ({degrees[0]:.0f} to {degrees[2]:.0f}) apart'
        )


def find_pairs(
    poses: Sequence[Pose],
    camera: Camera,
    options: PairOptions | None = None,
    sequences: Sequence[str] | None = None,
) -> Pairs:
    """
    Return all pairs of frames `map_from_camera` of one camera.

    What a view holds is sampled: points on a grid over the image at half, once and twice
    `distance_m`. The share of those that lie in the other view is how much of it that shows; walls
    in between are not known of. Raises DatasetError where no two frames are a pair.
    """
    options = options or PairOptions()
    centres_N3 = np.array([pose.translation for pose in poses]).reshape(-1, 3)
    rotations_N33 = np.array([pose.rotation.as_matrix() for pose in poses]).reshape(-1, 3, 3)
    near = cKDTree(centres_N3).query_pairs(options.farthest_m, output_type='ndarray')
    first, second = np.sort(near, axis=1).T if len(near) else np.zeros((2, 0), dtype=np.int64)
    distance = np.linalg.norm(centres_N3[first] - centres_N3[second], axis=1)
    kept = distance >= options.nearest_m
    if options.across and sequences is not None and len(set(sequences)) > 1:
        names = np.unique(sequences, return_inverse=True)[1]
        kept &= names[first] != names[second]
    first, second, distance = first[kept], second[kept], distance[kept]
    view = _View.of(camera, options.distance_m)
    overlap = np.minimum(
        view.seen(centres_N3, rotations_N33, first, second),
        view.seen(centres_N3, rotations_N33, second, first),
    )
    kept = overlap >= options.overlap
    if not kept.any():
        raise DatasetError(
            f'no two of {len(poses)} frames see as much in common as is asked: {options}'
        )
    first, second = first[kept], second[kept]
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    turn = np.einsum('pji,pjk->pik', rotations_N33[first], rotations_N33[second])
    cosine = (np.trace(turn, axis1=1, axis2=2) - 1) / 2
    return Pairs(
        first,
        second,
        overlap[kept][order],
        distance[kept][order],
        np.arccos(np.clip(cosine, -1, 1)),
    )


@dataclass(frozen=True, eq=False)
class _View:
    """Points (M, 3) that a camera may see, in its own frame, and what it projects them by."""

    camera: Camera
    points_M3: NDArray[np.float64]

    @classmethod
    def of(cls, camera: Camera, distance_m: float) -> _View:
        x = (np.arange(_ACROSS) + 0.5) * camera.width / _ACROSS - 0.5
        y = (np.arange(_DOWN) + 0.5) * camera.height / _DOWN - 0.5
        u, v, z = np.meshgrid(x, y, distance_m * np.array(_SHARES), indexing='ij')
        rays = [(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z]
        return cls(camera, np.stack(rays, axis=-1).reshape(-1, 3))

    def seen(
        self,
        centres_N3: NDArray[np.float64],
        rotations_N33: NDArray[np.float64],
        of_P: NDArray[np.int64],
        by_P: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return the share (P,) of what the views `of` hold that lies in the views `by`."""
        parts = [np.empty(0)]
        for start in range(0, len(of_P), _AT_ONCE):
            of, by = of_P[start : start + _AT_ONCE], by_P[start : start + _AT_ONCE]
            turn = np.einsum('pji,pjk->pik', rotations_N33[by], rotations_N33[of])
            between = centres_N3[of] - centres_N3[by]
            move = np.einsum('pji,pj->pi', rotations_N33[by], between)
            there = np.einsum('pik,mk->pmi', turn, self.points_M3) + move[:, None]
            parts.append(self._inside(there).mean(axis=1))
        return np.concatenate(parts)

    def _inside(self, points_PM3: NDArray[np.float64]) -> NDArray[np.bool_]:
        camera = self.camera
        pixels = camera.project(points_PM3.reshape(-1, 3)).reshape(*points_PM3.shape[:2], 2)
        # Those behind are not a number, and so not inside.
        x, y = pixels[..., 0], pixels[..., 1]
        return (x >= -0.5) & (x < camera.width - 0.5) & (y >= -0.5) & (y < camera.height - 0.5)
