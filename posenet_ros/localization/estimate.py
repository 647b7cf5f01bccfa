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

"""What every localizer answers: a pose that knows how wrong it may be, or a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import GeometryError
from posenet_ros.geometry import check_covariance, covariance_in_axes, Pose

if TYPE_CHECKING:
    from posenet_ros.models.checkpoint import TrainingFeatures
    from posenet_ros.models.map_card import MapCard
    from posenet_ros.models.trust import Trust
    import torch


@dataclass(frozen=True, eq=False)
class PoseEstimate:
    """
    The answer to one image.

    `map_from_camera` and its `covariance` (6, 6) (x y z rotX rotY rotZ about fixed map axes)
    are both there, or both None: then the image is refused and `reasons` say why; beside a pose
    they say what is to be known of it. `method`
    names what answered; `verified` is True only where the image itself confirmed the pose. Of a
    map of several scenes `scene` names the one that the image is of.
    Nothing stands in for a refused pose: whoever counts answers counts it as none.
    """

    map_from_camera: Pose | None
    covariance: NDArray[np.float64] | None
    method: str
    verified: bool = False
    reasons: tuple[str, ...] = ()
    scene: str = ''

    def __post_init__(self) -> None:
        """Refuse half an answer, a covariance that lies, and a refusal without a reason."""
        if (self.map_from_camera is None) != (self.covariance is None):
            raise GeometryError('a pose estimate has both a pose and a covariance, or neither')
        if self.covariance is not None:
            object.__setattr__(self, 'covariance', check_covariance(self.covariance))
        elif not self.reasons or self.verified:
            raise GeometryError('a refused estimate gives its reasons and is not verified')

    @classmethod
    def refused(cls, method: str, *reasons: str) -> PoseEstimate:
        """Return the answer that there is no answer, and why."""
        return cls(None, None, method, reasons=reasons)

    @property
    def answered(self) -> bool:
        """Whether there is a pose."""
        return self.map_from_camera is not None

    def referred(self, map_from_model: Pose) -> PoseEstimate:
        """Return it in another map, given where this one's (`model`) lies in that."""
        if self.map_from_camera is None or self.covariance is None:
            return self
        return replace(
            self,
            map_from_camera=map_from_model @ self.map_from_camera.renamed(target='model'),
            covariance=covariance_in_axes(self.covariance, map_from_model.rotation),
        )


class Answers(NamedTuple):
    """
    Estimates of N images, and the features (N, K) that came with them.

    `novelty_N` says how unlike all training images each is, NaN where nothing tells. `guesses` are
    the poses in mind where images were refused, too: nothing to act on, but where to look.
    """

    estimates: tuple[PoseEstimate, ...]
    features: NDArray[np.float32]
    novelty_N: NDArray[np.float64]
    guesses: tuple[Pose | None, ...] = ()


class Localizer(Protocol):
    """
    Anything that tells where an image was taken.

    Images are uint8 (H, W, 3), RGB, as `data.images.decode` gives them. `card`, `device` and
    `engine` tell which model answers, where and by what it runs; `trust` is what is known of the
    method's answers, and `training` holds the features and poses of its training images, None
    where the model folder came without.
    """

    method: str
    card: MapCard
    device: torch.device
    engine: str
    trust: Trust | None
    training: TrainingFeatures | None

    def locate(self, rgb: NDArray[np.uint8]) -> PoseEstimate:
        """Answer one image."""
        ...

    def locate_batch(self, images: Sequence[NDArray[np.uint8]]) -> Answers:
        """Answer several images at once, with their features."""
        ...
