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
PoseNet: from one image to the pose of the camera (Kendall, Grimes, Cipolla, ICCV 2015).

Equation numbers are those of the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Camera
from posenet_ros.models.architecture import Architecture, ROTATIONS
from posenet_ros.models.backbones import build_backbone, Trunk
from posenet_ros.models.descriptor import (
    GridDescriptor,
    PLACE_LEVELS,
    PLACE_POOL,
    PlaceFeature,
    Standardised,
)
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.models.resection import information_of, Resected, resected
from posenet_ros.models.rotations import (
    columns_from_quaternion,
    matrix_from_6d,
    matrix_from_quaternion,
    quaternion_from_6d,
    quaternion_from_matrix,
)
from posenet_ros.models.scene_coordinates import SceneCoordinates
import torch
from torch import nn, Tensor
from torch.nn import functional
from torchvision.models.googlenet import InceptionAux

# Maps whose cells a scene head sees: of twice the resolution, and of the cells.
_CELL_LEVELS = 2


class SceneAnswer(NamedTuple):
    """
    What a scene head makes poses of.

    The pose of the linear head, `start_B3` and `start_wxyz_B4`; the points of the map that C
    cells show, `point_BC3` in metres, and their errors `error_BC`, in pixels of the input.
    """

    start_B3: Tensor
    start_wxyz_B4: Tensor
    point_BC3: Tensor
    error_BC: Tensor


class PosePrediction(NamedTuple):
    """
    Poses `map_from_camera` of a batch: p = [x, q], eq. (1).

    `position_B3` in metres in the map; `quaternion_wxyz_B4`, of unit length except from a
    quaternion head in training; `feature_BK`, what images are compared by (see
    `PlaceFeature`), of zeros until it was measured. In training `auxiliary` holds the
    predictions of the auxiliary heads as (position, quaternion), the earlier head first. `scene`
    is what the pose of a scene head was made of, and `information_B66` how surely (see
    `resection.Resected`).
    """

    position_B3: Tensor
    quaternion_wxyz_B4: Tensor
    feature_BK: Tensor
    auxiliary: tuple[tuple[Tensor, Tensor], ...] = ()
    scene: SceneAnswer | None = None
    information_B66: Tensor | None = None


class PoseNet(nn.Module):
    """
    A trunk, a localization feature, and affine regressors of the pose.

    With the `hidden` head on GoogLeNet this is the paper's network: a feature of 2048 from a
    fully connected layer, and three heads in training, the two auxiliary ones dropped at test.
    The classifiers become affine regressors of 3 + 4 numbers. Other trunks, and the `linear`
    head, have the last of them only.

    The position regressor works in units of the scene: `x = position_mean + position_scale *
    output`, where the scale is half the extent of the training positions per axis. Rows of
    equal norm then act on metres as rows whose norms are proportional to the extent, which the
    paper found important for its initialisation (section 3.1).
    """

    position_mean: Tensor
    position_scale: Tensor

    def __init__(
        self, architecture: Architecture, trunk: Trunk | None = None, *, auxiliary: bool = True
    ) -> None:
        """Build around a trunk, by default one with random weights; see `set_extent`."""
        super().__init__()
        self.architecture = architecture
        self.trunk = trunk or build_backbone(architecture.backbone)
        outputs = 3 + len(ROTATIONS[architecture.rotation])
        levels = self.trunk.levels(architecture.levels)
        self._levels = tuple(levels)
        linear = architecture.solved
        self.descriptor = GridDescriptor([*levels.values()], architecture.pool, unit=linear)
        width = self.descriptor.width if linear else architecture.feature_width
        if linear:
            before = [Standardised(self.descriptor.widths)]
        else:
            before = [nn.Linear(self.descriptor.width, width), nn.ReLU(inplace=True)]
        self.localization = nn.Sequential(*before, nn.Dropout(architecture.dropout))
        self.regressor = nn.Linear(width, outputs)
        cells = self.trunk.levels(_CELL_LEVELS + 1) if architecture.head == 'scene' else {}
        # Without the coarsest: what it sees of a cell is most of the image.
        self._cells = tuple(cells)[:_CELL_LEVELS]
        self.scene = SceneCoordinates([cells[name] for name in self._cells]) if cells else None
        compared = self.trunk.levels(PLACE_LEVELS)
        self._compared = tuple(compared)
        self.place_descriptor = GridDescriptor([*compared.values()], PLACE_POOL, unit=True)
        self.place = PlaceFeature(self.place_descriptor.widths, architecture.place_width)
        taps = self.trunk.backbone.taps if auxiliary and not linear else ()
        self._taps = tuple(name for name, _ in taps)
        self.auxiliary = nn.ModuleList(
            InceptionAux(channels, outputs, dropout=architecture.auxiliary_dropout)
            for _, channels in taps
        )
        for regressor in [self.regressor, *(head.fc2 for head in self.auxiliary)]:
            self._start_at_centre(regressor)
        self.register_buffer('position_mean', torch.zeros(3))
        self.register_buffer('position_scale', torch.ones(3))

    def _start_at_centre(self, regressor: nn.Linear) -> None:
        """Let an untrained head say: the middle of the scene, not rotated."""
        nn.init.normal_(regressor.weight, std=0.01)
        with torch.no_grad():
            regressor.bias[:3] = 0
            regressor.bias[3:] = torch.tensor(ROTATIONS[self.architecture.rotation])

    @property
    def map_names(self) -> tuple[str, ...]:
        """The names of all maps of the trunk that an answer is made of."""
        return tuple(dict.fromkeys([*self._compared, *self._levels, *self._cells]))

    def set_extent(self, positions_N3: NDArray[np.float64]) -> None:
        """Take the middle and the extent of the scene from the training positions, in metres."""
        middle, half = _middle_and_half(positions_N3)
        self.position_mean.copy_(torch.as_tensor(middle))
        self.position_scale.copy_(torch.as_tensor(half))

    def set_camera(self, camera: Camera, preprocessing: Preprocessing) -> None:
        """Tell a scene head the camera of the images, of any size, and how they become input."""
        was_training = self.trunk.training
        self.trunk.eval()
        with torch.no_grad():
            # Trunks round differently where a side is no multiple of the stride.
            black = self.position_mean.new_zeros(1, 3, *preprocessing.crop)
            coarse = self.trunk.maps(black, self._cells)[self._cells[-1]]
        self.trunk.train(was_training)
        self.scene.set_camera(camera, preprocessing, *coarse.shape[2:])

    def scale_rows(self, positions_N3: NDArray[np.float64]) -> None:
        """
        Start as the paper does instead, with outputs in metres (section 3.1).

        The rows of every position regressor get norms in proportion to the extent of the scene.
        """
        _, half = _middle_and_half(positions_N3)
        scale = torch.as_tensor(half / half.max(), dtype=torch.float32)[:, None]
        with torch.no_grad():
            for regressor in [self.regressor, *(head.fc2 for head in self.auxiliary)]:
                regressor.weight[:3] *= scale

    def forward(self, image_B3HW: Tensor, beside_B2: Tensor | None = None) -> PosePrediction:
        """
        Predict poses from images as `Preprocessing` makes them.

        In evaluation mode quaternions have unit length (section 3.2). A scene head has to know
        how many pixels to the right of the centre crop, and below it, other crops lie
        (`beside_B2`).
        """
        taps = self._taps if self.training else ()
        compared = () if self.training else (*self._compared, *self._cells)
        maps = self.trunk.maps(image_B3HW, {*taps, *self._levels, *compared})
        localization = self.localization(self._described(maps))
        position, quaternion = self._pose(self.regressor, localization)
        scene = information = None
        if self.scene is not None and not self.training:
            cells = self._cells_of(maps)
            scene = SceneAnswer(position, quaternion, *cells)
            start_B33 = matrix_from_quaternion(quaternion)
            found = self._resected(*cells, position, start_B33, beside_B2)
            position, quaternion = found.position_B3, quaternion_from_matrix(found.rotation_B33)
            information = found.information_B66
        heads = tuple(
            self._pose(head.fc2, _before_regressor(head, maps[tap]))
            for head, tap in zip(self.auxiliary, taps)
        )
        if self.training:
            feature = position.new_zeros(len(position), self.place.width)
        else:
            feature = self._feature(maps)
        return PosePrediction(position, quaternion, feature, heads, scene, information)

    def numbers(
        self,
        image_B3HW: Tensor,
        in_turn: Callable[..., Sequence[Tensor]],
        beside_B2: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """
        Return positions (B, 3), rotations as the head has them (B, 4 or 6) and features (B, K).

        Of a scene head there is what tells how surely, too (B, 36); see `PosePrediction`.

        What `forward` makes poses of in evaluation mode, for what makes them elsewhere:
        quaternions wxyz of any length, or two columns that are not orthogonal yet. `in_turn` is
        called with what does not wait for each other, and returns what that does.
        """
        maps = self.trunk.maps(image_B3HW, self.map_names)
        seen = [partial(self.descriptor.level, maps[name]) for name in self._levels]
        compared = [partial(self.place_descriptor.level, maps[name]) for name in self._compared]
        levels = in_turn(*seen, *compared)
        described_BD, place_BD = (
            torch.cat(part, dim=1) for part in (levels[: len(seen)], levels[len(seen) :])
        )
        output_BO, feature_BK = in_turn(
            lambda: self.regressor(self.localization(described_BD).float()),
            lambda: self.place(place_BD),
        )
        position_B3 = self.position_mean + self.position_scale * output_BO[:, :3]
        if self.scene is None:
            return position_B3, output_BO[:, 3:], feature_BK
        start_B33 = self._matrix(output_BO[:, 3:])
        found = self._resected(*self._cells_of(maps), position_B3, start_B33, beside_B2)
        rotation_B33 = found.rotation_B33
        if self.architecture.rotation == '6d':
            # By rows, the first two columns come one after the other.
            columns_BR = rotation_B33.transpose(1, 2)[:, :2].flatten(1)
        else:
            columns_BR = quaternion_from_matrix(rotation_B33)
        return found.position_B3, columns_BR, feature_BK, found.information_B66.flatten(1)

    def sample(self, image_B3HW: Tensor, samples: int) -> PosePrediction:
        """
        Predict with the dropout of the localization feature left on, `samples` times an image.

        Positions and quaternions are (B, samples, 3) and (B, samples, 4): draws from what
        the network knows (Kendall and Cipolla, Modelling Uncertainty in Deep Learning for Camera
        Relocalization, 2016). The trunk has no dropout and runs once. Raises ConfigError for a
        network without dropout, whose samples would all be the same.
        """
        *before, dropout = self.localization
        if dropout.p == 0:
            raise ConfigError(
                'the model was trained without dropout, so its samples would all be the same'
            )
        maps = self.trunk.maps(image_B3HW, {*self._levels, *self._compared})
        described = nn.Sequential(*before)(self._described(maps))
        several = described.repeat_interleave(samples, dim=0)
        position, quaternion = self._pose(
            self.regressor, functional.dropout(several, dropout.p, training=True)
        )
        shape = (len(image_B3HW), samples, -1)
        return PosePrediction(
            position.reshape(shape),
            functional.normalize(quaternion, dim=1).reshape(shape),
            self._feature(maps),
        )

    def see_cells(self, image_B3HW: Tensor) -> Tensor:
        """Return what a scene head sees of each cell of images (B, C, D)."""
        return self._seen(self.trunk.maps(image_B3HW, self._cells))

    def describe(self, image_B3HW: Tensor) -> Tensor:
        """Return what the head sees (B, D), for `localization` to standardise or connect."""
        return self._described(self.trunk.maps(image_B3HW, self._levels))

    def describe_place(self, image_B3HW: Tensor) -> Tensor:
        """Return what `place` makes a feature of (B, D)."""
        return self._place_described(self.trunk.maps(image_B3HW, self._compared))

    def targets(self, position_B3: Tensor, quaternion_wxyz_B4: Tensor) -> Tensor:
        """Return what the last head would have to put out for these poses (B, outputs)."""
        position = (position_B3 - self.position_mean) / self.position_scale
        rotation = quaternion_wxyz_B4
        if self.architecture.rotation == '6d':
            rotation = columns_from_quaternion(quaternion_wxyz_B4)
        return torch.cat([position, rotation], dim=1)

    def _seen(self, maps: Mapping[str, Tensor]) -> Tensor:
        return self.scene.seen(*(maps[name] for name in self._cells))

    def _cells_of(self, maps: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the points that cells show (B, C, 3), and their errors in pixels (B, C)."""
        seen_BCD = self._seen(maps)
        # Half precision would round points to a thousandth of the scene and worse.
        with torch.autocast(seen_BCD.device.type, enabled=False):
            return self.scene(seen_BCD)

    def _resected(
        self,
        point_BC3: Tensor,
        error_BC: Tensor,
        start_B3: Tensor,
        start_B33: Tensor,
        beside_B2: Tensor | None,
    ) -> Resected:
        """Return the poses that the cells of images agree with."""
        scene = self.scene
        # By its shape: the length would be a constant of what is exported.
        rays_BC2 = scene.rays_C2.expand(point_BC3.shape[0], -1, -1)
        if beside_B2 is not None:
            rays_BC2 = rays_BC2 + (beside_B2 / scene.focal)[:, None]
        with torch.autocast(point_BC3.device.type, enabled=False):
            return resected(
                point_BC3, error_BC, rays_BC2, start_B3, start_B33, scene.unit, scene.focal
            )

    def information(self, prediction: PosePrediction) -> Tensor:
        """Return how surely the cells of a prediction tell its pose (B, 6, 6), of centre crops."""
        scene, cells = self.scene, prediction.scene
        return information_of(
            cells.point_BC3,
            cells.error_BC,
            scene.rays_C2.expand(cells.point_BC3.shape[0], -1, -1),
            prediction.position_B3,
            matrix_from_quaternion(prediction.quaternion_wxyz_B4),
            scene.unit,
            scene.focal,
        )

    def _matrix(self, rotation_BR: Tensor) -> Tensor:
        """Return the rotations (B, 3, 3) of what a head puts out for them."""
        if self.architecture.rotation == '6d':
            return matrix_from_6d(rotation_BR)
        return matrix_from_quaternion(functional.normalize(rotation_BR, dim=1))

    def _described(self, maps: Mapping[str, Tensor]) -> Tensor:
        return self.descriptor([maps[name] for name in self._levels])

    def _place_described(self, maps: Mapping[str, Tensor]) -> Tensor:
        return self.place_descriptor([maps[name] for name in self._compared])

    def _feature(self, maps: Mapping[str, Tensor]) -> Tensor:
        return self.place(self._place_described(maps))

    def _pose(self, regressor: nn.Linear, feature: Tensor) -> tuple[Tensor, Tensor]:
        # Half precision would round positions to a thousandth of the scene and worse.
        with torch.autocast(feature.device.type, enabled=False):
            output = regressor(feature.float())
        position = self.position_mean + self.position_scale * output[:, :3]
        rotation = output[:, 3:]
        if self.architecture.rotation == '6d':
            return position, quaternion_from_6d(rotation)
        return position, rotation if self.training else functional.normalize(rotation, dim=1)


def _middle_and_half(
    positions_N3: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middle of the box of some positions, and half its sides."""
    low, high = positions_N3.min(axis=0), positions_N3.max(axis=0)
    half = (high - low) / 2
    # An axis without extent (a robot on a flat floor) still needs a scale above zero.
    return (low + high) / 2, np.maximum(half, max(0.01 * half.max(), 1e-3))


def _before_regressor(head: InceptionAux, tap: Tensor) -> Tensor:
    """Return what torchvision's auxiliary head computes before its last layer."""
    pooled = functional.adaptive_avg_pool2d(tap, (4, 4))
    flat = torch.flatten(head.conv(pooled), 1)
    return head.dropout(functional.relu(head.fc1(flat), inplace=True))
