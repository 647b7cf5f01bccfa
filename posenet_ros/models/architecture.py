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

"""What a PoseNet is made of: the choices that its weights only fit together with."""

from __future__ import annotations

from dataclasses import dataclass

from posenet_ros.errors import ConfigError
from posenet_ros.models.backbones import backbone_named

HEADS = ('hidden', 'linear', 'scene')
SOLVED_HEADS = ('linear', 'scene')
# Numbers that a head puts out for a rotation, and what they are without rotation.
ROTATIONS = {'quaternion': (1.0, 0.0, 0.0, 0.0), '6d': (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)}


@dataclass(frozen=True)
class Architecture:
    """
    What a PoseNet is made of.

    `pool` is the side of the grid that the trunk's feature maps are averaged to before the head:
    1, as in GoogLeNet, forgets where in the image a feature was; 2 or more keeps it, at next to
    no cost. `levels` is how many scales of the trunk the head sees: 1 is its last map alone, 3
    also those at twice and four times the resolution. `head` is `hidden`, the paper's fully
    connected layer of `feature_width`, or `linear`: the pose is regressed from the maps
    themselves, standardised. `scene` is a linear head whose pose is where a search begins for the
    one that agrees with what each cell of the image shows of the map (see
    `models.scene_coordinates`). `rotation` is what the heads put out: the paper's `quaternion`, or
    `6d` (two columns of the matrix), which has no double cover. `dropout` holds for the
    localization feature, `auxiliary_dropout` for the two auxiliary heads. Images are compared in
    `place_width` directions (see `PlaceFeature`).
    """

    backbone: str = 'googlenet'
    head: str = 'hidden'
    feature_width: int = 2048
    levels: int = 1
    pool: int = 1
    rotation: str = 'quaternion'
    dropout: float = 0.5
    auxiliary_dropout: float = 0.7
    place_width: int = 128

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        backbone_named(self.backbone)
        for name, known in (('rotation', ROTATIONS), ('head', HEADS)):
            if getattr(self, name) not in known:
                raise ConfigError(
                    f'unknown {name} {getattr(self, name)!r}; known are {", ".join(known)}'
                )
        for name in ('pool', 'feature_width', 'levels', 'place_width'):
            if getattr(self, name) < 1:
                raise ConfigError(f'{name} must be at least 1, got {getattr(self, name)}')
        for value in (self.dropout, self.auxiliary_dropout):
            if not 0 <= value < 1:
                raise ConfigError(f'a dropout is a share from 0 to below 1, got {value}')
        if self.head == 'scene' and self.dropout:
            raise ConfigError('what a scene head says does not pass through dropout: set it to 0')

    @property
    def solved(self) -> bool:
        """Whether the last layer sees the trunk's maps themselves, and is solved for."""
        return self.head in SOLVED_HEADS
