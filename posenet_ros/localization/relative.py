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
Images to poses by relative ones: similar images are found, and a pose is made of what each says.

After Laskar, Melekhov, Kalia, Kannala (2017); what differs is in docs/relative.md.
"""

from __future__ import annotations

from collections.abc import Sequence
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError
from posenet_ros.fusion import (
    fuse,
    fuse_as_published,
    Fused,
    FusionOptions,
    Neighbours,
    PositionOptions,
)
from posenet_ros.geometry import Camera, Pose, rotation_from_parts
from posenet_ros.localization.measured import MeasuredLocalizer
from posenet_ros.localization.methods import OF_DATABASE, RELATIVE, RETRIEVAL
from posenet_ros.localization.regressor import Regressed
from posenet_ros.localization.retrieval import FeatureIndex
from posenet_ros.models.database import Database
from posenet_ros.models.descriptor import PlaceFeature
from posenet_ros.models.relative import cell_rays, FARTHEST_M, RelativePrediction, Side
from posenet_ros.models.relative_folder import Relative
from posenet_ros.models.relative_map import RelativeMap
from posenet_ros.models.trunk_maps import SIZE, stacked
from posenet_ros.stages import NETWORK, NOVELTY, POSE, PREPARE, stage
from scipy.spatial.transform import Rotation
import torch
from torch import Tensor

# Deviations of normal errors whose mean size is 1, of as many parts as each has: two across, one
# along, three of a rotation (the means of the Rayleigh, half-normal and Maxwell distributions).
_DEVIATIONS_3 = np.sqrt([2 / math.pi, math.pi / 2, math.pi / 8])
# Elsewhere than where the network has learned errors are larger than it tells by so much, and
# rotations are wrong by some that it does not know of. How these were chosen is in
# docs/relative.md.
_ELSEWHERE, _UNKNOWN_TURN_RAD = 2.0, 0.05
# And what is wrong with any two neighbours is correlated so.
_ALIKE = 0.25
# Of many pairs so many are in memory together.
_PAIRS_AT_ONCE = 64
SOLVERS = OURS, PUBLISHED = 'ours', 'published'


class Asking(NamedTuple):
    """
    How an image is asked about.

    It is compared with `neighbours` others that look like it, no two of them nearer to each other
    than `apart_m`, and `solver` makes a pose of what they say.
    """

    neighbours: int = 10
    apart_m: float = 0.0
    solver: str = OURS


USUAL = Asking()


class Said(NamedTuple):
    """
    What K neighbours say of an image, each in its own frame: see `RelativePrediction`.

    `distance_K` in metres; `error_K3` how wrong that may be: across and along, metres, and of the
    rotation, radians.
    """

    direction_K3: NDArray[np.float64]
    rotation_K33: NDArray[np.float64]
    distance_K: NDArray[np.float64]
    error_K3: NDArray[np.float64]


class RelativeRegressor:
    """
    Answers with a pose that several relative ones agree on; a `regressor.Regressor`.

    `camera` took the images asked; those of the database may be another's.
    """

    def __init__(
        self,
        relative: Relative,
        place: PlaceFeature,
        database: Database,
        camera: Camera,
        asking: Asking = USUAL,
    ) -> None:
        """Take a network, the database of a place, and the camera of the images to come."""
        if asking.solver not in SOLVERS:
            raise ConfigError(f'solver must be {" or ".join(SOLVERS)}, not {asking.solver!r}')
        if not 1 <= asking.neighbours <= 100:
            raise ConfigError(f'an image has 1 to 100 neighbours, not {asking.neighbours}')
        self.relative = relative
        self.place = place
        self.database = database
        self.asking = asking
        self.device = relative.trunk.mean_311.device
        self.index = FeatureIndex(database.training)
        positions = database.training.positions_N3.astype(np.float64)
        w, x, y, z = database.training.quaternions_wxyz_N4.astype(np.float64).T
        self._centres_N3 = positions
        self._rotations_N33 = rotation_from_parts(w=w, x=x, y=y, z=z).as_matrix()
        self._ray_2hw = torch.from_numpy(cell_rays(camera, relative.trunk.cells))
        # A single neighbour is believed where only one is asked.
        self._fusion = FusionOptions(
            PositionOptions(least=min(3, asking.neighbours), alike=_ALIKE)
        )

    def warm_up(self) -> None:
        """Run once on a grey image, so that the first real one does not pay for set-up."""
        self.regress([np.full((SIZE[1], SIZE[0], 3), 128, dtype=np.uint8)])

    @torch.inference_mode()
    def regress(self, images: Sequence[NDArray[np.uint8]]) -> Regressed:
        """
        Return poses and features of images uint8 (H, W, 3), of one size or several.

        There is no pose where neighbours do not agree; `reasons` say so.
        """
        map_BDhw, features_BK = self.described(images)
        with stage(NOVELTY):
            chosen = [self.neighbours_of(feature_K) for feature_K in features_BK]
        with stage(NETWORK):
            said = self.compare(map_BDhw, chosen)
        with stage(POSE):
            answers = [self.fused(numbers, each) for numbers, each in zip(chosen, said)]
        published = self.asking.solver == PUBLISHED
        return Regressed(
            tuple(fused.map_from_camera for fused in answers),
            features_BK,
            np.full((len(images), 2), np.nan),
            guesses=tuple(fused.guess for fused in answers),
            covariances=None if published else tuple(fused.covariance for fused in answers),
            reasons=tuple(fused.reasons for fused in answers),
            scenes=tuple(self._scene(each, fused) for each, fused in zip(chosen, answers)),
        )

    def described(self, images: Sequence[NDArray[np.uint8]]) -> tuple[Tensor, NDArray[np.float32]]:
        """Return by what images are compared (B, D, h, w), and found (B, K)."""
        if not images:
            raise ConfigError('there is no image to locate')
        with stage(PREPARE):
            rgb_B3HW = stacked(images).to(self.device)
        with stage(NETWORK):
            map_BChw, whole_BD = self.relative.trunk(rgb_B3HW)
            map_BDhw = self.relative.network.describe(map_BChw)
            return map_BDhw, self.place(whole_BD).float().cpu().numpy()

    def neighbours_of(self, feature_K: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the numbers of the images that one with a feature is compared with."""
        return self.index.most_alike(
            feature_K, self.asking.neighbours, self._centres_N3, self.asking.apart_m
        )

    def compare(self, map_BDhw: Tensor, chosen: Sequence[NDArray[np.int64]]) -> list[Said]:
        """Return what the `chosen` neighbours of each image say of it."""
        image_P = np.repeat(np.arange(len(chosen)), [len(each) for each in chosen])
        number_P = np.concatenate(chosen)
        compared = [
            self._pairs(map_BDhw[image_P[part]], number_P[part])
            for part in np.array_split(
                np.arange(len(image_P)), max(-(-len(image_P) // _PAIRS_AT_ONCE), 1)
            )
            if len(part)
        ]
        if not compared:
            nothing = Said(np.zeros((0, 3)), np.zeros((0, 3, 3)), np.zeros(0), np.zeros((0, 3)))
            return [nothing] * len(chosen)
        direction, log_distance, rotation, log_error = (
            torch.cat(each).double().cpu().numpy() for each in zip(*compared)
        )
        ends = np.cumsum([len(each) for each in chosen])[:-1]
        distance = np.minimum(np.exp(log_distance), FARTHEST_M)
        parts = (direction, rotation, distance, np.exp(log_error))
        return [Said(*each) for each in zip(*(np.split(part, ends) for part in parts))]

    def _pairs(self, asked_PDhw: Tensor, number_P: NDArray[np.int64]) -> RelativePrediction:
        rays = self._ray_2hw.expand(len(number_P), -1, -1, -1)
        known = Side(
            torch.from_numpy(self.database.maps(number_P)).to(self.device),
            torch.from_numpy(self.database.rays(number_P)).to(self.device),
        )
        return self.relative.network.compare(Side(asked_PDhw, rays.to(self.device)), known)

    def fused(self, number_K: NDArray[np.int64], said: Said) -> Fused:
        """Return one pose of what neighbours say."""
        direction_K3, turn_K33, distance_K, error_K3 = said
        known_K33 = self._rotations_N33[number_K]
        neighbours = Neighbours.of(
            self._centres_N3[number_K],
            np.einsum('kij,kj->ki', known_K33, direction_K3),
            known_K33 @ turn_K33,
            distance_K,
            deviations_elsewhere(error_K3),
        )
        if self.asking.solver == PUBLISHED:
            pose = fuse_as_published(neighbours)
            nobody = np.zeros(len(number_K), dtype=bool)
            reasons = () if pose else ('there are no neighbours',)
            return Fused(pose, None, nobody, nobody, reasons, pose)
        return fuse(neighbours, self._fusion)

    def _scene(self, number_K: NDArray[np.int64], fused: Fused) -> str:
        """Return the scene of the most similar image among those that agree, '' of none."""
        agree = np.flatnonzero(fused.agree_N & fused.turned_N)
        first = number_K[agree] if len(agree) else number_K
        return self.database.scene_of(int(first[0])) if len(first) else ''


def deviations_elsewhere(error_K3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the deviations (K, 3) of answers whose errors (K, 3) are told so, in its units."""
    deviations_K3 = _ELSEWHERE * _DEVIATIONS_3 * error_K3
    deviations_K3[:, 2] = np.hypot(deviations_K3[:, 2], _UNKNOWN_TURN_RAD)
    return deviations_K3


class DatabaseRetriever(RelativeRegressor):
    """Answers with the poses of the images most alike, without comparing any further."""

    @torch.inference_mode()
    def regress(self, images: Sequence[NDArray[np.uint8]]) -> Regressed:
        """Return poses and features of images uint8 (H, W, 3), of one size or several."""
        _, features_BK = self.described(images)
        nearest = [match and match.index for match in self.index.nearest(features_BK)]
        return Regressed(
            tuple(None if n is None else self._pose_of(n) for n in nearest),
            features_BK,
            np.full((len(images), 2), np.nan),
            scenes=tuple('' if n is None else self.database.scene_of(n) for n in nearest),
        )

    def _pose_of(self, number: int) -> Pose:
        rotation = Rotation.from_matrix(self._rotations_N33[number])
        return Pose(rotation, self._centres_N3[number], 'map', 'camera')


class RelativeLocalizer(MeasuredLocalizer):
    """Answers by relative poses: what `MeasuredLocalizer` says, of a `RelativeMap`."""

    def __init__(
        self,
        loaded: RelativeMap,
        *,
        always: bool = False,
        method: str = RELATIVE,
        neighbours: int | None = None,
        solver: str = OURS,
    ) -> None:
        """Take a loaded model folder; `neighbours` in place of the card's."""
        if method not in OF_DATABASE:
            raise ConfigError(f'method must be {" or ".join(OF_DATABASE)}, not {method!r}')
        card = loaded.card
        if card.camera is None:
            raise ConfigError(
                'the camera of the images is not known, and relative poses are of rays'
            )
        kind = DatabaseRetriever if method == RETRIEVAL else RelativeRegressor
        regressor = kind(
            loaded.relative,
            loaded.place,
            loaded.database,
            card.camera,
            Asking(card.neighbours if neighbours is None else neighbours, card.apart_m, solver),
        )
        # The published solver tells no covariance that could be grown.
        measured = card if solver == PUBLISHED else card.fused
        if method == RETRIEVAL:
            measured = card.retrieval
        super().__init__(
            regressor,
            card,
            loaded.database.training,
            method=method,
            covariance=measured and measured.covariance,
            trust=measured and measured.trust,
            told=measured is card.fused,
            always=always,
        )
