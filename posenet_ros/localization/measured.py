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

"""Poses with their covariances, and refusals: what a model's card makes of its answers."""

from __future__ import annotations

from collections.abc import Sequence
import math

import numpy as np
from numpy.typing import NDArray
from posenet_ros.errors import ModelError
from posenet_ros.geometry import Pose
from posenet_ros.localization.estimate import Answers, PoseEstimate
from posenet_ros.localization.methods import RETRIEVAL
from posenet_ros.localization.regressor import Regressed, Regressor
from posenet_ros.localization.retrieval import NearestImage
from posenet_ros.localization.thinning import thinned
from posenet_ros.models.checkpoint import TrainingFeatures
from posenet_ros.models.map_card import MapCard
from posenet_ros.models.trust import ADDED, ANY_ANGLE, Trust
from posenet_ros.stages import NOVELTY, POSE, stage


class MeasuredLocalizer:
    """
    Answers with the poses of a regressor, where the image is of the map at all.

    By the method `retrieval` it is the pose of the training image that looks most alike, by the
    same features: rougher, and never between the images or beyond them.

    An image that is less like any training image than held-out frames were is refused; the
    covariance of the others is what the held-out residuals support, larger for an image that is
    less like the training images. Where a pose comes with a covariance of its own it is that, as
    much larger as held-out residuals ask. `always` answers every image, for comparing methods,
    also with what a regressor takes back. `engine` says by what the network runs.
    """

    def __init__(
        self,
        regressor: Regressor,
        card: MapCard,
        training: TrainingFeatures | None,
        *,
        method: str,
        covariance: NDArray[np.float64] | None,
        trust: Trust | None,
        told: bool = False,
        always: bool = False,
        engine: str = 'eager',
    ) -> None:
        """
        Take what answers, and what was measured of it: `covariance` and `trust` of the method.

        They are in units of the covariances that come with poses where those are `told`, and
        these count for nothing otherwise. Raises ModelError where the covariance was never
        measured, or the features that tell novelty are gone.
        """
        if covariance is None:
            raise ModelError(_unmeasured(method))
        self.regressor = regressor
        self.method = method
        self.card = card
        self.training = training
        self.trust = trust
        self.device = regressor.device
        self.engine = engine
        self._covariance = covariance
        self._told = told
        self._always = always
        if (trust is not None or method == RETRIEVAL) and training is None:
            raise ModelError(
                'the model folder lacks the features of the training images, without which '
                'nothing tells places in the map from others; copy the whole folder'
            )
        self._nearest = None
        if trust is not None:
            # The limits in `trust` were measured by the same.
            self._nearest = NearestImage(thinned(training))
        self._by_novelty = trust and trust.by_novelty(covariance)

    def locate(self, rgb: NDArray[np.uint8]) -> PoseEstimate:
        """Answer one image uint8 (H, W, 3), RGB."""
        return self.locate_batch([rgb]).estimates[0]

    def locate_batch(self, images: Sequence[NDArray[np.uint8]]) -> Answers:
        """Answer several images at once, with their trunk features."""
        found = self.regressor.regress(images)
        novelty_N = np.full(len(images), np.nan)
        if self._nearest is not None:
            with stage(NOVELTY):
                novelty_N = self._nearest.index.novelty(found.features)
                if self.method == RETRIEVAL:
                    poses = self._nearest.poses(found.features)
                    found = Regressed(poses, found.features, found.spreads, scenes=found.scenes)
        guesses = found.guesses or found.poses
        with stage(POSE):
            estimates = tuple(
                self._estimate(found, number, guesses[number], float(novelty))
                for number, novelty in enumerate(novelty_N)
            )
        return Answers(estimates, found.features, novelty_N, guesses)

    def _estimate(
        self, found: Regressed, number: int, guess: Pose | None, novelty: float
    ) -> PoseEstimate:
        pose = found.poses[number]
        trust = self.trust
        if trust is not None and trust.refuses(novelty) and not self._always:
            return PoseEstimate.refused(
                self.method,
                'the image looks like no place of the map: its novelty is '
                f'{novelty:.2f}, at most {trust.limit:.2f} is believed',
            )
        if pose is None and self._always:
            pose = guess
        if pose is None:
            reasons = found.reasons[number] if found.reasons else (_nothing(self.method),)
            return PoseEstimate.refused(self.method, *reasons)
        scene = found.scenes[number] if found.scenes else ''
        return PoseEstimate(
            pose, self._covariance_at(found, number, novelty), self.method, scene=scene
        )

    def _covariance_at(self, found: Regressed, number: int, novelty: float) -> NDArray[np.float64]:
        if not self._told or found.covariances is None:
            if self._by_novelty is None:
                return self._covariance
            return _turned_at_most(self._by_novelty.at(np.array([novelty]))[0])
        own = found.covariances[number]
        if own is not None:
            if self._by_novelty is None:
                return grown(own, self._covariance)
            [units_66] = self._by_novelty.seen_at(np.array([novelty]))
            [least_6] = self._by_novelty.unseen_at(np.array([novelty]))
            return grown(own, units_66, least_6)
        # Of a pose that was taken back there is none to grow, and what was measured is in units
        # of such.
        card = self.card
        if card.trust is None:
            return card.covariance
        by_novelty = card.trust.by_novelty(card.covariance)
        return _turned_at_most(by_novelty.at(np.array([novelty]))[0])


def _turned_at_most(measured_66: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a diagonal covariance whose angles are no less known than not at all."""
    return np.diag(np.minimum(np.diag(measured_66), [math.inf] * 3 + [ANY_ANGLE**2] * 3))


def grown(
    own_66: NDArray[np.float64],
    units_66: NDArray[np.float64],
    unseen_6: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """
    Return a covariance as much larger as was measured in its own units, and never smaller.

    `own_66` came with a pose; `units_66` is the covariance of errors that were whitened by such
    (see `whitened`), which is diagonal. Held-out frames have others of a second before or after
    them beside them: that they are better than is told says nothing of an image that has none.
    Beside that a little is added (`ADDED`), and deviations `unseen_6` of which nothing was seen.
    No angle is less known than not at all.
    """
    root_66 = np.linalg.cholesky(own_66)
    whole = root_66 @ np.diag(np.maximum(np.diag(units_66), 1)) @ root_66.T
    whole = (whole + whole.T) / 2 + np.diag(ADDED**2 + np.square(unseen_6))
    most_6 = np.array([math.inf] * 3 + [ANY_ANGLE] * 3)
    less_6 = np.minimum(most_6 / np.sqrt(np.diag(whole)), 1)
    return less_6[:, None] * whole * less_6


def whitened(
    residuals_N6: NDArray[np.float64], own_N66: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return residuals in units of the covariances that came with their poses."""
    if not len(residuals_N6):
        return residuals_N6
    return np.linalg.solve(np.linalg.cholesky(own_N66), residuals_N6[:, :, None])[:, :, 0]


def _nothing(method: str) -> str:
    if method == RETRIEVAL:
        return 'the image has nothing in common with any training image'
    return 'the network output is not finite'


def _unmeasured(method: str) -> str:
    if method == RETRIEVAL:
        return (
            'how wrong retrieval is was not measured for this model, of an earlier version; '
            'train again, or take the method posenet'
        )
    return (
        'the model has no covariance, and a pose without one would claim to be exact; '
        'train again, so that it is measured on held-out frames'
    )
