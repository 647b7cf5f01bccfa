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
Figure 8: blur, night, fog, rain, people and other lenses, each at five levels.

The paper shows single photographs without a true pose. Here the test images themselves are
changed (`evaluation.degradations`), so that their poses stay known, and the errors can be told.
Beside the network's stands what the map of landmarks verifies, where the model has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from posenet_ros.data.frames import Frame
from posenet_ros.data.images import read_image
from posenet_ros.evaluation.covariance import residuals, squared_distances
from posenet_ros.evaluation.degradations import DEGRADATIONS, degraded, LEVELS
from posenet_ros.evaluation.metrics import pose_errors, quantile
from posenet_ros.explain.answers import training_features
from posenet_ros.explain.confirmed import unseen_map, verdicts_on, Verified
from posenet_ros.explain.exhibit import Exhibit
from posenet_ros.explain.numbers import plain
from posenet_ros.explain.robustness_picture import picture
from posenet_ros.explain.robustness_words import caption, headings, rows, verification
from posenet_ros.explain.subject import some, Subject
from posenet_ros.geometry import Pose
from posenet_ros.landmarks.verifier import Verdict, Verifier
from posenet_ros.localization.estimate import PoseEstimate
from posenet_ros.localization.posenet import PoseNetLocalizer
from posenet_ros.models.trust import Trust
from posenet_ros.training.allocator import keep_freed_memory
from tqdm import tqdm

_MOST_FRAMES = 60
_CONDITIONS = (('', 0), *product(DEGRADATIONS, LEVELS))


@dataclass(frozen=True)
class Condition:
    """
    What became of the test images at one level of one kind; level 0 is the images as they are.

    The medians are of all images, refused or not, infinite where the network put out no pose for
    most. `inside` and `outside` are the shares of all images that were answered with a pose in the
    95 % region of its covariance, and out of it; both are None where the model has no `Trust`, and
    so no such region. The rest is `refused`. All of these are of the network alone; `verified` is
    what its map of landmarks says of the same images, None where there is no map.
    """

    level: int
    median_position: float
    median_orientation_deg: float
    refused: float
    inside: float | None
    outside: float | None
    verified: Verified | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; what is infinite or not known is None."""
        values = {
            'level': self.level,
            'median_position': plain(self.median_position),
            'median_orientation_deg': plain(self.median_orientation_deg),
            'refused': plain(self.refused),
            'inside': None if self.inside is None else plain(self.inside),
            'outside': None if self.outside is None else plain(self.outside),
        }
        return {**values, 'verified': self.verified.to_dict()} if self.verified else values


def draw(subject: Subject) -> Exhibit:
    """
    Show how errors grow when images get worse, and whether the model then refuses or misleads.

    Where it has a map of landmarks, show how many are verified, too, and how well. Raises
    ModelError for a model whose covariance was never measured, or that lacks the features of its
    training images.
    """
    frames = some(subject.test, _MOST_FRAMES)
    as_are, kinds = measure(subject, frames)
    shown = frames[len(frames) // 2]
    return Exhibit(
        name='robustness',
        title='Images in blur, at night, in fog, in rain, with people, through other lenses',
        caption=caption(subject, as_are, kinds),
        paper='Figure 8',
        picture=picture(read_image(shown.image), as_are, kinds, subject.unit),
        headings=headings(as_are),
        rows=rows(as_are, kinds, subject.unit),
        numbers={
            'images': len(frames),
            'unit': subject.unit,
            'as_they_are': as_are.to_dict(),
            'kinds': {kind: [each.to_dict() for each in levels] for kind, levels in kinds.items()},
            **verification(as_are, kinds),
        },
    )


def measure(
    subject: Subject, frames: Sequence[Frame]
) -> tuple[Condition, dict[str, tuple[Condition, ...]]]:
    """Ask about frames as they are, and at all levels of each kind of degradation."""
    if subject.loaded.device.type == 'cpu':
        keep_freed_memory()
    loaded = replace(subject.loaded, features=training_features(subject))
    localizer = PoseNetLocalizer(loaded, always=True)
    landmarks = unseen_map(subject)
    verifier = Verifier(landmarks) if landmarks else None
    answers = []
    for number, frame in enumerate(tqdm(frames, desc='images made worse', unit='image')):
        rgb = read_image(frame.image)
        images = [
            degraded(rgb, kind, level, number) if level else rgb for kind, level in _CONDITIONS
        ]
        found = localizer.locate_batch(images)
        verdicts = verdicts_on(verifier, images, found) if verifier else [None] * len(images)
        answers.append(list(map(_Answer, found.estimates, found.novelty_N.tolist(), verdicts)))
    as_are, *worse = (
        _condition(level, frames, of_one, localizer.trust)
        for (_, level), of_one in zip(_CONDITIONS, zip(*answers))
    )
    levels = [worse[start : start + len(LEVELS)] for start in range(0, len(worse), len(LEVELS))]
    return as_are, dict(zip(DEGRADATIONS, map(tuple, levels), strict=True))


class _Answer(NamedTuple):
    """What the network says of an image, how new it is, and what a map says, if there is one."""

    estimate: PoseEstimate
    novelty: float
    verdict: Verdict | None


def _condition(
    level: int, frames: Sequence[Frame], answers: Sequence[_Answer], trust: Trust | None
) -> Condition:
    """Sum up the answers to all images of one condition."""
    truth = [frame.map_from_camera for frame in frames]
    errors = pose_errors(truth, [answer.estimate.map_from_camera for answer in answers])
    answered = [
        (true, answer.estimate)
        for true, answer in zip(truth, answers)
        if answer.estimate.answered and not (trust and trust.refuses(answer.novelty))
    ]
    verdicts = [answer.verdict for answer in answers if answer.verdict]
    inside = None if trust is None else _inside(answered, trust) / len(truth)
    return Condition(
        level,
        quantile(errors.position_m, 0.5),
        quantile(errors.orientation_deg, 0.5),
        refused=1 - len(answered) / len(truth),
        inside=inside,
        outside=None if inside is None else len(answered) / len(truth) - inside,
        verified=Verified.of(frames, verdicts) if verdicts else None,
    )


def _inside(answered: Sequence[tuple[Pose, PoseEstimate]], trust: Trust) -> int:
    """Count the answers whose error lies in the 95 % region of their covariance."""
    if not answered:
        return 0
    truth, estimates = zip(*answered)
    errors = residuals(truth, [estimate.map_from_camera for estimate in estimates])
    covariance_N66 = np.stack([estimate.covariance for estimate in estimates])
    return int((squared_distances(errors, covariance_N66) <= trust.most_reach).sum())
