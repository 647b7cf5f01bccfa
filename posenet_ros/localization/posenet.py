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

"""Images through the network, poses and covariances out, by one of two methods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ConfigError, ModelError
from posenet_ros.geometry import Pose
from posenet_ros.localization.ensemble import CENTRE_CROP, Ensemble
from posenet_ros.localization.estimate import Answers, PoseEstimate
from posenet_ros.localization.methods import METHODS, POSENET, RETRIEVAL
from posenet_ros.localization.regressor import PoseRegressor
from posenet_ros.localization.retrieval import NearestImage
from posenet_ros.localization.thinning import thinned
from posenet_ros.models.card import ModelCard
from posenet_ros.models.checkpoint import LoadedModel
from posenet_ros.models.trust import Trust
from posenet_ros.stages import NOVELTY, POSE, stage
import torch


def _measured(card: ModelCard, method: str) -> tuple[NDArray[np.float64], Trust | None]:
    """Return the covariance of a method, and how it may be trusted."""
    if method == RETRIEVAL:
        if card.retrieval is None:
            raise ModelError(
                'how wrong retrieval is was not measured for this model, of an earlier version; '
                'train again, or take the method posenet'
            )
        return card.retrieval.covariance, card.retrieval.trust
    if card.covariance is None:
        raise ModelError(
            'the model has no covariance, and a pose without one would claim to be exact; '
            'train again, so that it is measured on held-out frames'
        )
    return card.covariance, card.trust


def choose_device(name: str = 'auto') -> torch.device:
    """
    Return the device to run on; `auto` is CUDA where there is one, else the CPU.

    Raises ConfigError for a device that torch does not know or this machine does not have.
    """
    if name == 'auto':
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f'cannot run on device {name!r} ({str(error).splitlines()[0]}); use auto, cpu or cuda'
        ) from error
    return device


class PoseNetLocalizer:
    """
    Answers with the pose that the network regresses, where the image is of the map at all.

    By the method `retrieval` it is the pose of the training image that looks most alike, by the
    features of the same network: rougher, and never between the images or beyond them.

    Either always has an answer. An image that is less like any training image than held-out
    frames were is refused; the covariance of the others is what the held-out residuals support,
    larger for an image that is less like the training images. `always` answers every image, for
    comparing methods. `engine` says by what the network runs.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        ensemble: Ensemble = CENTRE_CROP,
        *,
        always: bool = False,
        method: str = POSENET,
        engine: str = 'eager',
    ) -> None:
        """
        Take a loaded model.

        Raises ModelError when the covariance of the method was never measured.
        """
        if method not in METHODS:
            raise ConfigError(f'method must be {" or ".join(METHODS)}, not {method!r}')
        self._covariance, self._trust = _measured(loaded.card, method)
        self.method = method
        self.card: ModelCard = loaded.card
        self.training = loaded.features
        self.device = loaded.device
        self.engine = engine
        self._always = always
        if (self._trust is not None or method == RETRIEVAL) and loaded.features is None:
            raise ModelError(
                'the model folder lacks the features of the training images, without which '
                'nothing tells places in the map from others; copy the whole folder'
            )
        self._nearest = None
        if self._trust is not None:
            # The limits in `trust` were measured by the same.
            self._nearest = NearestImage(thinned(loaded.features))
        self._by_novelty = self._trust and self._trust.by_novelty(self._covariance)
        self.regressor = PoseRegressor(
            loaded.model, loaded.card.preprocessing, loaded.device, ensemble
        )

    def locate(self, rgb: NDArray[np.uint8]) -> PoseEstimate:
        """Answer one image uint8 (H, W, 3), RGB."""
        return self.locate_batch([rgb]).estimates[0]

    def locate_batch(self, images: Sequence[NDArray[np.uint8]]) -> Answers:
        """Answer several images at once, with their trunk features."""
        found = self.regressor.regress(images)
        novelty_N = np.full(len(images), np.nan)
        poses = found.poses
        if self._nearest is not None:
            with stage(NOVELTY):
                novelty_N = self._nearest.index.novelty(found.features)
                if self.method == RETRIEVAL:
                    poses = self._nearest.poses(found.features)
        with stage(POSE):
            estimates = tuple(map(self._estimate, poses, novelty_N.tolist()))
        return Answers(estimates, found.features, novelty_N, poses)

    def _estimate(self, pose: Pose | None, novelty: float) -> PoseEstimate:
        if pose is None:
            why = 'the network output is not finite'
            if self.method == RETRIEVAL:
                why = 'the image has nothing in common with any training image'
            return PoseEstimate.refused(self.method, why)
        trust = self._trust
        if trust is None:
            return PoseEstimate(pose, self._covariance, self.method)
        if trust.refuses(novelty) and not self._always:
            return PoseEstimate.refused(
                self.method,
                'the image looks like no place of the map: its novelty is '
                f'{novelty:.2f}, at most {trust.limit:.2f} is believed',
            )
        covariance = self._by_novelty.at(np.array([novelty]))[0]
        return PoseEstimate(pose, covariance, self.method)
