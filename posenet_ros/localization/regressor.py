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

"""From images to poses through the network: one crop an image, or the mean of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from posenet_ros.engines.trunk import FastTrunk
from posenet_ros.errors import ConfigError
from posenet_ros.geometry import Pose
from posenet_ros.localization.ensemble import CENTRE_CROP, Ensemble
from posenet_ros.localization.outputs import Outputs
from posenet_ros.localization.replayed import replayed
from posenet_ros.models.posenet import PoseNet
from posenet_ros.models.preprocessing import Preprocessing
from posenet_ros.stages import NETWORK, POSE, PREPARE, stage
import torch
from torch import Tensor

# Of 128 crops, the activations of so many are in memory together.
_IMAGES_AT_ONCE = 16
_MOST_TO_MEASURE = 2048


class Regressed(NamedTuple):
    """
    Poses `map_from_camera` of N images, None where there is none, and features (N, D).

    Where a pose is a mean of several, `spreads` (N, 2) has how far these are apart, root mean
    square, in metres and radians; NaN where there is one only, or none.

    Of a regressor that knows more there are, by image, the pose in mind where it takes it back
    (`guesses`), why (`reasons`), the covariance (6, 6) that came with a pose, and the scene.
    """

    poses: tuple[Pose | None, ...]
    features: NDArray[np.float32]
    spreads: NDArray[np.float64]
    guesses: tuple[Pose | None, ...] = ()
    covariances: tuple[NDArray[np.float64] | None, ...] | None = None
    reasons: tuple[tuple[str, ...], ...] = ()
    scenes: tuple[str, ...] = ()


class Regressor(Protocol):
    """Anything that makes poses and features of images."""

    device: torch.device

    def regress(self, images: Sequence[NDArray[np.uint8]]) -> Regressed:
        """Return poses and features of images uint8 (H, W, 3), RGB."""
        ...

    def warm_up(self) -> None:
        """Run once, so that the first real image does not pay for set-up."""
        ...


class PoseRegressor:
    """
    The network with its preprocessing: the one way from images to poses.

    Held-out evaluation after training and every localizer go through here, so they cannot
    differ in the pixels they see or in dropout.
    """

    def __init__(
        self,
        model: PoseNet,
        preprocessing: Preprocessing,
        device: torch.device | str,
        ensemble: Ensemble = CENTRE_CROP,
        size: tuple[int, int] | None = None,
    ) -> None:
        """
        Put a model on a device, in evaluation mode.

        `size` (height, width) is that of the images to come, where it is known.
        """
        self.model = model.eval().to(device)
        self.preprocessing = preprocessing
        self.device = torch.device(device)
        self.ensemble = ensemble
        self._size = size or preprocessing.crop
        # An engine arranges images as it wants them; torch's own layers take planes.
        fast = isinstance(getattr(model, 'trunk', None), FastTrunk)
        self._sees_cells = getattr(model, 'scene', None) is not None
        self._layout = torch.preserve_format if fast else torch.contiguous_format
        self._replayed = replayed(self.model, preprocessing, self.device, ensemble)

    def warm_up(self) -> None:
        """Run on a black image, so that the first real one does not pay for set-up."""
        black = [np.zeros((*self._size, 3), dtype=np.uint8)]
        self.regress(black)
        if self._replayed:
            # What is asked for the second time is recorded.
            self.regress(black)

    @torch.inference_mode()
    def regress(self, images: Sequence[NDArray[np.uint8]]) -> Regressed:
        """
        Return poses and features of images uint8 (H, W, 3), of one size or several.

        Features are those of places, the mean over the crops. Network output
        that is not finite, or has a quaternion of length zero, is no pose; an image with no
        other output has None.
        """
        if not images:
            raise ConfigError('there is no image to locate')
        outputs = self._replayed(images) if self._replayed else self._by_layers(images)
        with stage(POSE):
            answers = [each.mean() for each in outputs]
            return Regressed(
                tuple(pose for pose, _ in answers),
                np.stack([each.mean_feature() for each in outputs]),
                np.array([spread for _, spread in answers]),
                covariances=self._covariances(outputs),
            )

    @torch.inference_mode()
    def learn_places(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """
        Measure what images are compared by on training images; return their features (N, K).

        The model's `place` changes; everything that it said of features before is void.
        """
        described = [
            self.model.describe_place(self.preprocessing.prepare(rgb)[None].to(self.device)).half()
            for rgb in images
        ]
        described_ND = torch.cat(described)
        step = -(-len(described_ND) // _MOST_TO_MEASURE)
        self.model.place.measure(described_ND[::step].float())
        parts = described_ND.split(_MOST_TO_MEASURE)
        return torch.cat([self.model.place(part) for part in parts]).cpu().numpy()

    def _covariances(self, outputs: Sequence[Outputs]) -> tuple[NDArray | None, ...] | None:
        """Return the covariances that a scene head tells with its poses, None of other heads."""
        return tuple(each.covariance() for each in outputs) if self._sees_cells else None

    def _by_layers(self, images: Sequence[NDArray[np.uint8]]) -> list[Outputs]:
        """Return what the network puts out for each image, layer after layer."""
        crops = self.ensemble.crops
        with stage(PREPARE):
            prepared = [self.preprocessing.prepare_crops(rgb, crops) for rgb in images]
            ends = np.cumsum([len(each) for each in prepared])[:-1]
            image_B3HW = torch.cat(prepared) if len(prepared) > 1 else prepared[0]
        with stage(NETWORK):
            every = image_B3HW.split(_IMAGES_AT_ONCE)
            parts = zip(*map(self._predict, every, self._beside(images, len(every))))
            whole = [torch.cat(part).cpu().numpy() for part in parts]
        return [Outputs.of(*each) for each in zip(*(np.split(part, ends) for part in whole))]

    def _beside(self, images: Sequence[NDArray[np.uint8]], parts: int) -> Sequence[Tensor | None]:
        """Return by part where crops lie, None where that is in the middle or does not matter."""
        crops = self.ensemble.crops
        if crops == 1 or not self._sees_cells:
            return [None] * parts
        sizes = [rgb.shape[1::-1] for rgb in images]
        beside = [self.preprocessing.beside_centre(*size, crops) for size in sizes]
        return torch.from_numpy(np.concatenate(beside)).split(_IMAGES_AT_ONCE)

    def _predict(self, image_B3HW: Tensor, beside_B2: Tensor | None) -> tuple[Tensor, ...]:
        """
        Return positions (B, S, 3), quaternions wxyz (B, S, 4) and features (B, D).

        Of a scene head there are informations (B, 6, 6), too.
        """
        image_B3HW = image_B3HW.to(self.device, memory_format=self._layout)
        if self.ensemble.samples:
            output = self.model.sample(image_B3HW, self.ensemble.samples)
            position, quaternion = output.position_B3, output.quaternion_wxyz_B4
        else:
            where = () if beside_B2 is None else (beside_B2.to(self.device),)
            output = self.model(image_B3HW, *where)
            position, quaternion = output.position_B3[:, None], output.quaternion_wxyz_B4[:, None]
        found = position.double(), quaternion.double(), output.feature_BK.float()
        if output.information_B66 is None:
            return found
        return (*found, output.information_B66.double())
