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

"""The network's answer where nothing better is known, and the map's where an image confirms it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from posenet_ros.geometry import Camera, Pose
from posenet_ros.landmarks.landmark_map import LandmarkMap
from posenet_ros.landmarks.verifier import Verifier
from posenet_ros.localization.estimate import Answers, PoseEstimate
from posenet_ros.localization.measured import MeasuredLocalizer
from posenet_ros.machine import cores

VERIFIED = 'landmarks'


class VerifiedLocalizer:
    """
    Answers with a pose that points of the map confirm, else with the network's.

    A verified pose stands where the network refuses, too: points that are where they should be
    tell more than how new an image looks as a whole. What is not verified keeps the network's
    covariance, or its refusal, and its reasons say why nothing confirms it.
    """

    def __init__(self, network: MeasuredLocalizer, landmarks: LandmarkMap) -> None:
        """Take a localizer for the first guess, and the map that was made with its model."""
        self.network = network
        self.verifier = Verifier(landmarks)
        self.method = network.method
        self.card = network.card
        self.device = network.device
        self.engine = network.engine
        self.training = network.training
        self.trust = network.trust

    def warm_up(self) -> None:
        """Answer once, so that the first real image does not pay for set-up."""
        camera = self.verifier.landmarks.camera
        self.locate(np.zeros((camera.height, camera.width, 3), dtype=np.uint8))

    def locate(self, rgb: NDArray[np.uint8]) -> PoseEstimate:
        """Answer one image uint8 (H, W, 3), RGB."""
        return self.locate_batch([rgb]).estimates[0]

    def locate_batch(self, images: Sequence[NDArray[np.uint8]]) -> Answers:
        """Answer several images: the network all at once, the map as many as there are cores."""
        quick = self.network.locate_batch(images)
        asked = (images, quick.estimates, quick.features, quick.guesses)
        with ThreadPoolExecutor(max(min(cores(), len(images)), 1)) as pool:
            return quick._replace(estimates=tuple(pool.map(self.verify, *asked)))

    def verify(
        self,
        rgb: NDArray[np.uint8],
        estimate: PoseEstimate,
        feature_K: NDArray[np.float32],
        guess: Pose | None,
        camera: Camera | None = None,
        *,
        any_focal: bool = False,
    ) -> PoseEstimate:
        """
        Look for an image in the map, and return the verified pose or the network's estimate.

        `estimate`, `feature_K` and `guess` are the network's answer to it (see `Answers`).
        `camera` took the image, by default the one that took the map's; `any_focal` where nobody
        knows whether it did (see `Verifier.verify`).
        """
        verdict = self.verifier.verify(rgb, feature_K, guess, camera, any_focal=any_focal)
        if verdict.verified:
            said = ()
            if verdict.focal_px is not None:
                said = (f'nobody told the focal length: {verdict.focal_px:.0f} pixels go with it',)
            return PoseEstimate(
                verdict.map_from_camera, verdict.covariance, VERIFIED, verified=True, reasons=said
            )
        reasons = tuple(f'not verified: {reason}' for reason in verdict.reasons)
        return replace(estimate, reasons=(*estimate.reasons, *reasons))
