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

"""Ask a localizer about images with known poses, and keep the answers beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from posenet_ros.data.frames import Frame
from posenet_ros.errors import PosenetError
from posenet_ros.evaluation.baselines import Baselines
from posenet_ros.evaluation.bounds import at_most
from posenet_ros.evaluation.metrics import ErrorSummary, pose_errors, PoseErrors, Threshold
from posenet_ros.evaluation.queries import queries_of_frames, Query
from posenet_ros.evaluation.truth import pose_at, true_pose
from posenet_ros.geometry import Pose, Trajectory
from posenet_ros.localization.estimate import Localizer
from posenet_ros.localization.regressor import Regressor
from posenet_ros.localization.verified import VerifiedLocalizer

_BATCH = 16
# Beyond, a verified pose is wrong, and nothing excuses it.
WRONG = Threshold(0.5, 10.0)


# Poses (None for no answer) and features of a few images.
class Asked(NamedTuple):
    """Answers to some images: poses, None where there is none, features, and what is known."""

    poses: Sequence[Pose | None]
    features: NDArray[np.float32]
    covariances: Sequence[NDArray[np.float64] | None] | None = None
    novelty_N: NDArray[np.float64] | None = None
    verified: Sequence[bool] | None = None


Ask = Callable[[Sequence[NDArray[np.uint8]]], Asked]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """
    The frames asked, their true poses, what was answered, and what the baselines answer.

    Stamps are those of the images; all poses are `map_from_camera`, None where there was no
    answer. `baselines` is empty where the training images are not known. `without_truth` counts
    the images that nobody knows the pose of, and which are in no figure; `metric` is false where
    lengths are in units of a map without metres. `covariances` (6, 6) came with the estimates,
    None where none did, and are empty where there was nobody to tell any; so are the novelties
    of the images, NaN where none was told. `verified` says which estimates an image confirmed,
    and is empty where nothing verifies.
    """

    stamps_ns: NDArray[np.int64]
    truth: tuple[Pose, ...]
    estimates: tuple[Pose | None, ...]
    baselines: dict[str, tuple[Pose | None, ...]] = field(default_factory=dict)
    without_truth: int = 0
    metric: bool = True
    covariances: tuple[NDArray[np.float64] | None, ...] = ()
    novelties: tuple[float, ...] = ()
    verified: tuple[bool, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of lengths, as a person reads it."""
        return 'm' if self.metric else 'units'

    @property
    def images(self) -> int:
        """How many images there were, with a true pose or without."""
        return len(self.truth) + self.without_truth

    @cached_property
    def errors(self) -> PoseErrors:
        """Errors of the localizer."""
        return pose_errors(self.truth, self.estimates)

    @cached_property
    def baseline_errors(self) -> dict[str, PoseErrors]:
        """Errors of each baseline on the same frames."""
        return {name: pose_errors(self.truth, poses) for name, poses in self.baselines.items()}

    @property
    def summary(self) -> ErrorSummary:
        """The figures of the localizer; raises PosenetError when no frame was asked."""
        return ErrorSummary.of(self.errors)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures and the baselines' as plain values, for JSON and the model card."""
        baselines = {
            name: ErrorSummary.of(errors).to_dict()
            for name, errors in self.baseline_errors.items()
        }
        counted = {'images': self.images, 'metric': self.metric}
        values = {**counted, **self.summary.to_dict(), 'baselines': baselines}
        return {**values, **self._verification()} if self.verified else values

    def _verification(self) -> dict[str, Any]:
        """
        Return how many were verified, how well, and how the others were answered.

        `wrong_verified_at_most` is a share of the verified poses, with 95 % confidence.
        """
        confirmed = np.array(self.verified, dtype=bool)
        kinds = {'verified': confirmed, 'not_verified': ~confirmed}
        return {
            'verified_share': float(confirmed.mean()),
            'wrong_verified': self.wrong_verified,
            'wrong_verified_at_most': at_most(self.wrong_verified, int(confirmed.sum())),
            **{
                kind: ErrorSummary.of(self.errors_of(chosen)).to_dict()
                for kind, chosen in kinds.items()
                if chosen.any()
            },
        }

    @property
    def wrong_verified(self) -> int:
        """How many verified poses are more than half a metre or ten degrees off."""
        confirmed = np.array(self.verified, dtype=bool)
        far = (self.errors.position_m > WRONG.metres) | (
            self.errors.orientation_deg > WRONG.degrees
        )
        return int((confirmed & far).sum()) if len(confirmed) else 0

    @property
    def unverified_covariances(self) -> tuple[NDArray[np.float64] | None, ...]:
        """The covariances of all answers that no image confirmed."""
        if not self.verified:
            return self.covariances
        return tuple(
            each for each, sure in zip(self.covariances, self.verified, strict=True) if not sure
        )

    def errors_of(self, chosen_N: NDArray[np.bool_]) -> PoseErrors:
        """Return the errors of some frames."""
        return PoseErrors(self.errors.position_m[chosen_N], self.errors.orientation_deg[chosen_N])


def evaluate(
    localizer: Localizer, queries: Iterable[Query], baselines: Baselines | None = None
) -> Evaluation:
    """
    Ask a localizer about each query; a few images are held at a time.

    Raises PosenetError when there is no query.
    """
    verifies = isinstance(localizer, VerifiedLocalizer)

    def ask(images: Sequence[NDArray[np.uint8]]) -> Asked:
        answers = localizer.locate_batch(images)
        return Asked(
            [estimate.map_from_camera for estimate in answers.estimates],
            answers.features,
            [estimate.covariance for estimate in answers.estimates],
            answers.novelty_N,
            [estimate.verified for estimate in answers.estimates] if verifies else None,
        )

    return evaluate_answers(ask, queries, baselines)


def evaluate_regressor(
    regressor: Regressor,
    frames: Sequence[Frame],
    told: str,
    baselines: Baselines | None = None,
) -> Evaluation:
    """
    Ask a network about labelled frames, all of which it must answer, with a progress bar.

    Covariances are those that it tells itself, if any. `told` names the bar. Raises PosenetError
    when there is no frame.
    """

    def ask(images: Sequence[NDArray[np.uint8]]) -> Asked:
        found = regressor.regress(images)
        return Asked(found.poses, found.features, found.covariances)

    return evaluate_answers(ask, queries_of_frames(frames, told), baselines)


def evaluate_answers(
    ask: Ask, queries: Iterable[Query], baselines: Baselines | None = None
) -> Evaluation:
    """
    Do what `evaluate` does, for anything that turns images into poses and features.

    An image that cannot be read counts as asked and unanswered; one without a true pose is only
    counted.
    """
    stamps, truth, estimates, covariances, novelties = [], [], [], [], []
    verified: list[bool | None] = []
    answered: dict[str, list[Pose | None]] = {}
    without_truth = 0

    def known() -> Iterator[Query]:
        nonlocal without_truth
        for query in queries:
            if query.map_from_camera is None:
                without_truth += 1
            else:
                yield query

    for batch in _batches_of_a_kind(known()):
        asked, guesses = _answer_batch(ask, [query.rgb for query in batch], baselines)
        stamps += [query.stamp_ns for query in batch]
        truth += [query.map_from_camera for query in batch]
        estimates += asked.poses
        covariances += asked.covariances or [None] * len(batch)
        unknown = np.full(len(batch), np.nan)
        verified += asked.verified or [None] * len(batch)
        novelties += (unknown if asked.novelty_N is None else asked.novelty_N).tolist()
        for name, guessed in guesses.items():
            answered.setdefault(name, []).extend(guessed)
    if not truth:
        raise PosenetError('there is no frame to evaluate: no image has a true pose')
    return Evaluation(
        np.array(stamps, dtype=np.int64),
        tuple(truth),
        tuple(estimates),
        {name: tuple(guesses) for name, guesses in answered.items()},
        without_truth,
        covariances=tuple(covariances),
        novelties=tuple(novelties),
        verified=tuple(map(bool, verified)) if verified != [None] * len(verified) else (),
    )


def _batches_of_a_kind(queries: Iterable[Query]) -> Iterator[list[Query]]:
    """Yield batches in order, each of images that can be read or of images that cannot."""
    for _, group in groupby(queries, key=lambda query: query.rgb is None):
        yield from batched(group, _BATCH)


def _answer_batch(
    ask: Ask, images: Sequence[NDArray[np.uint8] | None], baselines: Baselines | None
) -> tuple[Asked, dict[str, tuple[Pose | None, ...]]]:
    if images[0] is None:
        nothing = Asked([None] * len(images), np.zeros((len(images), 0), dtype=np.float32))
        return nothing, baselines.answer_blind(len(images)) if baselines else {}
    asked = ask(images)
    return asked, baselines.answer(asked.features) if baselines else {}


def evaluate_recorded(
    estimates: Trajectory, truth: Trajectory, asked_ns: Sequence[int] | None = None
) -> Evaluation:
    """
    Compare poses that were recorded from a running node with the truth.

    `asked_ns` are the stamps of all images that the node was shown: one without a recorded
    pose counts as infinitely wrong. Without it only the recorded poses can be counted. Frames
    whose true pose is unknown are only counted. Raises PosenetError when none is left.
    """
    stamps = estimates.stamps_ns if asked_ns is None else np.unique(asked_ns)
    true = [true_pose(truth, int(stamp)) for stamp in stamps]
    known = np.array([pose is not None for pose in true], dtype=bool)
    if not known.any():
        raise PosenetError(
            f'none of the {len(stamps)} instants has a true pose; are the estimates and the '
            'truth of the same recording?'
        )
    return Evaluation(
        stamps[known],
        tuple(pose for pose in true if pose is not None),
        recorded_at(estimates, stamps[known]),
        without_truth=int((~known).sum()),
    )


def recorded_at(estimates: Trajectory, stamps_ns: NDArray[np.int64]) -> tuple[Pose | None, ...]:
    """Return the recorded pose of each instant, None where there is none."""
    return tuple(pose_at(estimates, int(stamp)) for stamp in stamps_ns)


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield lists of up to `size` items, reading ahead no further."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
