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

"""What a model's map of landmarks verifies of images, where it has one and has not seen them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.evaluation.covariance import residuals, squared_distances
from posenet_ros.evaluation.evaluate import batched, WRONG
from posenet_ros.evaluation.metrics import pose_errors, quantile
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.subject import Subject
from posenet_ros.geometry import Pose
from posenet_ros.landmarks.landmark_map import LandmarkMap, LANDMARKS, read_map
from posenet_ros.landmarks.verifier import Verdict, Verifier
from posenet_ros.localization.estimate import Answers
from posenet_ros.machine import cores
from posenet_ros.sfm.landmarks import build_landmarks
from posenet_ros.sfm.scene_map import RECONSTRUCTION
from scipy.stats import chi2

_BATCH = 16


@dataclass(frozen=True)
class Wrong:
    """A verified pose that is more than half a metre or ten degrees off: which must not be."""

    image: str
    position: float
    orientation_deg: float


@dataclass(frozen=True)
class Verified:
    """
    How many of some images were verified, and how far off these poses are.

    The median and the largest errors are of the verified alone, infinite where there are none;
    `inside` of these poses lie in the 95 % region of their covariance.
    """

    images: int
    verified: int
    inside: int
    median_position: float
    median_orientation_deg: float
    most_position: float
    most_orientation_deg: float
    wrong: tuple[Wrong, ...] = ()

    @property
    def share(self) -> float:
        """The share of all images that was verified."""
        return self.verified / self.images

    @classmethod
    def of(cls, frames: Sequence[Frame], verdicts: Sequence[Verdict]) -> Verified:
        """Sum up what a map says of images of some frames, one each."""
        pairs = [(frame, each) for frame, each in zip(frames, verdicts) if each.verified]
        errors = pose_errors(
            [frame.map_from_camera for frame, _ in pairs],
            [verdict.map_from_camera for _, verdict in pairs],
        )
        both = errors.position_m, errors.orientation_deg
        wrong = tuple(
            Wrong(frame.image.name, metres, degrees)
            for (frame, _), metres, degrees in zip(pairs, *(each.tolist() for each in both))
            if metres > WRONG.metres or degrees > WRONG.degrees
        )
        figures = (
            quantile(each, share) if pairs else np.inf for share in (0.5, 1.0) for each in both
        )
        return cls(len(frames), len(pairs), _inside(pairs), *figures, wrong)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; what is infinite is None."""
        return {
            'share': plain(self.share),
            'inside': self.inside,
            'median_position': plain(self.median_position),
            'median_orientation_deg': plain(self.median_orientation_deg),
            'most_position': plain(self.most_position),
            'most_orientation_deg': plain(self.most_orientation_deg),
            'wrong': len(self.wrong),
        }


def _inside(pairs: Sequence[tuple[Frame, Verdict]]) -> int:
    """Count the poses whose errors lie in the 95 % region of their covariance."""
    if not pairs:
        return 0
    errors_N6 = residuals(
        [frame.map_from_camera for frame, _ in pairs],
        [verdict.map_from_camera for _, verdict in pairs],
    )
    covariance_N66 = np.stack([verdict.covariance for _, verdict in pairs])
    return int((squared_distances(errors_N6, covariance_N66) <= chi2.ppf(0.95, df=6)).sum())


def verdicts_on(
    verifier: Verifier, images: Sequence[NDArray[np.uint8]], answers: Answers
) -> list[Verdict]:
    """Return what a map says of images that its network has answered, each on its own core."""
    guesses: Sequence[Pose | None] = answers.guesses
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(verifier.verify, images, answers.features, guesses))


def unseen_map(subject: Subject) -> LandmarkMap | None:
    """
    Return the map of a model, which knows none of the frames to ask about; None without a map.

    Where these are the frames that training held out, the map beside the model knows them: it is
    made once more without them. Raises LabellingError where that cannot be done.
    """
    if LANDMARKS not in subject.loaded.files:
        return None
    whole = read_map(subject.loaded.folder / LANDMARKS)
    if not subject.calibrated:
        return whole
    with TemporaryDirectory() as folder:
        maps = build_landmarks(
            subject.labelled,
            subject.test,
            subject.camera,
            model=subject.model,
            work=Path(folder) / 'landmarks',
            reconstruction=subject.run / RECONSTRUCTION,
            describe=lambda frames: _described(subject, frames),
            budget_bytes=whole.nbytes,
            extractor=whole.extractor,
        )
    return replace(maps.part, gate=whole.gate)


def _described(subject: Subject, frames: Sequence[Frame]) -> NDArray[np.float16]:
    return np.concatenate(
        [
            subject.regressor.regress([read_image(frame.image) for frame in some]).features
            for some in batched(frames, _BATCH)
        ]
    ).astype(np.float16)
