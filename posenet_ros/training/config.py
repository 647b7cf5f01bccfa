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

"""Everything that decides how a model is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
import math
from typing import Any

from posenet_ros.data.augmentation import Augmentation
from posenet_ros.errors import ConfigError
from posenet_ros.models.architecture import Architecture, SOLVED_HEADS
from posenet_ros.models.preprocessing import Preprocessing

LOSSES = ('learned', 'paper', 'squared', 'position', 'orientation')
OPTIMIZERS = ('adamw', 'sgd', 'adagrad')
SCHEDULES = ('cosine', 'steps', 'constant')

_CHOICES = {'loss': LOSSES, 'optimizer': OPTIMIZERS, 'schedule': SCHEDULES}
_SHARES = ('shift', 'warmup', 'average', 'brightness', 'contrast', 'momentum', 'step_factor')
_SHARES += ('moved',)


@dataclass(frozen=True)
class TrainOptions:
    """
    A recipe: the network, its input, the loss, the optimiser and how long.

    `weights` is `imagenet`, `none` or a file; `freeze_norms` keeps the statistics of batch
    normalisation that weights come with, which a small batch measures badly. `image_size` is the
    shorter side of the crop; images are scaled to `1 + margin` times that, so that crops can be
    moved. `wide` keeps the whole width of the image in the crop instead of a square.
    `standardise` has the network work in units of the scene. `loss` is `learned`, `paper` or
    `squared` with `beta`, or `position` or `orientation` for one of the two alone. `optimizer`
    is `adamw`, `sgd` with `momentum`, or `adagrad`; `learning_rate` is its peak, which it
    reaches over the share `warmup` of all steps, and `scene_rate` that of a scene head, whose
    trunk does not learn; a point of it at another depth than a map tells counts as up to
    `depth_px` pixels off, at first and less and less. By `schedule` the rate then falls with a
    `cosine` to zero, in `steps` (times `step_factor` every `step_epochs`), or is `constant`.
    `iterations`, where there are any, say how many steps to take in place of `epochs`; a scene
    head goes through few frames more often, until it has seen `least_images`. `average` is the
    share of all steps over which weights are averaged (exponentially), 0 for none. `held_out` is
    the share of frames kept from training. The rest are those of `Augmentation` and
    `Architecture`.
    """

    backbone: str = 'googlenet'
    weights: str = 'imagenet'
    freeze_norms: bool = False
    head: str = 'hidden'
    levels: int = 1
    pool: int = 1
    rotation: str = 'quaternion'
    feature_width: int = 2048
    dropout: float = 0.5
    image_size: int = 224
    margin: float = 1 / 7
    wide: bool = False
    shift: float = 1.0
    turn_deg: float = 0.0
    roll_deg: float = 0.0
    brightness: float = 0.2
    contrast: float = 0.2
    move: float = 0.0
    moved: float = 0.0
    standardise: bool = True
    loss: str = 'learned'
    beta: float = 500.0
    optimizer: str = 'adamw'
    momentum: float = 0.9
    schedule: str = 'cosine'
    step_epochs: int = 80
    step_factor: float = 0.1
    epochs: int = 100
    iterations: int = 0
    least_images: int = 0
    batch_size: int = 32
    learning_rate: float = 3e-4
    scene_rate: float = 1.5e-3
    depth_px: float = 0.0
    weight_decay: float = 0.01
    warmup: float = 0.1
    average: float = 0.0
    held_out: float = 0.2
    seed: int = 0
    devices: int = 1
    nodes: int = 1

    def __post_init__(self) -> None:
        """Refuse values of a wrong kind, and those that cannot be meant."""
        for field in fields(self):
            value, kind = getattr(self, field.name), type(field.default)
            if not isinstance(value, (int, float) if kind is float else kind):
                raise ConfigError(f'{field.name} is of kind {kind.__name__}, got {value!r}')
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigError(
                    f'unknown {name} {getattr(self, name)!r}; known are {", ".join(known)}'
                )
        if self.epochs == 0 and not self.iterations and self.head not in SOLVED_HEADS:
            raise ConfigError('epochs is 0, in which only a linear head is fitted: see --set head')
        for name in ('step_epochs', 'batch_size', 'devices', 'nodes'):
            if getattr(self, name) < 1:
                raise ConfigError(f'{name} must be at least 1, got {getattr(self, name)}')
        if self.image_size < 32:
            raise ConfigError(f'an image_size below 32 shows nothing, got {self.image_size}')
        for name in ('learning_rate', 'scene_rate', 'beta'):
            if not getattr(self, name) > 0:
                raise ConfigError(f'{name} must be above zero, got {getattr(self, name)}')
        for name in (
            'epochs',
            'margin',
            'turn_deg',
            'roll_deg',
            'move',
            'weight_decay',
            'iterations',
            'least_images',
            'depth_px',
        ):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f'{name} must not be negative, got {getattr(self, name)}')
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f'{name} is a share from 0 to 1, got {getattr(self, name)}')
        if not 0.02 <= self.held_out <= 0.5:
            raise ConfigError(f'held_out is a share from 0.02 to 0.5, got {self.held_out}')
        if self.head == 'scene' and self.shift:
            raise ConfigError('a scene head learns of centre crops: set shift to 0')
        if self.head == 'scene' and self.devices * self.nodes > 1:
            raise ConfigError('a scene head learns on one device: leave out devices and nodes')
        # These refuse the rest, now and not after minutes of labelling.
        self.architecture()
        self.preprocessing(480, 640)

    def epochs_for(self, frames: int) -> int:
        """Return how often to go through so many frames."""
        if not self.iterations:
            if self.head != 'scene' or not self.epochs:
                return self.epochs
            return max(self.epochs, math.ceil(self.least_images / max(frames, 1)))
        return math.ceil(self.iterations / max(frames // self.batch_size, 1))

    @property
    def wants_depths(self) -> bool:
        """Whether training makes use of how far away things are."""
        by_head = self.head == 'scene' and self.depth_px > 0
        return by_head or self.move * self.moved > 0

    def for_epochs(self, epochs: int) -> TrainOptions:
        """Return the recipe for so many epochs, however few the frames are."""
        return replace(self, epochs=epochs, iterations=0, least_images=0)

    def for_what_is_known(self, *, camera: bool) -> TrainOptions:
        """
        Return the recipe with a head that can be had.

        A scene head needs to know the camera's intrinsics, a trunk that came with weights, and to
        learn. Without, there is a linear one in its place.
        """
        learns = bool(self.epochs or self.iterations)
        if self.head != 'scene' or (camera and learns and self.weights != 'none'):
            return self
        return replace(self, head='linear')

    def architecture(self) -> Architecture:
        """Return the network that the recipe asks for."""
        return Architecture(
            backbone=self.backbone,
            head=self.head,
            feature_width=self.feature_width,
            levels=self.levels,
            pool=self.pool,
            rotation=self.rotation,
            dropout=self.dropout,
        )

    def preprocessing(self, height: int, width: int) -> Preprocessing:
        """Return the scaling and crop for images of this size, the mean not yet known."""
        side = self.image_size
        long_side = side
        if self.wide:
            # A multiple of 32, as trunks halve the image five times.
            long_side = max(32 * round(side * max(height, width) / min(height, width) / 32), side)
        crop = (side, long_side) if width >= height else (long_side, side)
        return Preprocessing(short_side=round(side * (1 + self.margin)), crop=crop)

    def augmentation(self) -> Augmentation:
        """Return how training images may change."""
        return Augmentation(
            self.shift,
            self.turn_deg,
            self.roll_deg,
            self.brightness,
            self.contrast,
            self.move,
            self.moved,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for YAML; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainOptions:
        """Read options; keys left out have their defaults, unknown ones raise ConfigError."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ConfigError(f'unknown training options: {", ".join(unknown)}')
        return cls(**values)


def parse_option(name: str, text: str) -> str | int | float | bool:
    """Read the value of an option from a command line; raise ConfigError for what is none."""
    defaults = {field.name: field.default for field in fields(TrainOptions)}
    if name not in defaults:
        raise ConfigError(f'unknown training option {name!r}; known are {", ".join(defaults)}')
    kind = type(defaults[name])
    try:
        if kind is bool:
            return {'true': True, 'false': False}[text.lower()]
        return kind(text)
    except (ValueError, KeyError) as error:
        wanted = 'true or false' if kind is bool else kind.__name__
        raise ConfigError(f'{name} takes {wanted}, got {text!r}') from error
